package client

import (
	"context"
	"fmt"
	"net/http"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/token"
)

// The clients of darabonba-openapi, the V2 SDK. They sign in the ACS3 style.
var (
	V2 = Client{"V2", "as it comes: no retries, and no client token", func(e Endpoint) (Call, error) {
		return newV2(e, &utils.Config{HttpClient: plainV2(e.Base)}, noToken)
	}}
	V2Retry = Client{"V2, RetryOptions", "RetryOptions that name the error codes of all these faults, up to three retries, 1 ms apart; no client token", func(e Endpoint) (Call, error) {
		return newV2(e, &utils.Config{HttpClient: plainV2(e.Base), RetryOptions: retryOptions()}, noToken)
	}}
	V2RetryToken = Client{"V2, RetryOptions, own token", "the same, in a program that gives each call a client token", func(e Endpoint) (Call, error) {
		return newV2(e, &utils.Config{HttpClient: plainV2(e.Base), RetryOptions: retryOptions()}, token.New)
	}}
	V2Transport = Client{"V2, retry.Transport", "aliretry, as the SDK's HttpClient; waits of at most 5 ms", func(e Endpoint) (Call, error) {
		return newV2(e, &utils.Config{HttpClient: newTransport(e)}, noToken)
	}}
)

// newV2 returns the call through a client with that config. Each call gets the token that
// newToken makes, if it is not empty.
func newV2(e Endpoint, config *utils.Config, newToken func() string) (Call, error) {
	config.AccessKeyId, config.AccessKeySecret = &Key.AccessKeyID, &Key.AccessKeySecret
	config.Endpoint, config.Protocol = &e.Host, dara.String("http")
	client, err := openapi.NewClient(config)
	params := &utils.Params{
		Action: dara.String(Action), Version: dara.String(Version), Style: dara.String("RPC"),
		Method: dara.String(http.MethodPost), Pathname: dara.String("/"), Protocol: dara.String("http"),
		AuthType: dara.String("AK"), ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
	return func(context.Context) (string, error) {
		query := make(map[string]*string, len(Parameters)+2)
		for name, value := range Parameters {
			query[name] = &value
		}
		query["RegionId"] = dara.String(Region)
		if t := newToken(); t != "" {
			query["ClientToken"] = &t
		}
		response, err := client.CallApi(params, &utils.OpenApiRequest{Query: query}, &dara.RuntimeOptions{})
		if err != nil {
			return "", err
		}
		body, _ := response["body"].(map[string]any)
		id, ok := body["ScalingGroupId"].(string)
		if !ok {
			return "", fmt.Errorf("the reply names no scaling group: %v", body)
		}
		return id, nil
	}, err
}

// retryOptions retry all the codes that the faults have. The SDK has no way to name a
// broken connection.
func retryOptions() *dara.RetryOptions {
	return &dara.RetryOptions{Retryable: true, MaxAttempts: 4, RetryCondition: []*dara.RetryCondition{{
		MaxAttempts: 4, MaxDelay: int(maxWait.Milliseconds()),
		ErrorCode: []string{"ServiceUnavailable", "InternalError", "Throttling", "Throttling.User"},
		Backoff:   dara.NewFixedBackoffPolicy(map[string]any{"period": int(minWait.Milliseconds())}),
	}}}
}

// plainV2 is the SDK's own http.Client over another base.
func plainV2(base http.RoundTripper) dara.HttpClient {
	if base == nil {
		return nil
	}
	return httpClient{&http.Client{Transport: base}}
}

type httpClient struct{ *http.Client }

func (c httpClient) Call(req *http.Request, _ *http.Transport) (*http.Response, error) {
	return c.Do(req)
}

var _ dara.HttpClient = (*retry.Transport)(nil)
