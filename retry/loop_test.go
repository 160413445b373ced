package retry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliretry/aliretry/signer"
	"github.com/aliretry/aliretry/token"
)

var testKey = signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}

// step is what a scripted base does with one attempt: it takes some time, then answers.
type step struct {
	takes  time.Duration
	status int
	body   string
	header http.Header
	err    error
	hang   bool // until the attempt's context ends
	hooks  func(*httptrace.ClientTrace)
}

// scripted is a base transport that plays steps and records what it was asked.
type scripted struct {
	steps []step
	seen  []*http.Request
	at    []time.Time
}

func (s *scripted) RoundTrip(req *http.Request) (*http.Response, error) {
	if len(s.seen) == len(s.steps) {
		panic("one attempt more than the script has")
	}
	st := s.steps[len(s.seen)]
	s.seen, s.at = append(s.seen, req), append(s.at, time.Now())
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && st.hooks != nil {
		st.hooks(trace)
	}
	if st.hang {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	time.Sleep(st.takes) // of the synctest bubble's clock
	if st.err != nil {
		return nil, st.err
	}
	header := st.header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	return &http.Response{StatusCode: st.status, Header: header, Request: req, ContentLength: -1,
		Body: io.NopCloser(strings.NewReader(st.body))}, nil
}

const (
	okBody      = `{"RequestId":"R","ScalingGroupId":"asg-1"}`
	internal    = `{"Code":"InternalError","Message":"x"}`
	unavailable = `{"Code":"ServiceUnavailable","Message":"x"}`
	throttling  = `{"Code":"Throttling.User","Message":"x"}`
	missing     = `{"Code":"MissingParameter","Message":"x"}`
	processing  = `{"Code":"LastTokenProcessing","Message":"x"}`
	nonceUsed   = `{"Code":"SignatureNonceUsed","Message":"x"}`
	createURL   = "http://ess.aliyuncs.com/?Action=CreateScalingGroup&Version=2014-08-28&Format=JSON&MinSize=1"
)

func newRequest(ctx context.Context, url string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, "POST", url, nil)
	if err != nil {
		panic(err)
	}
	return req
}

