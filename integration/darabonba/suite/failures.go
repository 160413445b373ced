package suite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// What the caller sees of a call that failed is an *Error, or the SDK's own error where the
// API has answered that nothing was done.
func callerErrors(t *testing.T) {
	refusal := retrytest.Reply(403, "QuotaExceeded.ScalingGroup", "Scaling group quota exceeded.")
	tests := map[string]struct {
		fault   retrytest.Fault // of every attempt
		code    string          // of the SDK's error; "" for an *Error
		status  int             // of either; 0 if there was no reply
		outcome retry.Outcome
		tried   int
	}{
		"503":                    {unavailable.play, "", 503, retry.Unknown, 2},
		"throttled":              {throttled.play, "Throttling", 400, retry.NotDone, 2},
		"refused":                {refusal, "QuotaExceeded.ScalingGroup", 403, retry.NotDone, 1},
		"503 in XML":             {retrytest.Raw(503, "text/xml;charset=utf-8", "<Error><Code>ServiceUnavailable</Code><RequestId>R</RequestId></Error>"), "", 503, retry.Unknown, 2},
		"503 in XML, as another": {retrytest.Raw(503, "application/xml", "<Error><Code>ServiceUnavailable</Code></Error>"), "", 503, retry.Unknown, 2},
		"connection closed":      {lost.play, "", 0, retry.Unknown, 2},
		"cut short":              {retrytest.CutOff(), "", 200, retry.Unknown, 2},
		"502 HTML":               {htmlPage.play, "", 502, retry.Unknown, 2},
		"503 without a body":     {retrytest.Raw(503, "", ""), "", 503, retry.Unknown, 2},
		"200 login page":         {retrytest.Raw(200, "text/html", page), "", 200, retry.Unknown, 2},
		"404 HTML":               {retrytest.Raw(404, "text/html", page), "", 404, retry.NotDone, 1},
		"redirect":               {retrytest.Raw(302, "text/html", page).WithHeader("Location", "http://127.0.0.1:1/"), "", 302, retry.Unknown, 1},
		"not modified":           {retrytest.Raw(304, "", ""), "", 304, retry.Unknown, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			srv.OnAttempt(func(retrytest.Attempt) retrytest.Fault { return tt.fault })
			for _, ctx := range []context.Context{none, t.Context()} {
				s := New(t, srv.Host, func(tr *retry.Transport, _ *openapi.Config) { tr.Policy.MaxAttempts = 2 })
				body, err := Create.Send(ctx, s, nil)
				told := s.last(t)
				if err == nil || told.Outcome != tt.outcome || len(told.Attempts) != tt.tried || told.ClientToken == "" {
					t.Fatalf("answered with %v, %v; the Trace was told %+v", body, err, told)
				}
				if last := told.Attempts[tt.tried-1]; last.Status != tt.status {
					t.Errorf("the last attempt has the status %d; want %d", last.Status, tt.status)
				}
				var own *retry.Error
				var theirs *tea.SDKError
				switch isOwn := errors.As(err, &own); {
				case isOwn != (tt.code == ""):
					t.Errorf("%T: %v", err, err)
				case isOwn:
					info, _ := retry.InfoOf(err)
					if info.Outcome != tt.outcome || info.ClientToken != told.ClientToken || !strings.Contains(err.Error(), told.ClientToken) {
						t.Errorf("%v", err)
					}
				case !errors.As(err, &theirs) || tea.StringValue(theirs.Code) != tt.code || tea.IntValue(theirs.StatusCode) != tt.status:
					t.Errorf("%T: %v; want the SDK's %d %s", err, err, tt.status, tt.code)
				}
				checkSecrets(t, err, told)
			}
		})
	}
}

// checkSecrets checks that nothing of ours shows a secret or a signature.
func checkSecrets(t testing.TB, err error, told retry.Info) {
	t.Helper()
	asJSON, _ := json.Marshal(told)
	for _, shown := range []string{err.Error(), string(asJSON)} {
		if strings.Contains(shown, "Signature=") || strings.Contains(shown, testKey.AccessKeySecret) || strings.Contains(shown, "hush") {
			t.Errorf("shows a secret: %s", shown)
		}
	}
}

