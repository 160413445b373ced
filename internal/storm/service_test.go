package storm

import (
	"math"
	"testing"
	"time"
)

// near tells whether a number is another but for a part of it.
func near(got, want, part float64) bool { return math.Abs(got-want) <= part*want }

// The mean wait in a queue with random arrivals and a fixed service time (M/D/1) is
// load/(2·(1-load)) service times.
func TestQueueingTheory(t *testing.T) {
	for _, load := range []float64{0.2, 0.5, 0.8} {
		s := small()
		s.Fleet = Fleet{Clients: 100, Rate: 10 * load}
		s.Service.Capacity = 1000
		s.Duration = 8 * time.Minute
		r := Run(s, once.model(NoToken), 1)
		sum := r.Total()
		if n := 1000 * load * s.Duration.Seconds(); !near(float64(sum.Calls), n, 0.01) || sum.Effects != sum.Calls {
			t.Errorf("load %v: %d calls and %d effects, want %v", load, sum.Calls, sum.Effects, n)
		}
		wait := (r.Latencies.Mean() - 21*time.Millisecond).Seconds() * 1000
		if want := load / (2 * (1 - load)); !near(wait, want, 0.03) {
			t.Errorf("load %v: the mean wait is %.3f service times, want %.3f", load, wait, want)
		}
	}
}

// Nobody waits for a service that has one client in a loop.
func TestNoWait(t *testing.T) {
	s := small()
	s.Fleet = Fleet{Clients: 1, Loops: 1}
	r := Run(s, once.model(NoToken), 1)
	if least, most := r.Latencies.Quantile(0), r.Latencies.Quantile(1); least != most || r.Latencies.Mean() != 30*time.Millisecond {
		t.Errorf("latencies from %v to %v, mean %v", least, most, r.Latencies.Mean())
	}
}

// At twice the load that fits, what is admitted and a twentieth of what is refused fill the
// capacity, and nobody waits for longer than the queue is.
func TestOverload(t *testing.T) {
	s := small()
	s.Fleet = Fleet{Clients: 100, Rate: 20}
	s.Service.Capacity = 1000
	s.Service.Queue = time.Second
	r := Run(s, once.model(NoToken), 1)
	sum := r.Sum(5*time.Second, 55*time.Second)
	if used := float64(sum.Admitted) + float64(sum.Attempts-sum.Admitted)/20; !near(used, 50_000, 0.001) {
		t.Errorf("%.0f requests' worth of 50000", used)
	}
	if slowest := r.Latencies.Quantile(1); !near(slowest.Seconds(), 1.021, 0.005) {
		t.Errorf("the slowest took %v", slowest)
	}
	if sum := r.Total(); sum.Failed == 0 || sum.Effects != sum.Succeeded {
		t.Errorf("%+v", sum)
	}
}

// A server that is behind with refusals for a second leaves out the others.
func TestRefusalsPileUpNoFurther(t *testing.T) {
	s := small()
	s.Fleet = Fleet{Clients: 1, Burst: 100_000}
	s.Service.Queue = 100 * time.Millisecond
	var tally tally
	tally.Result = new(Result)
	v := newService(&s.Service, &tally, NoToken, nil)
	for range s.Fleet.Burst {
		v.serve(new(record), 0)
	}
	if v.idle < 1100*time.Millisecond || v.idle > 1101*time.Millisecond {
		t.Errorf("it is busy for %v", v.idle)
	}
}

func TestQuota(t *testing.T) {
	s := small()
	s.Fleet = Fleet{Clients: 1, Burst: 500}
	s.Service.Quota = 8
	s.Service.Capacity = 10_000
	insistent := trivial{timeout: time.Second, delay: 20 * time.Millisecond}
	r := Run(s, insistent.model(NoToken), 1)
	if n := r.Sum(0, 10*time.Second).Admitted; n < 8+8*10-1 || n > 8+8*10 {
		t.Errorf("%d admitted in ten seconds after a rest", n)
	}
	if n := r.Sum(10*time.Second, 50*time.Second).Admitted; n != 8*40 {
		t.Errorf("%d admitted in forty seconds", n)
	}
}

func TestShare(t *testing.T) {
	s := small(Phase{To: time.Hour, Trouble: FailBefore, Share: 0.3})
	s.Fleet = Fleet{Clients: 100, Rate: 5}
	s.Service.Capacity = 1000
	if sum := Run(s, once.model(NoToken), 1).Total(); !near(float64(sum.Failed), 0.3*float64(sum.Calls), 0.03) {
		t.Errorf("%d of %d failed", sum.Failed, sum.Calls)
	}
}
