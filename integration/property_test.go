package integration

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// The promises hold for any schedule of faults, under any policy, with or without a
// token. None of them rests on how quick the machine is: an attempt that times out
// although it was to be answered is one more fault.
func TestAnySchedule(t *testing.T) {
	befalls := rapid.SampledFrom(append(append([]fault{
		{"no reply", retrytest.Hang(), retry.NoResponse, retry.Unknown},
		{name: "ok", play: retrytest.OK()},
	}, faults...), rejections...))
	callers := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[ -~]{1,64}`))

	anyWay := append([]operation{deleteScalingGroup, createCluster}, onePerWay...)

	rapid.Check(t, func(t *rapid.T) {
		schedule := rapid.SliceOfN(befalls, 0, 12).Draw(t, "schedule")
		most := rapid.IntRange(1, 6).Draw(t, "MaxAttempts")
		token := callers.Draw(t, "caller's token")
		o := rapid.SampledFrom(anyWay).Draw(t, "operation")

		srv := newServer(t)
		for _, none := range tokenless { // whatever its caller gives
			srv.IgnoreTokens(none.request().GetActionName())
		}
		request := o.request()
		if token != "" {
			giveToken(request, token)
		}
		r := o.call(t, srv, request, schedule, maxAttempts(most), func(t *retry.Transport) {
			t.Policy.Transient = retry.Delay{Base: time.Microsecond, Max: 10 * time.Microsecond}
			t.Policy.Busy = t.Policy.Transient
			t.Policy.AttemptTimeout = 25 * time.Millisecond
		})
		if n := len(r.info.Attempts); n < 1 || n > most {
			t.Errorf("%d attempts; want 1 to %d", n, most)
		}
		if token != "" && r.info.ClientToken != token {
			t.Errorf("token %q; the caller's is %q", r.info.ClientToken, token)
		}
		seen := srv.Attempts()
		if r.err == nil {
			checkSuccess(t, o, srv, r)
		} else if info, ok := retry.InfoOf(r.err); !ok || info.Outcome != r.info.Outcome {
			t.Errorf("error %v tells outcome %v; the Trace was told %v", r.err, info.Outcome, r.info.Outcome)
		}

		srv.Close() // what is still at work ends: no effect comes after this
		checkAttempts(t, seen, r.info)
		made := len(srv.Effects())
		switch outcome := r.info.Outcome; {
		case made > 1:
			t.Errorf("%d effects", made)
		case outcome == retry.NotDone && made != 0, outcome == retry.Done && made == 0, (outcome == retry.Done) != (r.err == nil):
			t.Errorf("outcome %v with %d effects and error %v", outcome, made, r.err)
		}
	})
}

// checkSuccess checks that a success is that of the call's effect.
func checkSuccess(t *rapid.T, o operation, srv *retrytest.Server, r result) {
	t.Helper()
	if o.takesToken() {
		o.checkFirstResult(t, srv, r.response, r.info.ClientToken)
		return
	}
	// Without a token nobody can ask for a result again: the attempt that was answered
	// must be the one that made the effect.
	answered := r.info.Attempts[len(r.info.Attempts)-1]
	for _, a := range srv.Attempts() {
		if a.Effect && (a.Nonce != answered.Nonce || answered.RequestID != requestID(r.response)) {
			t.Errorf("attempt %d made the effect; the answer is that of attempt %d", a.Number, answered.Number)
		}
	}
}
