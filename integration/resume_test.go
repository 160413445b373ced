package integration

import (
	"testing"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// A call that ended Unknown is taken up by another process, which has nothing of it but
// the token and the parameters: it gets the first result, and there is still one
// effect.
func TestResume(t *testing.T) {
	lost := []fault{
		{"500", retrytest.Reply(500, "InternalError", temporary).AfterEffect(), retry.ServerError, retry.Unknown},
		{"reset", retrytest.Reset().AfterEffect(), retry.NoResponse, retry.Unknown},
		{"never done", retrytest.Reset(), retry.NoResponse, retry.Unknown},
	}
	eachOf(t, operations, lost, func(t *testing.T, o operation, f fault) {
		srv := newServer(t)
		crashed := o.call(t, srv, o.request(), []fault{f}, maxAttempts(1))
		known := checkFailure(t, crashed, retry.Unknown)
		if known.ClientToken == "" {
			t.Fatal("the error tells no token")
		}

		request := o.request()
		giveToken(request, known.ClientToken)
		r := o.call(t, srv, request, nil, quick)
		if r.err != nil || r.info.Outcome != retry.Done || len(r.info.Attempts) != 1 {
			t.Fatalf("error %v, outcome %v, classes %v; want success at once", r.err, r.info.Outcome, classes(r.info))
		}
		if r.info.ClientToken != known.ClientToken || text(request, "ClientToken") != known.ClientToken {
			t.Errorf("resumed under token %q; want %q", r.info.ClientToken, known.ClientToken)
		}
		o.checkFirstResult(t, srv, r.response, known.ClientToken)
	})
}
