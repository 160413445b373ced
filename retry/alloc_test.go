// The race detector allocates memory of its own.

//go:build !race

package retry_test

import (
	"net/http"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
)

// What a call allocates that succeeds at once: capture, operation, token, signature, the
// reply read and classed. Six of them are the stub's response.
func TestAllocations(t *testing.T) {
	request := benchRequest()
	if err := newEss(t).BuildRequestWithSigner(request, nil); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("POST", request.BuildUrl(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range request.GetHeaders() {
		req.Header[key] = []string{value}
	}
	tr := &retry.Transport{Base: stub, Credentials: static}
	allocs := testing.AllocsPerRun(100, func() {
		if resp, err := tr.RoundTrip(req); err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
	})
	t.Logf("%v allocations", allocs)
	if allocs > 36 {
		t.Errorf("a call allocates %v times; at most 36 are allowed", allocs)
	}
}

// What wrapping a client adds to a call through it, and what DoAction saves, which has the SDK
// sign nothing: half of its memory goes there.
func TestCallAllocations(t *testing.T) {
	bare, wrapped := newEss(t), newEss(t)
	bare.SetTransport(stub)
	client := mustWrap(t, wrapped, func(tr *retry.Transport) { tr.Base = stub })
	plain := func(client *ess.Client) float64 {
		return testing.AllocsPerRun(100, func() {
			if response, err := client.CreateScalingGroup(benchRequest()); err != nil || response.ScalingGroupId == "" {
				t.Fatal(response, err)
			}
		})
	}
	inSDK, inWrapped := plain(bare), plain(wrapped)
	inDoAction := testing.AllocsPerRun(100, func() {
		response := ess.CreateCreateScalingGroupResponse()
		if err := client.DoAction(t.Context(), benchRequest(), response); err != nil || response.ScalingGroupId == "" {
			t.Fatal(response, err)
		}
	})
	t.Logf("%v allocations in the SDK, %v wrapped, %v in DoAction", inSDK, inWrapped, inDoAction)
	if inWrapped > inSDK+20 {
		t.Errorf("a wrapped call allocates %v times, %v unwrapped; at most 20 more are allowed", inWrapped, inSDK)
	}
	if inDoAction > 0.6*inSDK {
		t.Errorf("DoAction allocates %v times, a bare call %v; at most 0.6 of that is allowed", inDoAction, inSDK)
	}
}
