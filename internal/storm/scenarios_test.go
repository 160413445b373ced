package storm

import (
	"reflect"
	"testing"
	"time"

	"github.com/aliretry/aliretry/internal/seam"
	"github.com/aliretry/aliretry/retry"
)

const smallScale = 0.02

var eager = trivial{attempts: 4, timeout: 10 * time.Second}

// What holds of every run: nothing is lost, and nothing comes from nowhere.
func TestConservation(t *testing.T) {
	models := []*Model{
		Ours("ours", seam.Rules{}), Ours("patient", seam.Rules{Budget: seam.Budget{Unlimited: true}}),
		once.model(NoToken), eager.model(NoToken), eager.model(TokenPerAttempt), eager.model(TokenPerCall),
	}
	for _, s := range Scenarios(smallScale) {
		for _, m := range models {
			r := Run(s, m, 1)
			sum := r.Total()
			for what, ok := range map[string]bool{
				"a call ends once":                       sum.Calls == sum.Succeeded+sum.Failed && r.Unfinished == 0,
				"a call has an attempt":                  sum.Attempts >= sum.Calls,
				"no more is admitted than was sent":      sum.Admitted <= sum.Attempts,
				"no more is done than was admitted":      sum.Effects <= sum.Admitted,
				"who succeeded or is orphaned has one":   sum.Effects-sum.Duplicate == sum.Succeeded+sum.Orphaned,
				"only a failed call is refused":          sum.Refused <= sum.Failed && sum.Orphaned <= sum.Failed,
				"only what succeeded is in time":         sum.InTime <= sum.Succeeded,
				"every end is timed":                     r.Latencies.Count() == sum.Succeeded && r.FailedAfter.Count() == sum.Failed,
				"one token for all attempts, one effect": m.Token != TokenPerCall || sum.Duplicate == 0,
				"no call begins after the end":           r.Sum(s.Duration, never).Calls == 0,
			} {
				if !ok {
					t.Errorf("%s, %s: not so: %s: %+v, %d unfinished", s.Name, m.Name, what, sum, r.Unfinished)
				}
			}
		}
	}
}

func TestDeterminism(t *testing.T) {
	for _, s := range Scenarios(0.01) {
		m := Ours("ours", seam.Rules{})
		one, same, other := Run(s, m, 1), Run(s, m, 1), Run(s, m, 2)
		if !reflect.DeepEqual(one, same) {
			t.Errorf("%s: two runs from one seed differ", s.Name)
		}
		if s.Fleet.Burst == 0 && reflect.DeepEqual(one, other) {
			t.Errorf("%s: two seeds give the same run", s.Name)
		}
	}
}

// Whatever the model does, the calls come when they come.
func TestSameCallsForAllModels(t *testing.T) {
	s := OutageBusy(smallScale)
	one, other := Run(s, once.model(NoToken), 1), Run(s, eager.model(TokenPerCall), 1)
	for i := range int(s.Duration / time.Second) {
		if one.Seconds[i].Calls != other.Seconds[i].Calls {
			t.Fatalf("%d and %d calls begin in second %d", one.Seconds[i].Calls, other.Seconds[i].Calls, i)
		}
	}
}

// Where 5% of the replies are lost, calls of up to four attempts without a token have
// 0.05 + 0.05² + 0.05³ duplicates each.
func TestDuplicatesOfLostReplies(t *testing.T) {
	r := Run(Lost5(0.2), eager.model(NoToken), 1)
	if got := r.DuplicatesPer1000(); !near(got, 52.625, 0.03) {
		t.Errorf("%.2f duplicates for a thousand calls", got)
	}
	if got := r.ExtraLoad(0, r.Scenario.Duration); !near(got, 0.052625, 0.03) {
		t.Errorf("extra load %.4f", got)
	}
}

// A small scenario has the shape of the full one, down to a twentieth, which is one of 20 clients.
func TestScale(t *testing.T) {
	const scale = 0.05
	full := Scenarios(1)
	for i, s := range Scenarios(scale) {
		f := full[i]
		if !near(s.Service.Capacity, f.Service.Capacity*scale, 1e-9) || !near(s.Offered(), f.Offered()*scale, 1e-9) ||
			!near(s.Service.Quota, f.Service.Quota*scale, 1e-9) || s.Duration != f.Duration || !reflect.DeepEqual(s.Service.Script, f.Service.Script) {
			t.Errorf("%s: %+v, full size %+v", s.Name, s, f)
		}
	}
}

func TestOurClasses(t *testing.T) {
	want := [replies]retry.Class{
		OK: retry.Success, Refused: retry.NoResponse, Lost: retry.NoResponse, TimedOut: retry.NoResponse,
		Internal: retry.ServerError, Unavailable: retry.Unavailable, Throttled: retry.Throttled, InProgress: retry.InProgress,
	}
	for reply, class := range classify() {
		if got := retry.Class(class); got != want[reply] {
			t.Errorf("reply %d: %v, want %v", reply, got, want[reply])
		}
	}
}

// A model goes by its rules, and who is refused by the budget is told so after half a second or more.
func TestOurRules(t *testing.T) {
	s := OutageBusy(smallScale)
	from, to := s.Trouble()
	if r := Run(s, Ours("once", seam.Rules{MaxAttempts: 1}), 1); r.Amplification(from, to) != 1 || r.Total().Refused != 0 {
		t.Errorf("one attempt a call: %v, %+v", r.Amplification(from, to), r.Total())
	}
	unlimited := seam.Rules{MaxAttempts: 3, Budget: seam.Budget{Unlimited: true}}
	if r := Run(s, Ours("unlimited", unlimited), 1); !near(r.Amplification(from, to), 3, 0.01) || r.Total().Refused != 0 {
		t.Errorf("three attempts a call: %v, %+v", r.Amplification(from, to), r.Total())
	}
	r := Run(s, Ours("defaults", seam.Rules{}), 1)
	if sum := r.Total(); sum.Refused == 0 || r.FailedAfter.Quantile(0.01) < 500*time.Millisecond {
		t.Errorf("%+v, and the first learn it after %v", sum, r.FailedAfter.Quantile(0.01))
	}
}

func BenchmarkOutageIdle(b *testing.B) {
	s, m := OutageIdle(1), Ours("ours", seam.Rules{})
	b.ReportAllocs()
	for b.Loop() {
		Run(s, m, 1)
	}
}