// Exact waits: jitter is fixed at one half, so a transient delay is half its ceiling
// and a busy one three quarters.
func TestLoopWaits(t *testing.T) {
	reset := &step{err: syscall.ECONNRESET}
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	tests := map[string]struct {
		policy  Policy
		timeout time.Duration // of the caller's context
		steps   []step
		waits   []time.Duration // before each attempt after the first
		elapsed time.Duration   // of the call
		outcome Outcome
		status  int // 0: an error
		err     error
		reason  string
	}{
		"at once": {
			steps: []step{{status: 200, body: okBody, takes: ms(30)}}, elapsed: ms(30), outcome: Done, status: 200,
		},
		"transient delays grow fourfold": {
			steps:   []step{*reset, {status: 500, body: internal}, *reset, {status: 200, body: okBody}},
			waits:   []time.Duration{ms(50), ms(200), ms(800)},
			elapsed: ms(1050), outcome: Done, status: 200,
		},
		"busy delays grow threefold, apart from transient ones": {
			steps:   []step{{status: 503}, *reset, {status: 403, body: processing}, {status: 400, body: throttling}, {status: 200, body: okBody}},
			waits:   []time.Duration{ms(750), ms(50), ms(2250), ms(6750)},
			elapsed: ms(9800), outcome: Done, status: 200,
		},
		"a used nonce is replaced at once": {
			steps:   []step{{status: 400, body: nonceUsed}, {status: 200, body: okBody}},
			waits:   []time.Duration{0},
			outcome: Done, status: 200,
		},
		"a hint is heard": {
			steps:   []step{{status: 503, header: http.Header{"Retry-After": {"3"}}}, {status: 200, body: okBody}},
			waits:   []time.Duration{ms(3000)},
			elapsed: ms(3000), outcome: Done, status: 200,
		},
		"a hint is bounded": {
			steps:   []step{{status: 503, header: http.Header{"Retry-After": {"86400"}}}, {status: 200, body: okBody}},
			waits:   []time.Duration{ms(5750)},
			elapsed: ms(5750), outcome: Done, status: 200,
		},
		"exhausted on an answer: the answer": {
			policy:  Policy{MaxAttempts: 2},
			steps:   []step{*reset, {status: 503, body: unavailable}},
			waits:   []time.Duration{ms(50)},
			elapsed: ms(50), outcome: Unknown, status: 503, reason: "2 attempts were made",
		},
		"exhausted without one: the error": {
			policy:  Policy{MaxAttempts: 2},
			steps:   []step{{status: 503}, *reset},
			waits:   []time.Duration{ms(750)},
			elapsed: ms(750), outcome: Unknown, err: syscall.ECONNRESET, reason: "2 attempts were made",
		},
		"rejected at once": {
			steps: []step{{status: 400, body: missing}}, outcome: NotDone, status: 400, reason: "Rejected is not retried",
		},
		"rejected after an unclear attempt": {
			steps: []step{*reset, {status: 400, body: missing}}, waits: []time.Duration{ms(50)},
			elapsed: ms(50), outcome: Unknown, status: 400,
		},
		"an attempt takes too long": {
			steps:   []step{{hang: true}, {status: 200, body: okBody}},
			waits:   []time.Duration{ms(50)},
			elapsed: 10*time.Second + ms(50), outcome: Done, status: 200,
		},
		"the attempt timeout shrinks to what is left": {
			policy: Policy{CallTimeout: 3 * time.Second},
			steps:  []step{{hang: true}}, elapsed: 3 * time.Second, outcome: Unknown, err: context.DeadlineExceeded,
		},
		"a call ends before its context": {
			timeout: 2 * time.Second,
			steps:   []step{{hang: true}}, elapsed: ms(1980), outcome: Unknown, err: context.DeadlineExceeded,
		},
		"the deadline ends the last attempt": {
			policy: Policy{MaxAttempts: 1}, timeout: time.Second,
			steps: []step{{hang: true}}, elapsed: ms(990), outcome: Unknown, err: context.DeadlineExceeded,
		},
		"the attempt timeout is not the call's": {
			policy: Policy{MaxAttempts: 1, AttemptTimeout: time.Second},
			steps:  []step{{hang: true}}, elapsed: time.Second, outcome: Unknown, err: errTimeout,
		},
		"a wait that does not fit is not begun": {
			timeout: ms(100),
			steps:   []step{{status: 503, body: unavailable}}, outcome: Unknown, status: 503,
			reason: "a wait of 750ms would not leave 50ms before the deadline",
		},
		"the same without an answer": {
			timeout: 6 * time.Second,
			steps:   []step{{status: 503}, {takes: ms(5180), err: syscall.ECONNRESET}}, waits: []time.Duration{ms(750)},
			elapsed: ms(5930), outcome: Unknown, err: context.DeadlineExceeded,
		},
		"no time at all": {
			timeout: ms(5), outcome: NotDone, err: context.DeadlineExceeded, reason: "attempt 1 could not begin",
		},
		"a 2xx that is no answer is never success": {
			policy: Policy{MaxAttempts: 1},
			steps:  []step{{status: 200, body: ""}}, outcome: Unknown, err: errAny,
		},
		"nor is one with an error code": {
			policy: Policy{MaxAttempts: 1},
			steps:  []step{{status: 200, body: throttling}}, outcome: NotDone, err: errAny,
		},
		"one that says so itself is returned": {
			steps: []step{{status: 200, body: `{"Success":false,"Code":"Biz"}`}}, outcome: Unknown, status: 200,
		},
		"a redirect is returned": {
			steps: []step{{status: 307}}, outcome: Unknown, status: 307,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &scripted{steps: tt.steps}
				tr := &Transport{Base: base, Credentials: signer.Static(testKey), Policy: tt.policy, random: func() float64 { return 0.5 }}
				var ended []Info
				tr.Trace = &Trace{CallEnd: func(i Info) { ended = append(ended, i) }}
				ctx := context.Background()
				if tt.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.timeout)
					defer cancel()
				}
				start := time.Now()
				resp, err := tr.RoundTrip(newRequest(ctx, createURL))
				if got := time.Since(start); got != tt.elapsed {
					t.Errorf("the call took %v, want %v", got, tt.elapsed)
				}
				if len(base.seen) != len(tt.steps) {
					t.Fatalf("%d attempts, want %d", len(base.seen), len(tt.steps))
				}
				if len(ended) != 1 {
					t.Fatalf("CallEnd ran %d times", len(ended))
				}
				i := ended[0]
				if i.Outcome != tt.outcome || !strings.Contains(i.Reason, tt.reason) {
					t.Errorf("outcome %v (%s), want %v (%s)", i.Outcome, i.Reason, tt.outcome, tt.reason)
				}
				for n, want := range tt.waits {
					if got := i.Attempts[n].Wait; got != want {
						t.Errorf("wait %d is %v, want %v", n+1, got, want)
					}
					if got := i.Attempts[n+1].Start.Sub(i.Attempts[n].Start) - i.Attempts[n].Duration; got != want {
						t.Errorf("attempt %d began %v after the one before, want %v", n+2, got, want)
					}
				}
				checkResult(t, resp, err, tt.status, tt.err, i)
				checkAttempts(t, base, i)
			})
		})
	}
}

