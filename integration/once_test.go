package integration

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// The promise of aliretry: a program that calls its client as ever gets the result of
// one effect, whatever befalls the first attempt.
func TestEffectOnce(t *testing.T) {
	eachOf(t, operations, faults, func(t *testing.T, o operation, f fault) {
		srv := newServer(t)
		r := o.call(t, srv, o.request(), []fault{f}, f.options()...)
		if r.err != nil {
			t.Fatalf("error %v; classes %v", r.err, classes(r.info))
		}
		if want := []retry.Class{f.class, retry.Success}; !slices.Equal(classes(r.info), want) || r.info.Outcome != retry.Done {
			t.Errorf("outcome %v, classes %v; want Done, %v", r.info.Outcome, classes(r.info), want)
		}
		if got := r.info.Operation.String(); got != r.request.GetProduct()+" "+r.request.GetHeaders()["x-acs-version"]+" "+r.request.GetActionName() {
			t.Errorf("operation %s", got)
		}
		if token := text(r.request, "ClientToken"); token != "" {
			t.Errorf("the caller's request now holds the token %q", token)
		}
		seen, arrived := srv.Attempts(), 2
		if !f.arrives() {
			arrived = 1
			if err := r.info.Attempts[0].Err; !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("the refused attempt failed with %v", err)
			}
		}
		if len(seen) != arrived {
			t.Errorf("%d attempts arrived; want %d", len(seen), arrived)
		}
		checkAttempts(t, seen, r.info)
		checkTokenPlace(t, seen, o.tokenPlace(), r.info.ClientToken)
		o.checkFirstResult(t, srv, r.response, r.info.ClientToken)
	})
}

// What aliretry adds to a request is the token, and nothing else of what the program
// asked for changes on the way.
func TestParametersArrive(t *testing.T) {
	for _, o := range operations {
		t.Run(o.name(), func(t *testing.T) {
			t.Parallel()
			plain, wrapped := newServer(t), newServer(t)
			o.bare(t, plain, "")
			if r := o.call(t, wrapped, o.request(), []fault{chinese}, quick); r.err != nil {
				t.Fatal(r.err)
			}
			if got, want := asked(wrapped), asked(plain); !reflect.DeepEqual(got, want) {
				t.Errorf("asked for %q;\nthe SDK alone asks for %q", got, want)
			}
		})
	}
}

// asked is what the attempt with the endpoint's one effect asked for, as it was sent.
// Headers that differ between any two attempts are left out, and a form's bytes, which
// may hold the token.
func asked(srv *retrytest.Server) []any {
	effect := srv.Effects()[0]
	a := srv.Attempts()[effect.Attempt-1]
	for _, name := range []string{"Authorization", "Content-Length", "Content-Md5", "Date", "X-Acs-Signature-Nonce"} {
		a.Header.Del(name)
	}
	if len(a.Form) > 0 {
		a.Body = nil
	}
	return []any{a.Method, a.Path, a.Header, effect.Params, string(a.Body)}
}

// The endpoint is still at work on the first request under a token, which another
// program sent: the call waits for that one's result and makes no effect of its own.
func TestStillRunning(t *testing.T) {
	const token = "deploy 42"
	for _, o := range onePerProduct {
		t.Run(o.name(), func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			srv.Script(retrytest.Hang().DuringEffect())
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			other := o.client(t)
			other.SetTransport(transport)
			other.SetReadTimeout(300 * time.Millisecond) // then it goes away, and the work ends
			first, gone := o.request(), make(chan error)
			first.SetDomain(srv.Host)
			giveToken(first, token)
			go func() {
				_, err := o.send(other, first)
				gone <- err
			}()
			awaitWork(t, srv)

			request := o.request()
			giveToken(request, token)
			r := o.call(t, srv, request, nil, quick, patient, maxAttempts(500))
			if err := <-gone; err == nil {
				t.Error("the other program was answered")
			}
			if r.err != nil {
				t.Fatalf("error %v; classes %v", r.err, classes(r.info))
			}
			got := slices.Compact(classes(r.info))
			if want := []retry.Class{retry.InProgress, retry.Success}; !slices.Equal(got, want) || r.info.Outcome != retry.Done {
				t.Errorf("outcome %v, classes %v; want Done, %v", r.info.Outcome, got, want)
			}
			checkAttempts(t, srv.Attempts()[1:], r.info)
			o.checkFirstResult(t, srv, r.response, token)
			if e := srv.Effects()[0]; e.Attempt != 1 {
				t.Errorf("attempt %d made the effect; want that of the other program", e.Attempt)
			}
		})
	}
}

// awaitWork waits until the first attempt's work is under way.
func awaitWork(t *testing.T, srv *retrytest.Server) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if seen := srv.Attempts(); len(seen) > 0 && seen[0].Fault != retrytest.OK() {
			return
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the first attempt never arrived")
		}
	}
}
