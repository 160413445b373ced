package retry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/signer"
)

// told is one who was told of a call: by an error, by a response, by a Trace.
type told struct {
	who  string
	info Info
	ok   bool
}

// tellers are the ways to make a call through a Transport's base, with all that each of them
// leaves in the caller's hands.
var tellers = map[string]func(t *testing.T, ctx context.Context, base http.RoundTripper, policy Policy, trace *Trace) []told{
	"RoundTrip": func(t *testing.T, ctx context.Context, base http.RoundTripper, policy Policy, trace *Trace) []told {
		tr := &Transport{Base: base, Credentials: signer.Static(testKey), Policy: policy, Trace: trace, random: half}
		return toldBy(tr.RoundTrip(newRequest(ctx, createURL)))
	},
	"http.Client": func(t *testing.T, ctx context.Context, base http.RoundTripper, policy Policy, trace *Trace) []told {
		tr := &Transport{Base: base, Credentials: signer.Static(testKey), Policy: policy, Trace: trace, random: half}
		return toldBy((&http.Client{Transport: tr}).Do(newRequest(ctx, createURL)))
	},
	"HttpClient of the V2 SDK": func(t *testing.T, ctx context.Context, base http.RoundTripper, policy Policy, trace *Trace) []told {
		tr := &Transport{Base: base, Credentials: signer.Static(testKey), Policy: policy, Trace: trace, random: half}
		return toldBy(tr.Call(newRequest(ctx, createURL), &http.Transport{}))
	},
	"SDK": func(t *testing.T, _ context.Context, base http.RoundTripper, policy Policy, trace *Trace) []told {
		client, c := newWrapped(t, base)
		c.Transport.Policy, c.Transport.Trace = policy, trace
		response, err := client.CreateScalingGroup(newCreateRequest(0))
		all := toldBy(nil, err)
		if response != nil && response.GetOriginHttpResponse() != nil {
			all = append(all, toldBy(response.GetOriginHttpResponse(), nil)...)
		}
		return all
	},
	"DoAction": func(t *testing.T, ctx context.Context, base http.RoundTripper, policy Policy, trace *Trace) []told {
		_, c := newWrapped(t, base)
		c.Transport.Policy, c.Transport.Trace = policy, trace
		err := c.DoAction(ctx, newCreateRequest(0), ess.CreateCreateScalingGroupResponse())
		return toldBy(nil, err)
	},
}

func half() float64 { return 0.5 }

// toldBy gathers what a response and an error tell, by each way of asking them.
func toldBy(resp *http.Response, err error) (all []told) {
	ask := func(who string, err error) {
		i, ok := InfoOf(err)
		all = append(all, told{who, i, ok})
	}
	var ours *Error
	var server *sdkerrors.ServerError
	if err != nil {
		ask(fmt.Sprintf("InfoOf %T", err), err)
	}
	if errors.As(err, &ours) {
		all = append(all, told{"*Error", ours.Info, true})
	}
	if errors.As(err, &server) {
		ask("InfoOf the ServerError", server)
	}
	if resp != nil {
		i, ok := InfoOfResponse(resp)
		all = append(all, told{"InfoOfResponse", i, ok})
		i, ok = readInfo(resp.Header)
		all = append(all, told{infoHeader, i, ok})
	}
	return all
}

