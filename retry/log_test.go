package retry_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// logged is a handler that keeps lines, and what the context of each has under its key.
type logged struct {
	slog.Handler
	contexts *[]any
}

type logKey struct{}

func (h logged) Handle(ctx context.Context, r slog.Record) error {
	*h.contexts = append(*h.contexts, ctx.Value(logKey{}))
	return h.Handler.Handle(ctx, r)
}

func TestLogTrace(t *testing.T) {
	const call = ` action=CreateScalingGroup version=2014-08-28 host=H`
	tests := map[string]struct {
		faults []retrytest.Fault
		cut    func(*retry.Transport)
		debug  []string // what is written at that level, in order
		above  []string // at Info and above
	}{
		"at once": {
			debug: []string{`level=DEBUG msg="attempt ended"` + call + ` token=T attempt=1 class=Success duration=D status=200 request=R`},
		},
		"after a retry": {
			faults: []retrytest.Fault{retrytest.Reply(503, "ServiceUnavailable", "busy")},
			debug: []string{
				`level=DEBUG msg="attempt ended"` + call + ` token=T attempt=1 class=Unavailable duration=D status=503 code=ServiceUnavailable message=busy request=R wait=D`,
				`level=DEBUG msg="attempt ended"` + call + ` token=T attempt=2 class=Success duration=D status=200 request=R`},
			above: []string{`level=INFO msg="call succeeded after retries"` + call + ` token=T outcome=Done attempts=2 duration=D reason=success class=Success status=200 request=R`},
		},
		"refused by the server": {
			faults: []retrytest.Fault{retrytest.Reply(404, "InvalidRegionId.NotFound", "no such region")},
			debug:  []string{`level=DEBUG msg="attempt ended"` + call + ` token=T attempt=1 class=Rejected duration=D status=404 code=InvalidRegionId.NotFound message="no such region" request=R`},
			above: []string{`level=WARN msg="call failed"` + call + ` token=T outcome=NotDone attempts=1 duration=D reason="Rejected is not retried"` +
				` class=Rejected status=404 code=InvalidRegionId.NotFound message="no such region" request=R`},
		},
		"without a reply": {
			faults: []retrytest.Fault{retrytest.Close()},
			cut:    func(tr *retry.Transport) { tr.Policy.MaxAttempts = 1 },
			debug:  []string{`level=DEBUG msg="attempt ended"` + call + ` token=T attempt=1 class=NoResponse duration=D error=EOF`},
			above:  []string{`level=WARN msg="call failed"` + call + ` token=T outcome=Unknown attempts=1 duration=D reason="1 attempts were made" class=NoResponse error=EOF`},
		},
		"refused unsent": {
			cut: func(tr *retry.Transport) { tr.Policy.MaxAttempts = -1 },
			above: []string{`level=WARN msg="call failed" action="" version="" host="" outcome=NotDone attempts=0 duration=D` +
				` reason="refused before anything was sent: invalid policy: a field is negative"`},
		},
	}
	for name, tt := range tests {
		for level, want := range map[slog.Level][]string{slog.LevelInfo: tt.above, slog.LevelDebug: append(tt.debug, tt.above...)} {
			t.Run(name+", from "+level.String(), func(t *testing.T) {
				srv := retrytest.NewServer()
				defer srv.Close()
				srv.Script(tt.faults...)
				var out bytes.Buffer
				var contexts []any
				handler := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
					if a.Key == slog.TimeKey {
						return slog.Attr{}
					}
					return a
				}})
				c := mustWrap(t, newEss(t), func(tr *retry.Transport) {
					tr.Trace = retry.LogTrace(slog.New(logged{handler, &contexts}))
				})
				if tt.cut != nil {
					tt.cut(c.Transport)
				}
				ctx := context.WithValue(t.Context(), logKey{}, "of the call")
				_ = c.DoAction(ctx, createRequest(srv), ess.CreateCreateScalingGroupResponse())
				got := strings.Split(strings.TrimSuffix(masked(out.String()), "\n"), "\n")
				if strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				for _, of := range contexts {
					if of != "of the call" {
						t.Errorf("a record's context has %v", of)
					}
				}
			})
		}
	}
}

