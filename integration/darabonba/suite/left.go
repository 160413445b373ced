package suite

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// front is a server in front of an endpoint that counts the connections made to it.
type front struct {
	*httptest.Server
	host  string
	conns atomic.Int64
}

func newFront(t testing.TB, handler http.Handler) *front {
	f := &front{Server: httptest.NewUnstartedServer(handler)}
	f.host = f.Listener.Addr().String()
	f.Config.ErrorLog = log.New(io.Discard, "", 0) // a refused certificate is no news
	f.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			f.conns.Add(1)
		}
	}
	t.Cleanup(f.Server.Close)
	return f
}

// A thousand calls leave no goroutine behind, though the SDK makes a transport for each,
// and share their connections.
func nothingIsLeft(t *testing.T) {
	const goroutines, each = 10, 100
	kinds := []retrytest.Fault{retrytest.Reset(), lost.play, retrytest.CutOff(), unavailable.play, throttled.play, htmlPage.play}
	for name, tt := range map[string]struct {
		faulty bool // each sixth attempt
		most   int64
	}{
		// A connection may be dialled for a call that then finds one that has become idle.
		"good network": {false, 2 * goroutines},
		// Half of the kinds end a connection, and there are 1.2 attempts in a call.
		"bad network": {true, 2*goroutines + goroutines*each/6},
	} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			srv := retrytest.NewServer()
			defer srv.Close()
			var attempts atomic.Int64
			srv.OnAttempt(func(retrytest.Attempt) retrytest.Fault {
				if n := attempts.Add(1); tt.faulty && n%6 == 0 {
					return kinds[n/6%6]
				}
				return retrytest.OK()
			})
			f := newFront(t, srv)
			f.Start()
			s := New(t, f.host, func(tr *retry.Transport, _ *openapi.Config) { tr.Trace = nil })
			var wg sync.WaitGroup
			for range goroutines {
				own := s.beside()
				wg.Go(func() {
					for range each {
						if _, err := Create.Send(t.Context(), own, nil); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			if made, conns := len(srv.Effects()), f.conns.Load(); made != goroutines*each || conns > tt.most {
				t.Errorf("%d effects over %d connections; want %d over %d at most", made, conns, goroutines*each, tt.most)
			}
			s.Transport.CloseIdleConnections()
			f.Close()
			srv.Close()
			// Goroutines that are on their way out need to be scheduled once more.
			for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
				if time.Now().After(deadline) {
					stacks := make([]byte, 1<<16)
					t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
				}
			}
		})
	}
}

// A call keeps as many connections as it asks for, and does not change what another keeps.
func maxIdleConns(t *testing.T) {
	const together = 6
	srv := newServer(t)
	var gate sync.WaitGroup // opens when all calls of a wave are there
	srv.OnAttempt(func(retrytest.Attempt) retrytest.Fault {
		gate.Done()
		gate.Wait()
		return retrytest.OK()
	})
	f := newFront(t, srv)
	f.Start()
	s := New(t, f.host, func(tr *retry.Transport, _ *openapi.Config) { tr.Trace = nil })
	wave := func(keep int) int64 {
		before := f.conns.Load()
		gate.Add(together)
		var calls sync.WaitGroup
		for range together {
			own := s.beside()
			calls.Go(func() {
				if _, err := Create.Send(none, own, &dara.RuntimeOptions{MaxIdleConns: dara.Int(keep)}); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		return f.conns.Load() - before
	}
	for i, tt := range []struct {
		keep int
		want int64
	}{{2, together}, {10, together}, {2, together - 2}, {10, 0}, {0, together}, {0, 0}} {
		if got := wave(tt.keep); got != tt.want {
			t.Errorf("wave %d, which keeps %d, made %d new connections; want %d", i+1, tt.keep, got, tt.want)
		}
	}
}