// Whoever is told of a call that failed is told the whole of it: each attempt with its
// number, start, duration, class, status, code, request ID, nonce and delay, and why the call
// ended.
func TestWholeHistoryByEveryRoad(t *testing.T) {
	body := func(code, id string) string { return fmt.Sprintf(`{"Code":%q,"Message":"x","RequestId":%q}`, code, id) }
	ms := time.Millisecond
	reset := step{takes: 120 * ms, err: syscall.ECONNRESET}
	busy := step{takes: 30 * ms, status: 503, body: body("ServiceUnavailable", "REQ-2"), header: http.Header{"Retry-After": {"2"}}}
	burnt := step{takes: 10 * ms, status: 400, body: body("SignatureNonceUsed", "REQ-3")}
	throttled := step{takes: 20 * ms, status: 429, header: http.Header{"X-Acs-Request-Id": {"REQ-4"}}}
	tests := map[string]struct {
		policy  Policy
		steps   []step
		want    []string
		outcome Outcome
		reason  string
	}{
		"ends with an answer": {
			Policy{}, []step{reset, busy, burnt, throttled, {takes: 40 * ms, status: 403, body: body("QuotaExceeded", "REQ-5")}},
			[]string{
				"1 at 0s for 120ms: NoResponse 0  , then 50ms",
				"2 at 170ms for 30ms: Unavailable 503 ServiceUnavailable REQ-2, then 2s",
				"3 at 2.2s for 10ms: NonceUsed 400 SignatureNonceUsed REQ-3, then 0s",
				"4 at 2.21s for 20ms: Throttled 429  REQ-4, then 2.25s",
				"5 at 4.48s for 40ms: Rejected 403 QuotaExceeded REQ-5, then 0s",
			}, Unknown, "Rejected is not retried",
		},
		"ends without one": {
			Policy{MaxAttempts: 2}, []step{throttled, reset},
			[]string{
				"1 at 0s for 20ms: Throttled 429  REQ-4, then 750ms",
				"2 at 770ms for 120ms: NoResponse 0  , then 0s",
			}, Unknown, "2 attempts were made",
		},
		"nothing was done": {
			Policy{MaxAttempts: 2}, []step{throttled, {status: 400, body: body("Throttling.User", "REQ-6")}},
			[]string{
				"1 at 0s for 20ms: Throttled 429  REQ-4, then 750ms",
				"2 at 770ms for 0s: Throttled 400 Throttling.User REQ-6, then 0s",
			}, NotDone, "2 attempts were made",
		},
	}
	for name, tt := range tests {
		for road, send := range tellers {
			t.Run(name+"/"+road, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					base := &scripted{steps: tt.steps}
					start := time.Now()
					var all []told
					var ends []Attempt
					trace := &Trace{
						AttemptEnd: func(a Attempt) { ends = append(ends, a) },
						CallEnd:    func(i Info) { all = append(all, told{"Trace.CallEnd", i, true}) },
					}
					byContext := &Trace{CallEnd: func(i Info) { all = append(all, told{"the context's Trace", i, true}) }}
					all = append(all, send(t, WithTrace(t.Context(), byContext), base, tt.policy, trace)...)
					traces := 2
					if road == "SDK" { // which has no contexts
						traces = 1
					}
					if len(all) < traces+1 {
						t.Fatalf("only %d were told", len(all))
					}
					all = append(all, told{"Trace.AttemptEnd", Info{Operation: all[0].info.Operation, ClientToken: all[0].info.ClientToken, Outcome: tt.outcome, Attempts: ends, Reason: tt.reason}, true})
					for _, by := range all {
						if !by.ok || by.info.Outcome != tt.outcome || by.info.Reason != tt.reason || by.info.Operation.Action != "CreateScalingGroup" {
							t.Errorf("%s tells %+v (%v); want %v (%s)", by.who, by.info, by.ok, tt.outcome, tt.reason)
						}
						var got []string
						for n, a := range by.info.Attempts {
							got = append(got, fmt.Sprintf("%d at %v for %v: %v %d %s %s, then %v", a.Number, a.Start.Sub(start), a.Duration, a.Class, a.Status, a.Code, a.RequestID, a.Wait))
							sent := base.seen[n].URL.Query()
							if a.Nonce != sent.Get("SignatureNonce") || a.SignedAt.Format(time.RFC3339) != sent.Get("Timestamp") || by.info.ClientToken != sent.Get("ClientToken") {
								t.Errorf("%s tells attempt %d as %+v; sent was %v", by.who, n+1, a, sent)
							}
						}
						if !slices.Equal(got, tt.want) {
							t.Errorf("%s tells\n%q, want\n%q", by.who, got, tt.want)
						}
					}
				})
			})
		}
	}
}