// errAny stands for an error of which only its being one matters, errTimeout for one
// that is a timeout, but not the context's.
var errAny, errTimeout = errors.New("any"), errors.New("timeout")

func checkResult(t *testing.T, resp *http.Response, err error, status int, want error, i Info) {
	t.Helper()
	if status == 0 {
		var e *Error
		if !errors.As(err, &e) || want != errAny && want != errTimeout && !errors.Is(err, want) || resp != nil {
			t.Fatalf("result %v, %v; want an *Error of %v", resp, err, want)
		}
		if got, ok := InfoOf(err); !ok || got.Outcome != i.Outcome {
			t.Errorf("InfoOf = %+v, %v", got, ok)
		}
		if e.Timeout() != (want == errTimeout || want == context.DeadlineExceeded) {
			t.Errorf("Timeout() = %v of %v", e.Timeout(), err)
		}
		if errors.Is(err, context.DeadlineExceeded) != (want == context.DeadlineExceeded) {
			t.Errorf("%v is said to be the context's", err)
		}
		return
	}
	if err != nil || resp.StatusCode != status {
		t.Fatalf("result %v, %v; want status %d", resp, err, status)
	}
	if got, ok := InfoOfResponse(resp); !ok || got.Outcome != i.Outcome || len(got.Attempts) != len(i.Attempts) {
		t.Errorf("InfoOfResponse = %+v, %v", got, ok)
	}
	first := len(i.Attempts) == 1 && i.Outcome == Done
	if has := resp.Header.Get(infoHeader) != ""; has == first {
		t.Errorf("%s is there: %v", infoHeader, has)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Errorf("body: %v", err)
	}
}

