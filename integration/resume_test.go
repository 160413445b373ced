package integration

import (
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

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
		checkTokenPlace(t, srv.Attempts(), o.tokenPlace(), known.ClientToken)
		o.checkFirstResult(t, srv, r.response, known.ClientToken)
	})
}

// WithToken gives a token also to an operation that the catalogue does not know. The
// program vouches that the operation takes it.
func TestResumeByContext(t *testing.T) {
	const token = "thaw asg-1 for ticket 4711"
	srv := newServer(t)
	// One process loses the reply, the other finds the endpoint unwell at first.
	srv.Script(retrytest.Reset().AfterEffect(), retrytest.Reply(503, "ServiceUnavailable", temporary))
	for process, want := range []retry.Outcome{retry.Unknown, retry.Done} {
		client, err := ess.NewClientWithAccessKey("cn-hangzhou", "testid", "testsecret")
		if err != nil {
			t.Fatal(err)
		}
		wrapped, err := retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), quick, maxAttempts(1+process))
		if err != nil {
			t.Fatal(err)
		}
		defer wrapped.Transport.CloseIdleConnections()
		request, response := requests.NewCommonRequest(), responses.NewCommonResponse()
		request.Method, request.Domain, request.Version, request.ApiName = "POST", srv.Host, "2014-08-28", "ThawScalingGroup"
		request.QueryParams["ScalingGroupId"] = "asg-1"

		var info retry.Info
		ctx := retry.WithTrace(retry.WithToken(t.Context(), token), &retry.Trace{CallEnd: func(i retry.Info) { info = i }})
		if err := wrapped.DoAction(ctx, request, response); (err == nil) != (want == retry.Done) {
			t.Errorf("process %d: error %v", process, err)
		}
		if info.Outcome != want || info.ClientToken != token || len(info.Attempts) != 1+process {
			t.Errorf("process %d: outcome %v, token %q, classes %v; want %v", process, info.Outcome, info.ClientToken, classes(info), want)
		}
	}
	if e := srv.Effects(); len(e) != 1 || e[0].ClientToken != token || e[0].Attempt != 1 {
		t.Errorf("effects %+v; want that of the first attempt under the token", e)
	}
}
