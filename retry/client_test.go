package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

func TestDoActionRefuses(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	ends := 0
	c := mustWrap(t, newEss(t), func(tr *retry.Transport) { tr.Trace = &retry.Trace{CallEnd: func(retry.Info) { ends++ }} })
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	var noContext context.Context
	var noRequest *ess.CreateScalingGroupRequest
	bad := createRequest(srv)
	bad.Domain = "not a host"
	response := ess.CreateCreateScalingGroupResponse()
	tests := map[string]struct {
		err, want error
	}{
		"nil context":   {c.DoAction(noContext, createRequest(srv), response), retry.ErrRequest},
		"nil request":   {c.DoAction(context.Background(), nil, response), retry.ErrRequest},
		"typed nil":     {c.DoAction(context.Background(), noRequest, response), retry.ErrRequest},
		"half-made":     {c.DoAction(context.Background(), &requests.CommonRequest{}, responses.NewCommonResponse()), retry.ErrRequest},
		"nil response":  {c.DoAction(context.Background(), createRequest(srv), nil), retry.ErrRequest},
		"a URL no more": {c.DoAction(context.Background(), bad, response), retry.ErrRequest},
		"ended context": {c.DoAction(ended, createRequest(srv), response), context.Canceled},
	}
	if ends != len(tests) {
		t.Errorf("CallEnd ran %d times in %d calls", ends, len(tests))
	}
	for name, tt := range tests {
		var e *retry.Error
		if !errors.Is(tt.err, tt.want) || !errors.As(tt.err, &e) || e.Outcome != retry.NotDone {
			t.Errorf("%s: %v, want an *Error of %v", name, tt.err, tt.want)
		}
		if tt.err != nil && strings.Contains(tt.err.Error(), "Signature") {
			t.Errorf("%s: the error quotes the signed URL: %v", name, tt.err)
		}
	}
	if n := len(srv.Attempts()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// Cancellation and deadline end a call at once, during an attempt and during a wait, and
// the caller learns both why and what is known.
func TestDoActionContext(t *testing.T) {
	tests := map[string]struct {
		fault   retrytest.Fault
		ctx     func() (context.Context, context.CancelFunc)
		want    error
		outcome retry.Outcome
	}{
		"deadline during an attempt": {retrytest.Hang().AfterEffect(), func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 50*time.Millisecond)
		}, context.DeadlineExceeded, retry.Unknown},
		"a wait that would not fit": {retrytest.Reply(400, "Throttling.User", "x").WithHeader("Retry-After", "3"), func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), time.Second)
		}, context.DeadlineExceeded, retry.NotDone},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			srv.Script(tt.fault)
			c := mustWrap(t, newEss(t))
			ctx, cancel := tt.ctx()
			defer cancel()
			err := c.DoAction(ctx, createRequest(srv), ess.CreateCreateScalingGroupResponse())
			i, ok := retry.InfoOf(err)
			if !errors.Is(err, tt.want) || !ok || i.Outcome != tt.outcome || len(i.Attempts) != 1 {
				t.Errorf("%v: %+v", err, i)
			}
			var e *retry.Error
			if !errors.As(err, &e) || !e.Timeout() {
				t.Errorf("%v does not say that time ran out", err)
			}
		})
	}
	t.Run("canceled", func(t *testing.T) {
		srv := retrytest.NewServer()
		defer srv.Close()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		srv.OnAttempt(func(retrytest.Attempt) retrytest.Fault { cancel(); return retrytest.Hang().AfterEffect() })
		c := mustWrap(t, newEss(t))
		err := c.DoAction(ctx, createRequest(srv), ess.CreateCreateScalingGroupResponse())
		if i, _ := retry.InfoOf(err); !errors.Is(err, context.Canceled) || i.Outcome != retry.Unknown {
			t.Errorf("%v: %+v", err, i)
		}
	})
}

// A reply over the bound that stalls ends with the call: DoAction's caller has nothing
// else to end it with.
func TestDoActionBoundsLongReply(t *testing.T) {
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = writer.Write([]byte(`{"Data":"` + strings.Repeat("x", 2000))) }()
	c := mustWrap(t, newEss(t), func(tr *retry.Transport) {
		tr.Policy.MaxReply, tr.Policy.CallTimeout = 1000, 50*time.Millisecond
		tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: reader}, nil
		})
	})
	request := ess.CreateCreateScalingGroupRequest()
	request.Domain = "ess.aliyuncs.com"
	if err := c.DoAction(context.Background(), request, ess.CreateCreateScalingGroupResponse()); err == nil {
		t.Error("a reply that never ended was read")
	}
}

