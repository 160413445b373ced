package otelretry_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/aliretry/aliretry/retry/otelretry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// parentOf returns the span that a traceparent header names.
func parentOf(h http.Header) trace.SpanContext {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(h))
	return trace.SpanContextFromContext(ctx)
}

// Where it is asked for, each attempt carries the ID of its own span, in both of the SDK's
// styles, and the signature holds.
func TestPropagation(t *testing.T) {
	styles := map[string]func(*requests.CommonRequest){
		"RPC": func(q *requests.CommonRequest) { q.Version, q.ApiName = "2014-08-28", "CreateScalingGroup" },
		"ROA": func(q *requests.CommonRequest) { q.Version, q.PathPattern = "2017-06-13", "/openapi/instances" },
	}
	for style, fill := range styles {
		for _, asked := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, asked %v", style, asked), func(t *testing.T) {
				var opts []otelretry.Option
				if asked {
					opts = append(opts, otelretry.WithPropagator(propagation.TraceContext{}))
				}
				b := newBench(t, opts...)
				b.srv.Script(retrytest.Reset().AfterEffect(), retrytest.Reply(500, "InternalError", "x"))
				request := requests.NewCommonRequest()
				request.Method, request.Domain = "POST", b.srv.Host
				request.Headers["X-Of-The-Caller"] = "kept"
				fill(request)
				ctx, parent := b.tracer.Start(context.Background(), "the program")
				if err := b.client.DoAction(ctx, request, responses.NewCommonResponse()); err != nil {
					t.Fatal(err)
				}
				_, attempts := b.one()
				seen := b.srv.Attempts()
				if len(seen) != 3 || len(attempts) != 3 || len(b.srv.Effects()) != 1 {
					t.Fatalf("%d attempts at the endpoint, %d spans, %d effects", len(seen), len(attempts), len(b.srv.Effects()))
				}
				for i, a := range seen {
					if a.Problem != "" || a.Style != style || a.Header.Get("X-Of-The-Caller") != "kept" {
						t.Errorf("attempt %d in style %s was refused with %q, headers %v", a.Number, a.Style, a.Problem, a.Header)
					}
					if !asked {
						if got := a.Header.Get("Traceparent"); got != "" {
							t.Errorf("attempt %d carries traceparent %q, unasked", a.Number, got)
						}
						continue
					}
					got, want := parentOf(a.Header), attempts[i].SpanContext
					if got.SpanID() != want.SpanID() || got.TraceID() != parent.SpanContext().TraceID() || !got.IsSampled() {
						t.Errorf("attempt %d carries %q; want span %v of trace %v", a.Number, a.Header["Traceparent"], want.SpanID(), parent.SpanContext().TraceID())
					}
				}
			})
		}
	}
}

// A traceparent that the caller has put into the request is the caller's.
func TestOwnTraceparentStays(t *testing.T) {
	const own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	b := newBench(t, otelretry.WithPropagator(propagation.TraceContext{}))
	err := b.createGroup(context.Background(), func(r *ess.CreateScalingGroupRequest) { r.Headers["traceparent"] = own })
	if err != nil {
		t.Fatal(err)
	}
	if got := b.srv.Attempts()[0].Header["Traceparent"]; len(got) != 1 || got[0] != own {
		t.Errorf("traceparent %q; want the caller's %q", got, own)
	}
}

// Spans and headers of calls made at the same time do not mix: each attempt at the
// endpoint belongs to the span of the call that has its client token.
func TestConcurrentCalls(t *testing.T) {
	b := newBench(t, otelretry.WithPropagator(propagation.TraceContext{}))
	b.client.Transport.Policy.MaxAttempts = 20
	b.srv.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
		if a.Number%3 == 0 {
			return retrytest.Reply(500, "InternalError", "x").AfterEffect()
		}
		return retrytest.OK()
	})
	const n = 20
	var calls sync.WaitGroup
	parents := make([]trace.SpanContext, n)
	for i := range n {
		ctx, parent := b.tracer.Start(context.Background(), "the program")
		parents[i] = parent.SpanContext()
		calls.Go(func() {
			request := ess.CreateCreateScalingGroupRequest()
			request.Domain, request.ScalingGroupName = b.srv.Host, fmt.Sprint("web-", i)
			request.ClientToken = fmt.Sprint("token-", i)
			if err := b.client.DoAction(ctx, request, ess.CreateCreateScalingGroupResponse()); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()

	spans := make(map[trace.SpanID]tracetest.SpanStub)
	for _, s := range b.spans.GetSpans() {
		spans[s.SpanContext.SpanID()] = s
	}
	seen := b.srv.Attempts()
	if len(spans) != n+len(seen) {
		t.Errorf("%d spans of %d calls with %d attempts", len(spans), n, len(seen))
	}
	for _, a := range seen {
		attempt := spans[parentOf(a.Header).SpanID()]
		delete(spans, attempt.SpanContext.SpanID()) // each serves one attempt
		call := spans[attempt.Parent.SpanID()]
		if got := fmt.Sprint(texts(call.Attributes)); !strings.Contains(got, "aliyun.client_token="+a.ClientToken+" ") {
			t.Errorf("the attempt with token %s is in the span of %s", a.ClientToken, got)
		}
		var i int
		if _, err := fmt.Sscanf(a.ClientToken, "token-%d", &i); err != nil || call.Parent.SpanID() != parents[i].SpanID() ||
			attempt.SpanContext.TraceID() != parents[i].TraceID() {
			t.Errorf("the spans of token %s are not in the trace of their caller", a.ClientToken)
		}
	}
}