var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(duration|wait)=\S+`), "$1=D"}, {regexp.MustCompile(`token=\S+`), "token=T"},
	{regexp.MustCompile(`request=\S+`), "request=R"}, {regexp.MustCompile(`host=127\S+`), "host=H"},
}

// masked takes out what differs in every run.
func masked(s string) string {
	for _, m := range masks {
		s = m.pattern.ReplaceAllString(s, m.with)
	}
	return s
}

// Hooks run in their order: the Transport's, its for the call, the context's, its for the call.
func TestTraceOrder(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.Reply(503, "ServiceUnavailable", "busy"))
	var ran []string
	named := func(name string) *retry.Trace {
		note := func(hook string) { ran = append(ran, name+" "+hook) }
		return &retry.Trace{
			CallStart:    func(retry.Info) { note("CallStart") },
			AttemptStart: func(retry.Attempt) { note("AttemptStart") },
			Header:       func(retry.Attempt, http.Header) { note("Header") },
			AttemptEnd:   func(retry.Attempt) { note("AttemptEnd") },
			Wait:         func(retry.Attempt) { note("Wait") },
			CallEnd:      func(retry.Info) { note("CallEnd") },
		}
	}
	withCall := func(name string) *retry.Trace {
		tr := named(name)
		tr.Call = func(context.Context) *retry.Trace { return named(name + "'s") }
		return tr
	}
	quiet := &retry.Trace{Call: func(context.Context) *retry.Trace { return nil }}
	tr := &retry.Transport{Credentials: static, Policy: quick, Trace: retry.JoinTraces(withCall("a"), nil, quiet, withCall("b"))}
	defer tr.CloseIdleConnections()
	ctx := retry.WithTrace(t.Context(), withCall("c"))
	req, _ := http.NewRequestWithContext(ctx, "POST", srv.URL+createQuery, nil)
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	var want []string
	attempt := []string{"AttemptStart", "Header", "AttemptEnd"}
	hooks := append(append(append(append([]string{"CallStart"}, attempt...), "Wait"), attempt...), "CallEnd")
	for _, hook := range hooks {
		for _, name := range []string{"a", "b", "a's", "b's", "c", "c's"} {
			want = append(want, name+" "+hook)
		}
	}
	if strings.Join(ran, "\n") != strings.Join(want, "\n") {
		t.Errorf("ran:\n%s\nwant:\n%s", strings.Join(ran, "\n"), strings.Join(want, "\n"))
	}
}

// A trace's headers go out with the attempt, and cannot change what it asks for or how it is
// signed and sent.
func TestTraceHeader(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.Reply(503, "ServiceUnavailable", "busy"))
	tr := &retry.Transport{Credentials: static, Policy: quick, Trace: &retry.Trace{Header: func(a retry.Attempt, h http.Header) {
		h.Set("traceparent", "00-"+a.Nonce)
		h["mine"] = []string{"theirs"}
		for _, key := range []string{"x-acs-action", "X-Acs-Trace", "Host", "Authorization", "Content-Type", "content-length",
			"Content-Encoding", "If-None-Match", "Range", "Idempotency-Key", "Accept-Encoding", "Transfer-Encoding", "Connection", "no name"} {
			h[key] = []string{"theirs"}
		}
		h["Bad-Value"] = []string{"a\nb: c"}
	}}}
	defer tr.CloseIdleConnections()
	req, _ := http.NewRequest("POST", srv.URL+createQuery, nil)
	req.Header.Set("Mine", "mine")
	resp, err := tr.RoundTrip(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	for _, a := range srv.Attempts() {
		if a.Header.Get("Traceparent") != "00-"+a.Nonce || len(a.Header["Mine"]) != 1 || a.Header.Get("Mine") != "mine" {
			t.Errorf("headers %v", a.Header)
		}
		for key, values := range a.Header {
			if strings.Contains(strings.Join(values, ""), "theirs") || key == "Bad-Value" {
				t.Errorf("%s: %v arrived", key, values)
			}
		}
	}
}