// The SDK's error parser panics when Code is no string.
func TestDoActionSurvivesTheParser(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.Raw(404, "application/json", `{"Code":404,"Message":["x"]}`))
	c := mustWrap(t, newEss(t))
	err := c.DoAction(context.Background(), createRequest(srv), ess.CreateCreateScalingGroupResponse())
	i, ok := retry.InfoOf(err)
	if !ok || i.Outcome != retry.NotDone || !strings.Contains(err.Error(), "404") {
		t.Errorf("%v: %+v", err, i)
	}
}

// A CommonRequest is a request like any other, in either style, also where it does not
// name the operation.
func TestDoActionCommonRequest(t *testing.T) {
	for name, fill := range map[string]func(*requests.CommonRequest){
		"RPC": func(q *requests.CommonRequest) { q.Version, q.ApiName = "2014-08-28", "CreateScalingGroup" },
		"ROA": func(q *requests.CommonRequest) {
			q.Version, q.ApiName, q.PathPattern = "2017-06-13", "CreateInstance", "/openapi/instances"
		},
		"ROA, by its path": func(q *requests.CommonRequest) { q.Version, q.PathPattern = "2017-06-13", "/openapi/instances" },
	} {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			srv.Script(retrytest.Reset().AfterEffect())
			c := mustWrap(t, newEss(t))
			request := requests.NewCommonRequest()
			request.Method, request.Domain = "POST", srv.Host
			fill(request)
			response := responses.NewCommonResponse()
			if err := c.DoAction(context.Background(), request, response); err != nil || response.GetHttpStatus() != 200 {
				t.Fatal(err, response.GetHttpStatus())
			}
			if a, e := srv.Attempts(), srv.Effects(); len(a) != 2 || len(e) != 1 || e[0].ClientToken == "" {
				t.Errorf("%d attempts, effects %+v", len(a), e)
			}
		})
	}
}

// The SDK's own DoAction is not safe for concurrent use; ours is.
func TestDoActionConcurrently(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
		if a.Number%3 == 0 {
			return retrytest.Reply(500, "InternalError", "x").AfterEffect()
		}
		return retrytest.OK()
	})
	c := mustWrap(t, newEss(t))
	var calls sync.WaitGroup
	const n = 20
	for i := range n {
		calls.Go(func() {
			request := createRequest(srv)
			request.ScalingGroupName = fmt.Sprint("web-", i)
			response := ess.CreateCreateScalingGroupResponse()
			if err := c.DoAction(context.Background(), request, response); err != nil || response.ScalingGroupId == "" {
				t.Errorf("%+v, %v", response, err)
			}
		})
	}
	calls.Wait()
	names, tokens := make(map[string]bool), make(map[string]bool)
	for _, e := range srv.Effects() {
		names[e.Params.Get("ScalingGroupName")], tokens[e.ClientToken] = true, true
	}
	if len(srv.Effects()) != n || len(names) != n || len(tokens) != n {
		t.Errorf("%d effects, %d names, %d tokens; want %d of each", len(srv.Effects()), len(names), len(tokens), n)
	}
}

// A call whose outcome stayed Unknown is resumed with its token, here by another client,
// as another process would.
func TestResumeWithToken(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.Reset().AfterEffect())
	once := func(tr *retry.Transport) { tr.Policy.MaxAttempts = 1 }
	lost := createRequest(srv)
	lost.AppendUserAgent("tool", "9")
	response := ess.CreateCreateScalingGroupResponse()
	err := mustWrap(t, newEss(t), once).DoAction(context.Background(), lost, response)
	info, _ := retry.InfoOf(err)
	if info.Outcome != retry.Unknown {
		t.Fatalf("%v: %+v", err, info)
	}
	if agent := srv.Attempts()[0].Header.Get("User-Agent"); !strings.HasPrefix(agent, "AlibabaCloud (") || !strings.HasSuffix(agent, " tool/9") {
		t.Errorf("User-Agent %q, want the SDK's", agent)
	}
	ctx := retry.WithToken(context.Background(), info.ClientToken)
	if err := mustWrap(t, newEss(t), once).DoAction(ctx, createRequest(srv), response); err != nil {
		t.Fatal(err)
	}
	if e := srv.Effects(); len(e) != 1 || e[0].ResourceID != response.ScalingGroupId {
		t.Errorf("effects %+v, response %+v", e, response)
	}
}