// checkAttempts checks what must differ between attempts and what must not.
func checkAttempts(t *testing.T, base *scripted, i Info) {
	t.Helper()
	nonces, signatures := make(map[string]bool), make(map[string]bool)
	last := ""
	for n, req := range base.seen {
		q := req.URL.Query()
		if got := q.Get("ClientToken"); got != i.ClientToken || token.Validate(got) != nil {
			t.Errorf("attempt %d carries the token %q, Info has %q", n+1, got, i.ClientToken)
		}
		if q.Get("SignatureNonce") != i.Attempts[n].Nonce || q.Get("Timestamp") != i.Attempts[n].SignedAt.Format(time.RFC3339) {
			t.Errorf("attempt %d was sent with nonce %s at %s, recorded as %+v", n+1, q.Get("SignatureNonce"), q.Get("Timestamp"), i.Attempts[n])
		}
		if nonces[q.Get("SignatureNonce")] || signatures[q.Get("Signature")] {
			t.Errorf("attempt %d repeats its nonce or signature", n+1)
		}
		nonces[q.Get("SignatureNonce")], signatures[q.Get("Signature")] = true, true
		if at := q.Get("Timestamp"); at <= last {
			t.Errorf("attempt %d is signed at %s, not after %s", n+1, at, last)
		} else {
			last = at
		}
	}
}

// Cancellation during an attempt, a wait, and before the first: the call ends at once.
func TestLoopCancel(t *testing.T) {
	tests := map[string]struct {
		steps    []step
		after    time.Duration
		attempts int
		outcome  Outcome
		also     error // the last cause is found beside the context's error
	}{
		"before the first attempt": {nil, 0, 0, NotDone, nil},
		"during an attempt":        {[]step{{hang: true}}, time.Second, 1, Unknown, nil},
		"during a wait":            {[]step{{err: syscall.ECONNRESET}}, 10 * time.Millisecond, 1, Unknown, syscall.ECONNRESET},
		"during a wait, nothing done": {[]step{{status: 400, body: throttling}}, 10 * time.Millisecond, 1, NotDone,
			nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &scripted{steps: tt.steps}
				tr := &Transport{Base: base, Credentials: signer.Static(testKey), random: func() float64 { return 0.5 }}
				ctx, cancel := context.WithCancel(context.Background())
				if tt.after == 0 {
					cancel()
				} else {
					time.AfterFunc(tt.after, cancel)
				}
				start := time.Now()
				_, err := tr.RoundTrip(newRequest(ctx, createURL))
				if took := time.Since(start); took != tt.after {
					t.Errorf("ended after %v, want %v", took, tt.after)
				}
				i, ok := InfoOf(err)
				if !ok || !errors.Is(err, context.Canceled) || i.Outcome != tt.outcome || len(i.Attempts) != tt.attempts {
					t.Fatalf("%v: %+v", err, i)
				}
				if tt.also != nil && !errors.Is(err, tt.also) {
					t.Errorf("%v does not tell of %v", err, tt.also)
				}
			})
		})
	}
}

// The age of the token is judged before each attempt, at the time when it would be sent.
func TestLoopTokenLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &scripted{steps: []step{{status: 503, takes: 9 * time.Second}}}
		tr := &Transport{Base: base, Credentials: signer.Static(testKey), Policy: Policy{TokenLifetime: 9500 * time.Millisecond}, random: func() float64 { return 0.5 }}
		resp, err := tr.RoundTrip(newRequest(context.Background(), createURL))
		if err != nil {
			t.Fatal(err)
		}
		i, _ := InfoOfResponse(resp)
		if i.Outcome != Unknown || !strings.Contains(i.Reason, "token is older than 9.5s") {
			t.Errorf("%v (%s)", i.Outcome, i.Reason)
		}
	})
}

