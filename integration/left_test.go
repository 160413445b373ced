package integration

import (
	"runtime"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// The SDK's own retry leaves three goroutines behind for every 503 that it repeats. A
// wrapped client leaves none, whether the calls are answered in the end or not.
func TestNothingIsLeftOf503s(t *testing.T) {
	const calls = 150
	before := runtime.NumGoroutine()
	srv := retrytest.NewServer()
	busy := retrytest.Reply(503, "ServiceUnavailable", temporary)
	page := retrytest.Raw(503, "text/html", longPage)
	srv.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
		return []retrytest.Fault{busy, page, busy, retrytest.OK(), page, busy, page, busy}[(a.Number-1)%8]
	})
	client, err := ess.NewClientWithAccessKey("cn-hangzhou", "testid", "testsecret")
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), quick, maxAttempts(4), func(t *retry.Transport) {
		t.Policy.MaxReply = 1000 // the page is not read to its end
	})
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for range calls {
		request := ess.CreateCreateScalingGroupRequest()
		request.Domain = srv.Host
		if _, err := client.CreateScalingGroup(request); err == nil {
			answered++
		}
	}
	if n := len(srv.Attempts()); n <= calls || answered == 0 || answered == calls {
		t.Errorf("%d of %d calls were answered after %d attempts", answered, calls, n)
	}
	wrapped.Transport.CloseIdleConnections()
	srv.Close()
	// Goroutines that are on their way out need to be scheduled once more.
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