// A call that cannot be right is refused with a typed error, which the caller finds, and
// nothing is sent.
func invalidCalls(t *testing.T) {
	twoTokens, twoPlaces, another := Create, Create, Create
	twoTokens.query = map[string]any{"ClientToken": "a", "clientToken": "b"}
	twoPlaces.query, twoPlaces.form = map[string]any{"ClientToken": "a"}, map[string]any{"ClientToken": "b"}
	another.query = map[string]any{"ClientToken": "a"}
	tests := map[string]struct {
		call Call
		ctx  context.Context
		with func(*retry.Transport, *openapi.Config)
		want error
	}{
		"two tokens":             {call: twoTokens, want: retry.ErrTokenConflict},
		"in two places":          {call: twoPlaces, want: retry.ErrTokenConflict},
		"another in the context": {call: another, ctx: retry.WithToken(t.Context(), "b"), want: retry.ErrTokenConflict},
		"no credentials":         {call: Create, with: func(tr *retry.Transport, _ *openapi.Config) { tr.Credentials = nil }, want: retry.ErrCredentials},
		"another account's key":  {call: Create, with: func(_ *retry.Transport, c *openapi.Config) { c.AccessKeyId = dara.String("other") }, want: retry.ErrAccount},
		"bad policy":             {call: Create, with: func(tr *retry.Transport, _ *openapi.Config) { tr.Policy.AttemptTimeout = -1 }, want: retry.ErrPolicy},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			ctx := tt.ctx
			if ctx == nil {
				ctx = none
			}
			s := New(t, srv.Host)
			if tt.with != nil {
				s = New(t, srv.Host, tt.with)
			}
			_, err := tt.call.Send(ctx, s, nil)
			if i, ok := retry.InfoOf(err); !errors.Is(err, tt.want) || !ok || i.Outcome != retry.NotDone || len(srv.Attempts()) != 0 {
				t.Errorf("%v, %d attempts", err, len(srv.Attempts()))
			}
		})
	}
}

// A call ends with its context, and not later.
func contexts(t *testing.T) {
	const ages = 20_000 * time.Hour // of which no random share is short
	long := func(tr *retry.Transport, _ *openapi.Config) {
		tr.Policy.Busy, tr.Policy.Transient = retry.Delay{Base: ages, Max: ages}, retry.Delay{Base: ages, Max: ages}
		tr.Policy.CallTimeout, tr.Policy.TokenLifetime = 2*ages, 2*ages
	}
	tests := map[string]struct {
		fault   retrytest.Fault
		timeout time.Duration // of the context; 0: it is canceled during the first wait
		want    error
		seen    string // the type that the caller sees; "" where it depends on when the SDK looks
		status  int
	}{
		"canceled during a wait":           {unavailable.play, 0, context.Canceled, "*errors.errorString", 503},
		"no reply before the deadline":     {retrytest.Hang().AfterEffect(), 400 * time.Millisecond, context.DeadlineExceeded, "", 0},
		"too long a wait":                  {lost.play, 10 * time.Second, context.DeadlineExceeded, "*retry.Error", 0},
		"too long a wait, after an answer": {unavailable.play, 10 * time.Second, context.DeadlineExceeded, "*retry.Error", 503},
		"too long a wait, after a page":    {htmlPage.play, 10 * time.Second, context.DeadlineExceeded, "*retry.Error", 502},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			srv.Script(tt.fault)
			s := New(t, srv.Host, long)
			ctx, cancel := context.WithCancel(t.Context())
			if tt.timeout > 0 {
				ctx, cancel = context.WithTimeout(t.Context(), tt.timeout)
			}
			defer cancel()
			if tt.timeout == 0 {
				s.Transport.Trace.Wait = func(retry.Attempt) { time.AfterFunc(10*time.Millisecond, cancel) }
			}
			start := time.Now()
			_, err := Create.Send(ctx, s, nil)
			if took := time.Since(start); took > 2*time.Second || err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("ended after %v with %T: %v", took, err, err)
			}
			if seen := fmt.Sprintf("%T", err); tt.seen != "" && seen != tt.seen {
				t.Errorf("the caller sees %s: %v; want %s", seen, err, tt.seen)
			}
			if i := s.last(t); i.Outcome != retry.Unknown || len(i.Attempts) != 1 || i.Attempts[0].Status != tt.status {
				t.Errorf("the Trace was told %+v", i)
			}
		})
	}
}

// A token that comes with the context resumes a call of another process, and a Trace that
// does learns what the SDK's error leaves out.
func contextToken(t *testing.T) {
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			srv := newServer(t)
			srv.Script(lost.play)
			first := New(t, srv.Host, func(tr *retry.Transport, _ *openapi.Config) { tr.Policy.MaxAttempts = 1 })
			_, err := c.Send(none, first, nil)
			unclear, ok := retry.InfoOf(err)
			if !ok || unclear.Outcome != retry.Unknown || len(srv.Effects()) != 1 {
				t.Fatalf("%v; want an unclear outcome", err)
			}
			var told retry.Info
			ctx := retry.WithTrace(retry.WithToken(t.Context(), unclear.ClientToken), &retry.Trace{CallEnd: func(i retry.Info) { told = i }})
			body, err := c.Send(ctx, New(t, srv.Host), nil)
			if err != nil || len(srv.Effects()) != 1 || body["RequestId"] != srv.Effects()[0].RequestID || told.Outcome != retry.Done || told.ClientToken != unclear.ClientToken {
				t.Errorf("resumed with %v, %v, %d effects; told %+v", body, err, len(srv.Effects()), told)
			}
		})
	}
}
