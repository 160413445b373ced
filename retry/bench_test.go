package retry_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
)

const essReply = `{"RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E","ScalingGroupId":"asg-bp18p2yfxow2dloq"}`

// stub is a base transport that answers at once, so that nothing but the client's own
// work is measured.
var stub = roundTripFunc(func(req *http.Request) (*http.Response, error) {
	return &http.Response{Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(essReply)), ContentLength: int64(len(essReply)), Request: req}, nil
})

func benchRequest() *ess.CreateScalingGroupRequest {
	request := ess.CreateCreateScalingGroupRequest()
	request.Domain, request.Scheme = "ess.aliyuncs.com", "http"
	request.ScalingGroupName, request.MinSize, request.MaxSize, request.DefaultCooldown = "web prod 生产", "2", "20", "300"
	request.MultiAZPolicy, request.LaunchTemplateId, request.LaunchTemplateVersion = "BALANCE", "lt-bp1apo0bbbkuy0rj", "Latest"
	request.VSwitchIds = &[]string{"vsw-bp1apo0bbbkuy0rj", "vsw-bp1apo0bbbkuy0rk"}
	return request
}

// BenchmarkRoundTrip sets the Transport's success path (capture, identify, token, sign,
// bounded read, classify) beside the SDK's signature alone of the same request.
func BenchmarkRoundTrip(b *testing.B) {
	b.Run("sdk signature", func(b *testing.B) {
		request := benchRequest()
		client := newEss(b)
		if err := client.BuildRequestWithSigner(request, nil); err != nil {
			b.Fatal(err)
		}
		provider, _ := auth.ToCredentialsProvider(sdkKey)
		b.ReportAllocs()
		for b.Loop() {
			if err := auth.Sign(request, nil, "cn-qingdao", provider); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("transport", func(b *testing.B) {
		request := benchRequest()
		if err := newEss(b).BuildRequestWithSigner(request, nil); err != nil {
			b.Fatal(err)
		}
		req, _ := http.NewRequest("POST", request.BuildUrl(), nil)
		for key, value := range request.GetHeaders() {
			req.Header[key] = []string{value}
		}
		tr := &retry.Transport{Base: stub, Credentials: static}
		b.ReportAllocs()
		for b.Loop() {
			resp, err := tr.RoundTrip(req)
			if err != nil || resp.StatusCode != 200 {
				b.Fatal(resp, err)
			}
		}
	})
}

// BenchmarkCall sets a whole call through the SDK's client bare beside the same call
// wrapped, as it stands and with a context.
func BenchmarkCall(b *testing.B) {
	call := func(b *testing.B, client *ess.Client) {
		b.ReportAllocs()
		for b.Loop() {
			response, err := client.CreateScalingGroup(benchRequest())
			if err != nil || response.ScalingGroupId == "" {
				b.Fatal(response, err)
			}
		}
	}
	b.Run("sdk", func(b *testing.B) {
		client := newEss(b)
		client.SetTransport(stub)
		call(b, client)
	})
	b.Run("wrapped", func(b *testing.B) {
		client := newEss(b)
		mustWrap(b, client, func(tr *retry.Transport) { tr.Base = stub })
		call(b, client)
	})
	b.Run("DoAction", func(b *testing.B) {
		client := mustWrap(b, newEss(b), func(tr *retry.Transport) { tr.Base = stub })
		b.ReportAllocs()
		for b.Loop() {
			response := ess.CreateCreateScalingGroupResponse()
			if err := client.DoAction(b.Context(), benchRequest(), response); err != nil || response.ScalingGroupId == "" {
				b.Fatal(response, err)
			}
		}
	})
}
