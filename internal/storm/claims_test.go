package storm

import (
	"flag"
	"testing"
	"time"

	"github.com/aliretry/aliretry/internal/seam"
)

// Full size is what docs/storm.md reports: go test ./internal/storm -run Claim -scale 1
var scale = flag.Float64("scale", 0.02, "size of the claims' scenarios")

func ours() *Model { return Ours("ours", seam.Rules{}) }

// In an outage of ten minutes, retries add a fifth to the load of busy clients at most, and
// no more than the calls themselves to that of clients that call once a minute.
func TestClaimExtraLoadInAnOutage(t *testing.T) {
	for _, tt := range []struct {
		scenario *Scenario
		most     float64
	}{
		{OutageBusy(*scale), 0.2}, {OutageHang(*scale), 0.2}, {OutageIdle(*scale), 1},
	} {
		from, to := tt.scenario.Trouble()
		r := Run(tt.scenario, ours(), 1)
		if got := r.ExtraLoad(from, to); got > tt.most || got <= 0 {
			t.Errorf("%s: extra load %.3f, want at most %v", tt.scenario.Name, got, tt.most)
		}
		// The bound is the budget's work: without it the same client goes far beyond.
		r = Run(tt.scenario, Ours("unlimited", seam.Rules{Budget: seam.Budget{Unlimited: true}}), 1)
		if got := r.ExtraLoad(from, to); got < 5 {
			t.Errorf("%s: extra load %.3f without a budget", tt.scenario.Name, got)
		}
	}
}

// Once the trouble is over, our calls succeed again at least as soon as those of every other
// client that keeps its load below what the service can bear.
func TestClaimRecovery(t *testing.T) {
	for _, s := range []*Scenario{OutageBusy(*scale), OutageIdle(*scale), OutageHang(*scale), BrownOut(*scale), Flapping(*scale), Partial30(*scale)} {
		_, to := s.Trouble()
		after, ok := Run(s, ours(), 1).TimeToRecover(to)
		if !ok {
			t.Errorf("%s: ours does not recover", s.Name)
		}
		for _, m := range Peers() {
			r := Run(s, m, 1)
			theirs, recovers := r.TimeToRecover(to)
			// Its load is what is still sent when the calls that met the trouble might have ended.
			bearable := r.Amplification(to, to+time.Minute)*s.Offered() < s.Service.Capacity
			if recovers && bearable && theirs < after {
				t.Errorf("%s: ours recovers after %v, %s after %v", s.Name, after, m.Name, theirs)
			}
		}
	}
}

// With 5% of errors, or of replies lost, at normal load, 999 calls of 1,000 succeed, and 99% of
// them within half a second.
func TestClaimSuccess(t *testing.T) {
	for _, s := range []*Scenario{Errors5(5 * *scale), Lost5(5 * *scale)} {
		r := Run(s, ours(), 1)
		if got := r.SuccessShare(0, s.Duration); got < 0.999 {
			t.Errorf("%s: %.5f of the calls succeed", s.Name, got)
		}
		if p99 := r.Latencies.Quantile(0.99); p99 > 500*time.Millisecond {
			t.Errorf("%s: p99 %v", s.Name, p99)
		}
	}
}

// While the service remembers tokens, no call has two effects, whatever the scenario; a client
// without a token that retries as often has them.
func TestClaimNoDuplicates(t *testing.T) {
	for _, s := range Scenarios(*scale) {
		if got := Run(s, ours(), 1).Total().Duplicate; got != 0 {
			t.Errorf("%s: %d duplicates", s.Name, got)
		}
	}
	if got := Run(Lost5(*scale), AutoRetry(), 1).DuplicatesPer1000(); got < 40 {
		t.Errorf("AutoRetry makes %v duplicates per 1,000 calls, want about 52", got)
	}
	forgetful := Lost5(*scale)
	forgetful.Service.Memory = 10 * time.Millisecond
	if Run(forgetful, ours(), 1).Total().Duplicate == 0 {
		t.Error("no duplicates although the service forgets: the test shows nothing")
	}
}

// A burst of creates that its account's quota could serve in 100 s is served; cheaper calls
// that give up sooner, as others do, are not.
func TestClaimPatience(t *testing.T) {
	s := ThrottledBurst(max(0.1, *scale))
	if got := Run(s, ours(), 1).SuccessShare(0, s.Duration); got < 0.9 {
		t.Errorf("%.2f of the calls succeed", got)
	}
	if got := Run(s, AWSStandard2026(), 1).SuccessShare(0, s.Duration); got > 0.1 {
		t.Errorf("%.2f of the AWS SDK's calls succeed: no longer a difference", got)
	}
}

// Loops that begin a call as soon as one has failed do not add to the load in an outage,
// because an answer is held back when the budget is spent.
func TestClaimHotLoops(t *testing.T) {
	s := HotLoop(*scale)
	from, to := s.Trouble()
	load := func(m *Model) float64 {
		r := Run(s, m, 1)
		return float64(r.Sum(from, to).Attempts) / float64(r.Sum(0, from).Attempts)
	}
	if got := load(ours()); got > 0.5 {
		t.Errorf("the load in the outage is %.2f times that before it", got)
	}
	if got := load(AWSStandard2026()); got < 3 {
		t.Errorf("the load of loops around the AWS SDK is %.2f times that before the outage: no longer a difference", got)
	}
}
