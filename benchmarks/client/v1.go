package client

import (
	"context"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/token"
)

// The clients of alibaba-cloud-sdk-go, the V1 SDK.
var (
	V1 = Client{"V1", "as it comes: no retries, and no client token", func(e Endpoint) (Call, error) {
		return newV1(e, sdk.NewConfig(), noToken)
	}}
	V1AutoRetry = Client{"V1, AutoRetry", "AutoRetry on, MaxRetryTime 3, no waits; no client token", func(e Endpoint) (Call, error) {
		return newV1(e, autoRetry(), noToken)
	}}
	V1AutoRetryToken = Client{"V1, AutoRetry, own token", "the same, in a program that gives each call a client token", func(e Endpoint) (Call, error) {
		return newV1(e, autoRetry(), token.New)
	}}
	V1Loop = Client{"V1 in a loop, new tokens", "whatever fails is repeated, up to three times, by a program that makes the client token inside its loop", func(e Endpoint) (Call, error) {
		once, err := newV1(e, sdk.NewConfig(), token.New)
		return func(ctx context.Context) (id string, err error) {
			for range 4 {
				if id, err = once(ctx); err == nil {
					break
				}
			}
			return id, err
		}, err
	}}
	V1Wrapped = Client{"V1, retry.Wrap", "aliretry; waits of at most 5 ms", func(e Endpoint) (Call, error) {
		return newV1(e, sdk.NewConfig(), noToken, func(client *ess.Client) error {
			_, err := wrap(client, e)
			return err
		})
	}}
	V1DoAction = Client{"V1, retry.Wrap, DoAction", "the same, called with a context", func(e Endpoint) (Call, error) {
		client, err := ess.NewClientWithAccessKey(Region, Key.AccessKeyID, Key.AccessKeySecret)
		if err != nil {
			return nil, err
		}
		wrapped, err := wrap(client, e)
		return func(ctx context.Context) (string, error) {
			response := ess.CreateCreateScalingGroupResponse()
			err := wrapped.DoAction(ctx, newRequest(e), response)
			return response.ScalingGroupId, err
		}, err
	}}
)

func wrap(client *ess.Client, e Endpoint) (*retry.Client, error) {
	return retry.Wrap(client, v1Key, func(t *retry.Transport) {
		t.Base = e.Base
		quick(t)
	})
}

var v1Key = credentials.NewAccessKeyCredential(Key.AccessKeyID, Key.AccessKeySecret)

func autoRetry() *sdk.Config { return sdk.NewConfig().WithAutoRetry(true).WithMaxRetryTime(3) }

// noToken stands in for token.New where a program gives its calls none.
func noToken() string { return "" }

// newV1 returns the call through a client with that config, after setUp. Each call gets the
// token that newToken makes, if it is not empty.
func newV1(e Endpoint, config *sdk.Config, newToken func() string, setUp ...func(*ess.Client) error) (Call, error) {
	client, err := ess.NewClientWithOptions(Region, config, v1Key)
	if err != nil {
		return nil, err
	}
	if e.Base != nil {
		client.SetTransport(e.Base)
	}
	for _, f := range setUp {
		if err := f(client); err != nil {
			return nil, err
		}
	}
	return func(context.Context) (string, error) {
		request := newRequest(e)
		request.ClientToken = newToken()
		response, err := client.CreateScalingGroup(request)
		if err != nil {
			return "", err
		}
		return response.ScalingGroupId, nil
	}, nil
}

// newRequest is the call with its parameters, as a program writes it.
func newRequest(e Endpoint) *ess.CreateScalingGroupRequest {
	request := ess.CreateCreateScalingGroupRequest()
	request.Domain = e.Host
	request.ScalingGroupName = "web prod 生产"
	request.MinSize, request.MaxSize, request.DesiredCapacity, request.DefaultCooldown = "2", "20", "4", "300"
	request.MultiAZPolicy, request.AllocationStrategy = "BALANCE", "priority"
	request.HealthCheckType, request.GroupDeletionProtection = "ECS", "true"
	request.LaunchTemplateId, request.LaunchTemplateVersion = "lt-bp1apo0bbbkuy0rj", "Latest"
	request.RemovalPolicy1, request.RemovalPolicy2 = "OldestScalingConfiguration", "OldestInstance"
	request.VSwitchIds = &[]string{"vsw-bp1apo0bbbkuy0rj", "vsw-bp1apo0bbbkuy0rk", "vsw-bp1apo0bbbkuy0rl"}
	request.Tag = &[]ess.CreateScalingGroupTag{{Key: "team", Value: "payments & billing"}, {Key: "stage", Value: "prod"}}
	return request
}
