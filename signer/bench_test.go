package signer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/signer"
)

// twenty parameters of CreateScalingGroup, as a program would set them.
func twentyParams() map[string]string {
	params := map[string]string{"ScalingGroupName": "web prod 生产", "MinSize": "2", "MaxSize": "20", "DefaultCooldown": "300",
		"RegionId": "cn-qingdao", "ClientToken": "123e4567-e89b-12d3-a456-426655440000", "MultiAZPolicy": "BALANCE"}
	for i := range 6 {
		params[fmt.Sprintf("VSwitchIds.%d", i+1)] = "vsw-28wt4aaaaaaaaaa"
		params[fmt.Sprintf("Tag.%d.Key", i+1)] = "team"
	}
	return params
}

// BenchmarkSign sets the three ways side by side: the SDK's signer, our first
// signature of a call (parsing included), and that of a further attempt.
func BenchmarkSign(b *testing.B) {
	req, body := official(b, "POST", twentyParams(), nil, identities[0].official)
	at := signer.Stamp{Nonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", Time: time.Unix(1700000000, 0)}
	b.Run("sdk", func(b *testing.B) {
		request := new(requests.RpcRequest)
		request.InitWithApiInfo("Ess", "2014-08-28", "CreateScalingGroup", "ess", "openAPI")
		for k, v := range twentyParams() {
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