// A write without a token is repeated only where nothing can have happened, and only
// evidence says so.
func TestLoopUnsafeWrite(t *testing.T) {
	dialFailed := func(h *httptrace.ClientTrace) { h.GetConn("host:80") }
	wroteNothing := func(h *httptrace.ClientTrace) {
		h.GetConn("host:80")
		h.GotConn(httptrace.GotConnInfo{})
		h.WroteRequest(httptrace.WroteRequestInfo{Err: io.ErrShortWrite})
	}
	wroteHeaders := func(h *httptrace.ClientTrace) {
		h.GetConn("host:80")
		h.GotConn(httptrace.GotConnInfo{})
		h.WroteHeaders()
		h.WroteRequest(httptrace.WroteRequestInfo{Err: io.ErrShortWrite})
	}
	good := step{status: 200, body: okBody}
	tests := map[string]struct {
		first   step
		retried bool
		outcome Outcome
	}{
		"a base that fires no hooks proves nothing": {step{err: syscall.ECONNREFUSED}, false, Unknown},
		"no connection":            {step{err: syscall.ECONNREFUSED, hooks: dialFailed}, true, Done},
		"nothing written":          {step{err: io.ErrShortWrite, hooks: wroteNothing}, true, Done},
		"headers written":          {step{err: io.ErrShortWrite, hooks: wroteHeaders}, false, Unknown},
		"500":                      {step{status: 500, body: internal}, false, Unknown},
		"500 from who knows where": {step{status: 500, body: internal, hooks: dialFailed}, false, Unknown},
		"503":                      {step{status: 503}, false, Unknown},
		"throttled":                {step{status: 400, body: throttling}, true, Done},
		"busy by code":             {step{status: 400, body: `{"Code":"SystemBusy"}`}, true, Done},
		"busy by message alone":    {step{status: 409, body: `{"Code":"X","Message":"Please try again later."}`}, false, NotDone},
		"cut off":                  {step{status: 200, body: okBody[:9]}, false, Unknown},
	}
	const url = "http://ess.aliyuncs.com/?Action=DeleteScalingGroup&Version=2014-08-28&Format=JSON"
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &scripted{steps: []step{tt.first, good}[:1]}
				if tt.retried {
					base.steps = append(base.steps, good)
				}
				var i Info
				tr := &Transport{Base: base, Credentials: signer.Static(testKey), Trace: &Trace{CallEnd: func(end Info) { i = end }}}
				_, _ = tr.RoundTrip(newRequest(context.Background(), url))
				if len(base.seen) != len(base.steps) || i.Outcome != tt.outcome {
					t.Errorf("%d attempts, outcome %v (%s)", len(base.seen), i.Outcome, i.Reason)
				}
				if i.ClientToken != "" {
					t.Errorf("an unknown operation was given the token %s", i.ClientToken)
				}
			})
		})
	}
}

// The ways to make a call replay-safe, beside the catalogue's.
func TestLoopReplaySafe(t *testing.T) {
	const unknown = "http://h.aliyuncs.com/?Action=CreateThing&Version=2020-01-01&Format=JSON"
	tests := map[string]struct {
		ctx   func(context.Context) context.Context
		url   string
		token string // "new": one that we made
	}{
		"an operation of the catalogue":                        {nil, createURL, "new"},
		"its empty token counts as none":                       {nil, createURL + "&ClientToken=", "new"},
		"the caller's own token":                               {nil, unknown + "&ClientToken=mine", "mine"},
		"in the other spelling":                                {nil, unknown + "&clientToken=mine", "mine"},
		"both spellings, one value":                            {nil, unknown + "&clientToken=mine&ClientToken=mine", "mine"},
		"WithToken":                                            {func(c context.Context) context.Context { return WithToken(c, "mine") }, unknown, "mine"},
		"WithToken, and the same in it":                        {func(c context.Context) context.Context { return WithToken(c, "mine") }, unknown + "&ClientToken=mine", "mine"},
		"WithToken, catalogued":                                {func(c context.Context) context.Context { return WithToken(c, "mine") }, createURL, "mine"},
		"WithReplaySafe":                                       {WithReplaySafe, unknown, ""},
		"WithReplaySafe takes no token away":                   {WithReplaySafe, createURL, "new"},
		"nor does a dry run, which the operation may not know": {nil, createURL + "&DryRun=true", "new"},
		"a dry run of an unknown operation":                    {nil, unknown + "&DryRun=true", ""},
		"read-only":                                            {nil, "http://h.aliyuncs.com/?Action=DescribeThings&Version=2020-01-01&Format=JSON", ""},
		"read-only, by List":                                   {nil, "http://h.aliyuncs.com/?Action=ListThings&Version=2020-01-01&Format=JSON", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &scripted{steps: []step{{err: syscall.ECONNRESET}, {status: 200, body: okBody}}}
				tr := &Transport{Base: base, Credentials: signer.Static(testKey)}
				ctx := context.Background()
				if tt.ctx != nil {
					ctx = tt.ctx(ctx)
				}
				req := newRequest(ctx, tt.url)
				resp, err := tr.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				i, _ := InfoOfResponse(resp)
				if tt.token == "new" {
					if token.Validate(i.ClientToken) != nil {
						t.Errorf("token %q", i.ClientToken)
					}
				} else if i.ClientToken != tt.token {
					t.Errorf("token %q, want %q", i.ClientToken, tt.token)
				}
				for _, sent := range base.seen {
					q := sent.URL.Query()
					if n := len(q["ClientToken"]) + len(q["clientToken"]); i.ClientToken != "" && q.Get("ClientToken") != i.ClientToken && q.Get("clientToken") != i.ClientToken || n > strings.Count(tt.url, "lientToken")+1 {
						t.Errorf("sent %v", q)
					}
				}
				if req.URL.String() != tt.url {
					t.Errorf("the caller's request was changed to %s", req.URL)
				}
			})
		})
	}
}

