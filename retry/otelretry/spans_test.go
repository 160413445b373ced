package otelretry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"go.opentelemetry.io/otel/codes"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// Each call has a span under the caller's, each attempt one under the call's, and both say
// what happened.
func TestSpans(t *testing.T) {
	tests := map[string]struct {
		faults   []retrytest.Fault
		ctx      func(context.Context) context.Context
		attempts []string // what each says besides the operation and the request ID
		errors   []string // a part of each description; "": no error
		call     []string // what the call says besides the operation and the token
	}{
		"success at once": {
			attempts: []string{"aliretry.class=Success http.response.status_code=200"},
			errors:   []string{""},
			call:     []string{"aliretry.outcome=Done", "aliretry.attempt_count=1"},
		},
		"503, then success": {
			faults: []retrytest.Fault{retrytest.Reply(503, "ServiceUnavailable", "Too busy.")},
			attempts: []string{
				"aliretry.class=Unavailable aliyun.error_code=ServiceUnavailable error.type=Unavailable http.response.status_code=503",
				"aliretry.class=Success http.request.resend_count=1 http.response.status_code=200",
			},
			errors: []string{"Too busy.", ""},
			call:   []string{"aliretry.outcome=Done", "aliretry.attempt_count=2"},
		},
		"a lost reply": {
			faults: []retrytest.Fault{retrytest.Reset().AfterEffect()},
			attempts: []string{
				"aliretry.class=NoResponse error.type=NoResponse",
				"aliretry.class=Success http.request.resend_count=1 http.response.status_code=200",
			},
			errors: []string{"connection reset by peer", ""},
			call:   []string{"aliretry.outcome=Done", "aliretry.attempt_count=2"},
		},
		"attempts run out": {
			faults: slices.Repeat([]retrytest.Fault{retrytest.Reply(500, "InternalError", "Down.")}, 3),
			attempts: []string{
				"aliretry.class=ServerError aliyun.error_code=InternalError error.type=ServerError http.response.status_code=500",
				"aliretry.class=ServerError aliyun.error_code=InternalError error.type=ServerError http.request.resend_count=1 http.response.status_code=500",
				"aliretry.class=ServerError aliyun.error_code=InternalError error.type=ServerError http.request.resend_count=2 http.response.status_code=500",
			},
			errors: []string{"Down.", "Down.", "Down."},
			call:   []string{"aliretry.outcome=Unknown", "aliretry.attempt_count=3", "error.type=ServerError"},
		},
		"rejected": {
			faults:   []retrytest.Fault{retrytest.Reply(403, "QuotaExceeded.ScalingGroup", "Too many.")},
			attempts: []string{"aliretry.class=Rejected aliyun.error_code=QuotaExceeded.ScalingGroup error.type=Rejected http.response.status_code=403"},
			errors:   []string{"Too many."},
			call:     []string{"aliretry.outcome=NotDone", "aliretry.attempt_count=1", "error.type=Rejected"},
		},
		"refused unsent": {
			ctx:  func(ctx context.Context) context.Context { return retry.WithToken(ctx, "not a token: \u00e9") },
			call: []string{"aliretry.outcome=NotDone", "aliretry.attempt_count=0", "error.type=NotSent"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.srv.Script(tt.faults...)
			ctx, parent := b.tracer.Start(context.Background(), "the program")
			if tt.ctx != nil {
				ctx = tt.ctx(ctx)
			}
			err := b.createGroup(ctx)
			call, attempts := b.one()
			info := b.infos[0]

			operation := []string{"aliyun.product=Ess", "aliyun.version=2014-08-28", "aliyun.action=CreateScalingGroup"}
			want := slices.Concat(operation, tt.call, []string{"aliretry.reason=" + info.Reason})
			if info.ClientToken != "" {
				want = append(want, "aliyun.client_token="+info.ClientToken)
			}
			checkAttributes(t, "the call", call.Attributes, want...)
			if call.Name != "Ess.CreateScalingGroup" || call.Parent.SpanID() != parent.SpanContext().SpanID() {
				t.Errorf("the call's span is %q under %v; want it under %v", call.Name, call.Parent.SpanID(), parent.SpanContext().SpanID())
			}
			if failed := call.Status.Code == codes.Error; failed != (err != nil) || failed && call.Status.Description != info.Reason {
				t.Errorf("the call's status is %+v; it returned %v", call.Status, err)
			}
			if len(attempts) != len(tt.attempts) || len(info.Attempts) != len(tt.attempts) {
				t.Fatalf("%d spans of %d attempts; want %d", len(attempts), len(info.Attempts), len(tt.attempts))
			}
			for i, a := range attempts {
				what := fmt.Sprint("attempt ", i+1)
				want := slices.Concat(operation, b.endpoint(), strings.Fields(tt.attempts[i]))
				if id := info.Attempts[i].RequestID; id != "" {
					want = append(want, "aliyun.request_id="+id)
				}
				checkAttributes(t, what, a.Attributes, want...)
				if a.Name != "Ess.CreateScalingGroup attempt" || a.Parent.SpanID() != call.SpanContext.SpanID() {
					t.Errorf("%s: its span is %q, under %v", what, a.Name, a.Parent.SpanID())
				}
				if failed := a.Status.Code == codes.Error; failed != (tt.errors[i] != "") || !strings.Contains(a.Status.Description, tt.errors[i]) {
					t.Errorf("%s: its status is %+v", what, a.Status)
				}
				told := info.Attempts[i]
				if !a.StartTime.Equal(told.Start) || !a.EndTime.Equal(told.Start.Add(told.Duration)) {
					t.Errorf("%s: from %v to %v; the Info tells %v and %v", what, a.StartTime, a.EndTime, told.Start, told.Duration)
				}
				if a.StartTime.Before(call.StartTime) || a.EndTime.After(call.EndTime) {
					t.Errorf("%s: its span is not within the call's", what)
				}
			}
			delayed := slices.DeleteFunc(slices.Clone(info.Attempts), func(a retry.Attempt) bool { return a.Wait == 0 })
			if len(call.Events) != len(delayed) {
				t.Fatalf("events %v; want one for each of %d delays", call.Events, len(delayed))
			}
			for i, e := range call.Events {
				checkAttributes(t, e.Name, e.Attributes, "aliretry.class="+delayed[i].Class.String(), fmt.Sprint("aliretry.wait.duration=", delayed[i].Wait.Seconds()))
			}
			checkSecrets(t, b)
		})
	}
}

