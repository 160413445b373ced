package integration

import (
	"errors"
	"slices"
	"testing"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"

	"github.com/aliretry/aliretry/retry"
)

// A call that is rejected after a fault has its error reply, and an outcome that may be
// relied on: quota, name and permission are checked before the token is, so that a
// rejection tells nothing of the attempt before it.
func TestNeverNotDoneWithEffect(t *testing.T) {
	for _, rejection := range rejections {
		t.Run(rejection.name, func(t *testing.T) {
			t.Parallel()
			eachOf(t, onePerWay, faults, func(t *testing.T, o operation, f fault) {
				srv := newServer(t)
				r := o.call(t, srv, o.request(), []fault{f, rejection}, f.options()...)
				info := checkFailure(t, r, f.leaves)
				if want := []retry.Class{f.class, retry.Rejected}; !slices.Equal(classes(info), want) {
					t.Errorf("classes %v; want %v", classes(info), want)
				}
				if code := serverError(t, r.err).ErrorCode(); code != rejection.name {
					t.Errorf("the error's code is %s", code)
				}
				if made := len(srv.Effects()); made > 1 || made == 1 && info.Outcome != retry.Unknown {
					t.Errorf("outcome %v with %d effects", info.Outcome, made)
				}
				checkAttempts(t, srv.Attempts(), info)
			})
		})
	}
}

// A call that meets one fault again and again ends with the last answer or, where
// there is none, with an error of aliretry's own.
func TestAttemptsRunOut(t *testing.T) {
	eachOf(t, onePerProduct, faults, func(t *testing.T, o operation, f fault) {
		srv := newServer(t)
		r := o.call(t, srv, o.request(), []fault{f, f, f}, append(f.options(), maxAttempts(3))...)
		info := checkFailure(t, r, f.leaves)
		if want := []retry.Class{f.class, f.class, f.class}; !slices.Equal(classes(info), want) {
			t.Errorf("classes %v; want %v", classes(info), want)
		}
		var ours *retry.Error
		if none := f.class == retry.NoResponse; none != errors.As(r.err, &ours) {
			t.Errorf("error %T; an *Error just where there is no answer", r.err)
		} else if !none {
			serverError(t, r.err)
		}
		if made := len(srv.Effects()); made > 1 || made == 1 && info.Outcome != retry.Unknown {
			t.Errorf("outcome %v with %d effects", info.Outcome, made)
		}
		checkAttempts(t, srv.Attempts(), info)
	})
}

func TestRejectedAtOnce(t *testing.T) {
	eachOf(t, onePerProduct, rejections, func(t *testing.T, o operation, f fault) {
		srv := newServer(t)
		r := o.call(t, srv, o.request(), []fault{f}, quick)
		info := checkFailure(t, r, retry.NotDone)
		if want := []retry.Class{retry.Rejected}; !slices.Equal(classes(info), want) || len(srv.Attempts()) != 1 {
			t.Errorf("classes %v, %d attempts arrived; want one that is Rejected", classes(info), len(srv.Attempts()))
		}
		if err := serverError(t, r.err); err.ErrorCode() != f.name {
			t.Errorf("the error's code is %s", err.ErrorCode())
		}
		if len(srv.Effects()) != 0 {
			t.Error("an effect was made")
		}
	})
}

// checkFailure checks that a call failed, and that its error tells the same as its
// Trace was told.
func checkFailure(t *testing.T, r result, want retry.Outcome) retry.Info {
	t.Helper()
	if r.err == nil {
		t.Fatalf("no error; classes %v", classes(r.info))
	}
	info, ok := retry.InfoOf(r.err)
	if !ok {
		t.Fatalf("InfoOf finds nothing in %v", r.err)
	}
	if info.Outcome != r.info.Outcome || info.ClientToken != r.info.ClientToken || info.Operation.String() != r.info.Operation.String() ||
		info.Reason != r.info.Reason || !slices.Equal(classes(info), classes(r.info)) {
		t.Errorf("the error tells %+v;\nthe Trace was told %+v", info, r.info)
	}
	if info.Outcome != want {
		t.Errorf("outcome %v, classes %v; want %v", info.Outcome, classes(info), want)
	}
	if token := text(r.request, "ClientToken"); token != "" {
		t.Errorf("the caller's request now holds the token %q", token)
	}
	return info
}

// serverError returns an error as programs look for the API's: by its type, unwrapped.
func serverError(t *testing.T, err error) *sdkerrors.ServerError {
	t.Helper()
	server, ok := err.(*sdkerrors.ServerError)
	if !ok {
		t.Fatalf("error %T %v; want the SDK's ServerError", err, err)
	}
	return server
}
