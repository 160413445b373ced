package retry_test

import (
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// Calls that met every kind of fault leave no goroutine and no connection behind.
func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	srv := retrytest.NewServer()
	tr := &retry.Transport{Credentials: static, Policy: quick, Budget: retry.Unlimited()}
	tr.Policy.MaxReply, tr.Policy.AttemptTimeout = 100, 20*time.Millisecond
	long := retrytest.Raw(503, "text/plain", string(make([]byte, 100_000)))
	faults := []retrytest.Fault{retrytest.Reset(), retrytest.Close(), retrytest.CutOff(), retrytest.CutOffChunked(), long,
		retrytest.Reply(503, "ServiceUnavailable", "x"), retrytest.Hang().AfterEffect()}
	for range 20 {
		srv.Script(faults...)
		req, _ := http.NewRequest("POST", srv.URL+createQuery, nil)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close() // unread
	}
	if n := len(srv.Effects()); n != 20 {
		t.Errorf("%d effects of 20 calls", n)
	}
	tr.CloseIdleConnections()
	srv.Close()
	// Goroutines that are on their way out need to be scheduled once more.
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
