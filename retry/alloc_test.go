// The race detector allocates memory of its own.

//go:build !race

package retry_test

import (
	"net/http"
	"testing"

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
	if allocs > 40 {
		t.Errorf("a call allocates %v times; at most 40 are allowed", allocs)
	}
}
