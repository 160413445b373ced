package signer_test

import (
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/signer"
)

// createScalingGroup is what a program sets of a request that has twenty parameters in
// all, the common ones included.
func createScalingGroup() map[string]string {
	return map[string]string{"ScalingGroupName": "web-prod", "MinSize": "2", "MaxSize": "20", "DefaultCooldown": "300",
		"RegionId": "cn-qingdao", "ClientToken": "123e4567-e89b-12d3-a456-426655440000", "MultiAZPolicy": "BALANCE",
		"VSwitchIds.1": "vsw-28wt4aaaaaaaaaa", "VSwitchIds.2": "vsw-28wt4bbbbbbbbbb", "RemovalPolicy.1": "OldestInstance"}
}

// BenchmarkSign sets the three ways side by side: the SDK's signer, our first
// signature of a call (parsing included), and that of a further attempt.
func BenchmarkSign(b *testing.B) {
	c := rpcCase{method: "POST", query: createScalingGroup(), identity: identities[0]}
	req, body := c.official(b)
	at := signer.Stamp{Nonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", Time: time.Unix(1700000000, 0)}
	b.Run("sdk", func(b *testing.B) {
		request := new(requests.RpcRequest)
		request.InitWithApiInfo("Ess", "2014-08-28", "CreateScalingGroup", "ess", "openAPI")
		for k, v := range createScalingGroup() {
			request.QueryParams[k] = v
		}
		provider, _ := auth.ToCredentialsProvider(credentials.NewAccessKeyCredential("testid", "testsecret"))
		b.ReportAllocs()
		for b.Loop() {
			if err := auth.Sign(request, nil, "cn-qingdao", provider); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := signer.Sign(req, body, testKey, at); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("further", func(b *testing.B) {
		p, err := signer.Prepare(req, body)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := p.Sign(req, testKey, at); err != nil {
				b.Fatal(err)
			}
		}
	})
}