// A token that the caller has written is sent as it was written.
func TestLoopKeepsOwnBytes(t *testing.T) {
	base := &scripted{steps: []step{{status: 200, body: okBody}}}
	tr := &Transport{Base: base, Credentials: signer.Static(testKey)}
	if _, err := tr.RoundTrip(newRequest(context.Background(), createURL+"&ClientToken=%6dine&x=%7e")); err != nil {
		t.Fatal(err)
	}
	if sent := base.seen[0].URL.RawQuery; !strings.Contains(sent, "&ClientToken=%6dine&x=%7e&") {
		t.Errorf("sent %s", sent)
	}
}

// Two calls with one request are two logical calls.
func TestLoopTokenPerCall(t *testing.T) {
	base := &scripted{steps: []step{{status: 200, body: okBody}, {status: 200, body: okBody}}}
	tr := &Transport{Base: base, Credentials: signer.Static(testKey)}
	req := newRequest(context.Background(), createURL)
	for range 2 {
		if _, err := tr.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := base.seen[0].URL.Query().Get("ClientToken"), base.seen[1].URL.Query().Get("ClientToken"); a == b {
		t.Errorf("both calls carry %s", a)
	}
}

// What http2.ConfigureTransport leaves in a transport would be used for any connection
// whose own dialler has negotiated HTTP/2.
func TestOwnBaseTakesNoHTTP2Over(t *testing.T) {
	like := &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{"h2": nil}}
	if got := newBase(like); len(got.TLSNextProto) != 0 || got.Protocols.HTTP2() || len(like.TLSNextProto) != 1 {
		t.Errorf("TLSNextProto %v, protocols %v", got.TLSNextProto, got.Protocols)
	}
}

// Everything in the form: the token goes there as well.
func TestLoopFormToken(t *testing.T) {
	base := &scripted{steps: []step{{status: 500}, {status: 200, body: okBody}}}
	tr := &Transport{Base: base, Credentials: signer.Static(testKey), Policy: Policy{Transient: Delay{1, 1}}}
	req, _ := http.NewRequest("POST", "http://ess.aliyuncs.com/", bytes.NewReader([]byte("Action=CreateScalingGroup&Version=2014-08-28&Format=JSON")))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	i, _ := InfoOfResponse(resp)
	for _, sent := range base.seen {
		body, _ := io.ReadAll(sent.Body)
		if !strings.Contains(string(body), "ClientToken="+i.ClientToken+"&") || sent.URL.RawQuery != "" {
			t.Errorf("sent ?%s and %s", sent.URL.RawQuery, body)
		}
	}
}
