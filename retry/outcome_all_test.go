package retry

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// happening is what befalls one attempt, and what the class table says of it: its class, and
// when a call goes on after it.
type happening struct {
	class     Class
	unwritten bool // the hooks of net/http prove it
	goesOn    string
	status    int // 0: err
	body      string
	err       error
}

const (
	onAlways     = "always"
	onReplaySafe = "if replay-safe"
	onRenewed    = "once"
)

// happenings has every class, those without a reply with proof and without, and two that
// come as a reply as well as without one.
var happenings = []happening{
	{class: Success, status: 200, body: okBody},
	{class: NoResponse, goesOn: onReplaySafe, err: syscall.ECONNRESET},
	{class: NoResponse, goesOn: onReplaySafe, status: 200, body: "<html>Sign in"},
	{class: NoResponse, goesOn: onAlways, err: syscall.ECONNREFUSED, unwritten: true},
	{class: ServerError, goesOn: onReplaySafe, status: 500, body: internal},
	{class: Unavailable, goesOn: onReplaySafe, status: 503, body: unavailable},
	{class: InProgress, goesOn: onAlways, status: 403, body: processing},
	{class: Busy, goesOn: onAlways, status: 400, body: `{"Code":"SystemBusy","Message":"x"}`},
	{class: Throttled, goesOn: onAlways, status: 400, body: throttling},
	{class: ClockSkew, goesOn: onAlways, status: 400, body: `{"Code":"InvalidTimeStamp.Expired","Message":"x"}`},
	{class: NonceUsed, goesOn: onReplaySafe, status: 400, body: nonceUsed},
	{class: CredentialsExpired, goesOn: onRenewed, status: 403, body: expiredBody},
	{class: Mismatch, status: 400, body: `{"Code":"IdempotentParameterMismatch","Message":"x"}`},
	{class: Rejected, status: 400, body: missing},
	{class: Canceled, err: context.Canceled},
	{class: Canceled, err: context.Canceled, unwritten: true},
	{class: Broken, err: &net.DNSError{IsNotFound: true}},
	{class: Broken, err: &net.DNSError{IsNotFound: true}, unwritten: true},
	{class: Broken, status: 302},
}

// play is one attempt that this happens to. The n-th reply has a Date that is off by more
// than what came before, so that a clock which was set by those is wrong again.
func (h happening) play(req *http.Request, n int, cancel context.CancelFunc) (*http.Response, error) {
	if h.unwritten {
		httptrace.ContextClientTrace(req.Context()).GetConn("host:80")
	}
	if h.class == Canceled {
		cancel()
	}
	if h.err != nil {
		return nil, h.err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if h.class == ClockSkew {
		header.Set("Date", time.Now().Add(time.Duration(n)*2*time.Hour).UTC().Format(http.TimeFormat))
	}
	return &http.Response{StatusCode: h.status, Header: header, Body: io.NopCloser(strings.NewReader(h.body))}, nil
}

// outcomeByTheRule reads the rule word by word; the first that fits counts. Read-only: Done
// after a Success, else NotDone. Any Success: Done. Any attempt whose effect is unknown:
// Unknown. Else NotDone.
func outcomeByTheRule(readOnly bool, all []happening) Outcome {
	success := slices.ContainsFunc(all, func(h happening) bool { return effectByClass[h.class] == "done" })
	unclear := slices.ContainsFunc(all, func(h happening) bool { return effectByClass[h.class] == "unknown" && !h.unwritten })
	switch {
	case readOnly && success:
		return Done
	case readOnly:
		return NotDone
	case success:
		return Done
	case unclear:
		return Unknown
	}
	return NotDone
}

// Every single, pair and triple of what may befall an attempt, as far as a call comes that
// meets them: the loop makes that many attempts and no more, and everybody who is told of
// the call is told the outcome of the rule.
func TestOutcomeOfEveryCall(t *testing.T) {
	kinds := map[string]struct {
		url                  string
		readOnly, replaySafe bool
	}{
		"with a token": {createURL, false, true},
		"read-only":    {"http://ess.aliyuncs.com/?Action=DescribeScalingGroups&Version=2014-08-28&Format=JSON", true, true},
		"unsafe":       {"http://ess.aliyuncs.com/?Action=DeleteScalingGroup&Version=2014-08-28&Format=JSON", false, false},
	}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := [4]int{}
				var from func(all []happening)
				from = func(all []happening) {
					goesOn := len(all) == 0
					if n := len(all); n > 0 {
						calls[n]++
						last := all[n-1]
						renewed := slices.ContainsFunc(all[:n-1], func(h happening) bool { return h.goesOn == onRenewed })
						goesOn = last.goesOn == onAlways || last.goesOn == onReplaySafe && kind.replaySafe || last.goesOn == onRenewed && !renewed
						checkOutcome(t, kind.url, all, goesOn, outcomeByTheRule(kind.readOnly, all))
					}
					if goesOn && len(all) < 3 {
						for _, next := range happenings {
							from(append(slices.Clip(all), next))
						}
					}
				}
				from(nil)
				if n := len(happenings); calls[1] != n || calls[2] < 6*n || calls[3] < 30*n {
					t.Errorf("only %v calls of 1, 2 and 3 attempts", calls[1:])
				}
			})
		})
	}
}

// checkOutcome makes one call that meets all of it. Where it would go on, its last attempt is
// the last that it may make.
func checkOutcome(t *testing.T, url string, all []happening, goesOn bool, want Outcome) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var end Info
	made := 0
	tr := &Transport{Credentials: &sessions{}, Trace: &Trace{CallEnd: func(i Info) { end = i }}, random: func() float64 { return 0.5 }}
	if goesOn {
		tr.Policy.MaxAttempts = len(all)
	}
	tr.Base = baseFunc(func(req *http.Request) (*http.Response, error) {
		if made++; made > len(all) {
			return nil, fmt.Errorf("attempt %d is one too many", made)
		}
		return all[made-1].play(req, made, cancel)
	})
	resp, err := tr.RoundTrip(newRequest(ctx, url))
	told, ok := InfoOf(err)
	if err == nil {
		told, ok = InfoOfResponse(resp)
	}
	var classes, wantClasses []Class
	for _, h := range all {
		wantClasses = append(wantClasses, h.class)
	}
	for _, a := range end.Attempts {
		classes = append(classes, a.Class)
	}
	if made != len(all) || !slices.Equal(classes, wantClasses) {
		t.Fatalf("%d attempts, classed %v (%s); want %v", made, classes, end.Reason, wantClasses)
	}
	if end.Outcome != want || !ok || told.Outcome != want {
		t.Errorf("%+v: outcome %v, the caller is told %v (%v); want %v", all, end.Outcome, told.Outcome, ok, want)
	}
}