// checkSecrets checks that no span holds a key, a signature or a part of a URL.
func checkSecrets(t *testing.T, b *bench) {
	t.Helper()
	all := fmt.Sprintf("%+v", b.spans.GetSpans())
	for _, s := range b.spans.GetSpans() {
		all += fmt.Sprint(texts(s.Attributes))
	}
	for _, secret := range []string{"testsecret", "testid", "Signature", "http://", "web-prod"} {
		if strings.Contains(all, secret) {
			t.Errorf("the spans hold %q: %s", secret, all)
		}
	}
	for _, a := range b.srv.Attempts() {
		if strings.Contains(all, a.Signature) || strings.Contains(all, a.Nonce) {
			t.Errorf("the spans hold the signature or nonce of attempt %d: %s", a.Number, all)
		}
	}
}

// A request with two tokens is refused when its operation is known, and nothing is sent.
func TestRefusedCall(t *testing.T) {
	b := newBench(t)
	err := b.createGroup(retry.WithToken(context.Background(), "one"), func(r *ess.CreateScalingGroupRequest) { r.ClientToken = "two" })
	call, attempts := b.one()
	if !errors.Is(err, retry.ErrTokenConflict) || len(attempts) != 0 || len(b.srv.Attempts()) != 0 {
		t.Fatalf("%v after %d spans of attempts", err, len(attempts))
	}
	if call.Name != "Ess.CreateScalingGroup" || call.Status.Code != codes.Error || call.Parent.IsValid() || call.EndTime.Before(call.StartTime) {
		t.Errorf("the call's span is %+v", call)
	}
}

// What cannot even be built has no operation, and a span all the same.
func TestUnbuiltCall(t *testing.T) {
	b := newBench(t)
	err := b.createGroup(context.Background(), func(r *ess.CreateScalingGroupRequest) { r.Domain = "not a host" })
	call, _ := b.one()
	if !errors.Is(err, retry.ErrRequest) || call.Name != "aliretry call" {
		t.Errorf("%v, span %q", err, call.Name)
	}
	checkAttributes(t, "the call", call.Attributes, "aliretry.attempt_count=0", "aliretry.outcome=NotDone",
		"aliretry.reason="+b.infos[0].Reason, "error.type=NotSent")
}

// The caller's context ends a call during an attempt: the attempt's span tells.
func TestCanceledAttempt(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.srv.OnAttempt(func(retrytest.Attempt) retrytest.Fault {
		cancel()
		return retrytest.Hang()
	})
	err := b.createGroup(ctx)
	call, attempts := b.one()
	if !errors.Is(err, context.Canceled) || len(attempts) != 1 {
		t.Fatalf("%v after %d attempts", err, len(attempts))
	}
	checkAttributes(t, "the attempt", attempts[0].Attributes, append(b.endpoint(), "aliyun.product=Ess", "aliyun.version=2014-08-28",
		"aliyun.action=CreateScalingGroup", "aliretry.class=Canceled", "error.type=Canceled")...)
	if got := texts(call.Attributes); !slices.Contains(got, "error.type=Canceled") || !slices.Contains(got, "aliretry.outcome=Unknown") {
		t.Errorf("the call has %q", got)
	}
}
