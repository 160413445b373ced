package storm

import (
	"testing"
	"time"
)

// One call at time 0: the network takes 10 ms each way, and the service 10 ms.
func TestOneCall(t *testing.T) {
	const ms = time.Millisecond
	at := func(to time.Duration, trouble Trouble) *Scenario { return small(Phase{To: to, Trouble: trouble}) }
	slow := small(Phase{To: 100 * ms, Trouble: SlowDown, Factor: 100})
	hasty := trivial{attempts: 10, timeout: 500 * ms, delay: 300 * ms}
	patient := trivial{attempts: 10, timeout: time.Second, delay: 2 * time.Second}
	forgetful := at(100*ms, FailAfter)
	forgetful.Service.Memory = time.Second
	unhurried := small()
	unhurried.Service.Capacity = 0.1
	tests := []struct {
		name              string
		scenario          *Scenario
		trivial           trivial
		token             Token
		success           bool
		after             time.Duration
		attempts, effects int
	}{
		{"plain", small(), once, NoToken, true, 30 * ms, 1, 1},
		{"refused", at(time.Second, RefuseAll), once, NoToken, false, 20 * ms, 1, 0},
		{"refused, told later", at(time.Second, RefuseAll), trivial{attempts: 1, hold: 700 * ms}, NoToken, false, 720 * ms, 1, 0},
		{"refused until 1 s, sent at 0, 320, 640, 960 and 1280 ms", at(time.Second, RefuseAll), hasty, NoToken, true, 1310 * ms, 5, 1},
		{"refused every other half second, sent at 0 and at 320 ms", small(Phase{To: time.Minute, Trouble: RefuseAll, Every: 600 * ms}), hasty, NoToken, true, 350 * ms, 2, 1},
		{"no reply", at(time.Second, BlackHole), once, NoToken, false, 10 * time.Second, 1, 0},
		{"no reply, and sent again at 800 ms and 1600 ms", at(time.Second, BlackHole), hasty, NoToken, true, 1630 * ms, 3, 1},
		{"failed before", at(100*ms, FailBefore), patient, NoToken, true, 2060 * ms, 2, 1},
		{"failed before, under a token", at(100*ms, FailBefore), patient, TokenPerCall, true, 2060 * ms, 2, 1},
		{"failed after", at(100*ms, FailAfter), patient, NoToken, true, 2060 * ms, 2, 2},
		{"failed after, under a token", at(100*ms, FailAfter), patient, TokenPerCall, true, 2060 * ms, 2, 1},
		{"failed after, under a token that is forgotten", forgetful, patient, TokenPerCall, true, 2060 * ms, 2, 2},
		{"lost", at(100*ms, LoseReply), patient, NoToken, true, 2060 * ms, 2, 2},
		{"lost, under two tokens", at(100*ms, LoseReply), patient, TokenPerAttempt, true, 2060 * ms, 2, 2},
		{"lost, under a token", at(100*ms, LoseReply), patient, TokenPerCall, true, 2060 * ms, 2, 1},
		{"late: the work is done after the caller gave up", slow, trivial{attempts: 1, timeout: 500 * ms}, NoToken, false, 500 * ms, 1, 1},
		{"late, and sent again", slow, hasty, NoToken, true, 1030 * ms, 2, 2},
		{"late, and under its token in progress at 810 ms", slow, hasty, TokenPerCall, true, 1150 * ms, 3, 1},
		{"no timeout", slow, trivial{attempts: 1}, NoToken, true, 1020 * ms, 1, 1},
		{"done after the deadline of all", unhurried, once, NoToken, false, 10 * time.Second, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Run(tt.scenario, tt.trivial.model(tt.token), 1)
			sum, ends := r.Total(), &r.FailedAfter
			if tt.success {
				ends = &r.Latencies
			}
			if ends.Count() != 1 || ends.Mean() != tt.after {
				t.Errorf("%d such ends, after %v, want one after %v", ends.Count(), ends.Mean(), tt.after)
			}
			if sum.Attempts != tt.attempts || sum.Effects != tt.effects || sum.Duplicate != max(0, tt.effects-1) {
				t.Errorf("%d attempts, %d effects, %d of them duplicate; want %d attempts, %d effects", sum.Attempts, sum.Effects, sum.Duplicate, tt.attempts, tt.effects)
			}
			if orphaned := !tt.success && tt.effects > 0; orphaned != (sum.Orphaned == 1) {
				t.Errorf("%d orphaned", sum.Orphaned)
			}
		})
	}
}

// A call that hangs, and one whose model never gives up, are counted when the run ends.
func TestUnfinished(t *testing.T) {
	for name, p := range map[string]trivial{"no timeout": {attempts: 1}, "no end": {timeout: time.Second, delay: time.Second}} {
		r := Run(small(Phase{To: time.Hour, Trouble: BlackHole}), p.model(NoToken), 1)
		if sum := r.Total(); r.Unfinished != 1 || sum.Calls != 1 || sum.Succeeded+sum.Failed != 0 {
			t.Errorf("%s: %d unfinished, %+v", name, r.Unfinished, sum)
		}
	}
}

// Loops begin the next call when one has ended, after a success later than after a failure.
func TestLoops(t *testing.T) {
	s := small(Phase{From: 20 * time.Second, To: 40 * time.Second, Trouble: RefuseAll})
	s.Fleet = Fleet{Clients: 2, Loops: 1, Think: 170 * time.Millisecond}
	s.Service.Capacity = 100_000 // 10 µs
	r := Run(s, once.model(NoToken), 1)
	if n := r.Sum(5*time.Second, 15*time.Second).Calls; n < 104 || n > 106 { // 20/0.19
		t.Errorf("%d calls in ten good seconds", n)
	}
	if n := r.Sum(25*time.Second, 35*time.Second).Calls; n < 999 || n > 1001 { // 20/0.02
		t.Errorf("%d calls in ten bad seconds", n)
	}
}
