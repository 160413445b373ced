package integration

import (
	"errors"
	"reflect"
	"slices"
	"syscall"
	"testing"

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
		if got := r.info.Operation.String(); got != r.request.GetProduct()+" "+r.request.GetVersion()+" "+r.request.GetActionName() {
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
			if got, want := wrapped.Effects()[0].Params, plain.Effects()[0].Params; !reflect.DeepEqual(got, want) {
				t.Errorf("parameters %v;\nthe SDK alone sends %v", got, want)
			}
		})
	}
}

// The endpoint is still at work on the first attempt when the attempt timeout ends it:
// the next ones meet their own token in work and wait for its result.
func TestStillRunning(t *testing.T) {
	hang := fault{"no reply during", retrytest.Hang().DuringEffect(), retry.NoResponse, retry.Unknown}
	for _, o := range onePerProduct {
		t.Run(o.name(), func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			// How many attempts the work outlasts is the endpoint's affair.
			r := o.call(t, srv, o.request(), []fault{hang}, quick, shortAttempts, maxAttempts(1000))
			if r.err != nil {
				t.Fatalf("error %v; classes %v", r.err, classes(r.info))
			}
			got := slices.Compact(classes(r.info))
			if len(got) == 3 && got[1] == retry.InProgress {
				got = slices.Delete(got, 1, 2)
			}
			if want := []retry.Class{retry.NoResponse, retry.Success}; !slices.Equal(got, want) || r.info.Outcome != retry.Done {
				t.Errorf("outcome %v, classes %v; want Done, %v with InProgress between", r.info.Outcome, classes(r.info), want)
			}
			checkAttempts(t, srv.Attempts(), r.info)
			o.checkFirstResult(t, srv, r.response, r.info.ClientToken)
		})
	}
}
