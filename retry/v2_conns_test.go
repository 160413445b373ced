package retry_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// openConns are the connections that a server has.
type openConns struct {
	now, all atomic.Int64
	closed   chan struct{} // told of each that is closed, as far as anybody waits
}

func (o *openConns) serve(t testing.TB, handler http.Handler) *httptest.Server {
	o.closed = make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			o.now.Add(1)
			o.all.Add(1)
		case http.StateClosed, http.StateHijacked:
			o.now.Add(-1)
			select {
			case o.closed <- struct{}{}:
			default:
			}
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// await waits until there are no more than n.
func (o *openConns) await(t testing.TB, n int64) {
	t.Helper()
	for deadline := time.After(5 * time.Second); o.now.Load() > n; {
		select {
		case <-o.closed:
		case <-deadline:
			t.Fatalf("%d connections are open; want %d", o.now.Load(), n)
		}
	}
}

// A connection is dialled by the call that needs it, and stays for those that follow.
func TestCallDials(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	tr := &retry.Transport{Credentials: static, Policy: quick}
	defer tr.CloseIdleConnections()
	var mu sync.Mutex
	var dialled []string
	by := func(name string) *http.Transport {
		return &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			dialled = append(dialled, name)
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
	}
	for i, step := range []struct {
		name    string
		fault   retrytest.Fault
		dialled []string
	}{
		{"a", retrytest.OK(), []string{"a"}},
		{"b", retrytest.OK(), []string{"a"}},
		{"c", retrytest.Close(), []string{"a", "c"}}, // for its second attempt
		{"d", retrytest.OK(), []string{"a", "c"}},
	} {
		srv.Script(step.fault)
		if _, err := call(t, tr, srv.URL, by(step.name)); err != nil || !slices.Equal(dialled, step.dialled) {
			t.Fatalf("step %d: %v, dialled by %q; want %q", i, err, dialled, step.dialled)
		}
	}
	if _, err := call(t, tr, srv.URL, nil); err != nil {
		t.Error(err)
	}
	if _, err := call(t, tr, srv.URL, &http.Transport{MaxIdleConns: 3}); err != nil { // has no DialContext
		t.Error(err)
	}
}

// A function that says nothing of where it leads gives each attempt a connection of its
// own, and none is left; a pool that is dropped closes its own.
func TestCallLeavesNoConnection(t *testing.T) {
	for name, tt := range map[string]struct {
		handed func(i int) *http.Transport
		open   int64 // after the calls
	}{
		//lint:ignore SA1019 the V2 SDK sets it for SOCKS5
		"a function": {func(int) *http.Transport { return &http.Transport{Dial: net.Dial} }, 0},
		"many pools": {func(i int) *http.Transport { return &http.Transport{MaxIdleConns: i + 1} }, 16},
		"one pool":   {func(int) *http.Transport { return &http.Transport{MaxIdleConns: 5} }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var conns openConns
			srv := retrytest.NewServer()
			defer srv.Close()
			front := conns.serve(t, srv)
			tr := &retry.Transport{Credentials: static, Policy: quick}
			for i := range 40 {
				if i%4 == 0 {
					srv.Script(retrytest.Reply(503, "ServiceUnavailable", "busy"))
				}
				if _, err := call(t, tr, front.URL, tt.handed(i)); err != nil {
					t.Fatal(err)
				}
			}
			conns.await(t, tt.open)
			if n := len(srv.Effects()); n != 40 {
				t.Errorf("%d effects", n)
			}
			tr.CloseIdleConnections()
			conns.await(t, 0)
		})
	}
}

// Calls with several settings share one Transport.
func TestCallConcurrently(t *testing.T) {
	const goroutines, each = 12, 20
	srv := retrytest.NewServer()
	defer srv.Close()
	var attempts atomic.Int64
	srv.OnAttempt(func(retrytest.Attempt) retrytest.Fault {
		switch attempts.Add(1) % 10 {
		case 0:
			return retrytest.Reset().AfterEffect()
		case 5:
			return retrytest.Reply(503, "ServiceUnavailable", "busy")
		}
		return retrytest.OK()
	})
	tr := &retry.Transport{Credentials: static, Policy: quick}
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				handed := &http.Transport{MaxIdleConns: (g + i) % 20, DialContext: new(net.Dialer).DialContext}
				if i%5 == 0 {
					handed.DialTLSContext = handed.DialContext // a function more
				}
				if i, err := call(t, tr, srv.URL, handed); err != nil || i.Outcome != retry.Done {
					t.Errorf("%v: %+v", err, i)
				}
				if i == each/2 {
					tr.CloseIdleConnections()
				}
			}
		})
	}
	wg.Wait()
	tr.CloseIdleConnections()
	if n := len(srv.Effects()); n != goroutines*each {
		t.Errorf("%d effects", n)
	}
}
