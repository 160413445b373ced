package storm

import "time"

// Scenarios returns all scenarios at a scale: 1 is the full size, and 0.05 has a
// twentieth of the clients and of the capacity.
func Scenarios(scale float64) []*Scenario {
	return []*Scenario{
		OutageBusy(scale), OutageIdle(scale), OutageHang(scale), Errors5(scale), Lost5(scale), BrownOut(scale), BrownOutDeep(scale),
		Partial30(scale), Flapping(scale), ThrottledBurst(scale), ThrottledLong(scale), Blip(scale), HotLoop(scale),
	}
}

// Trouble returns when the scenario's trouble begins and when it is over, 0 and 0 if it has none.
func (s *Scenario) Trouble() (from, to time.Duration) {
	for i, p := range s.Service.Script {
		if i == 0 || p.From < from {
			from = p.From
		}
		to = max(to, p.To)
	}
	return from, to
}

// Offered is how many calls a second the fleet begins when all is well.
func (s *Scenario) Offered() float64 {
	f := &s.Fleet
	if f.Rate > 0 {
		return float64(f.Clients) * f.Rate
	}
	return float64(f.Clients*f.Loops) / (s.Service.Latency + f.Think).Seconds()
}

// scenario returns one in which the capacity is so many times what the fleet offers.
func scenario(name string, fleet Fleet, margin float64, duration time.Duration, script ...Phase) *Scenario {
	s := &Scenario{
		Name: name, Fleet: fleet, Duration: duration, Deadline: 2 * time.Minute,
		Service: Service{Queue: 5 * time.Second, Latency: 20 * time.Millisecond, Memory: 24 * time.Hour, Script: script},
	}
	s.Service.Capacity = margin * s.Offered()
	return s
}

// fleet returns clients that call at random.
func fleet(clients int, scale, rate float64) Fleet {
	return Fleet{Clients: scaled(clients, scale), Rate: rate}
}

func scaled(n int, scale float64) int { return max(1, int(float64(n)*scale+0.5)) }

// OutageBusy refuses all connections of busy clients for ten minutes.
func OutageBusy(scale float64) *Scenario {
	return scenario("outage-busy", fleet(2000, scale, 1), 1.5, 20*time.Minute,
		Phase{From: 5 * time.Minute, To: 15 * time.Minute, Trouble: RefuseAll})
}

// OutageIdle refuses all connections of very many clients that seldom call, none of which meets
// many failures of its own.
func OutageIdle(scale float64) *Scenario {
	return scenario("outage-idle", fleet(100_000, scale, 1./60), 1.5, 30*time.Minute,
		Phase{From: 10 * time.Minute, To: 20 * time.Minute, Trouble: RefuseAll})
}

// OutageHang is an outage in which no reply comes at all.
func OutageHang(scale float64) *Scenario {
	return scenario("outage-hang", fleet(2000, scale, 1), 1.5, 20*time.Minute,
		Phase{From: 5 * time.Minute, To: 15 * time.Minute, Trouble: BlackHole})
}

// Errors5 has 5% of errors, half of them before the effect and half after it.
func Errors5(scale float64) *Scenario {
	const duration = 10 * time.Minute
	return scenario("errors-5", fleet(2000, scale, 1), 1.5, duration,
		Phase{To: duration, Trouble: FailBefore, Share: 0.025}, Phase{To: duration, Trouble: FailAfter, Share: 0.025})
}

// Lost5 loses 5% of the replies.
func Lost5(scale float64) *Scenario {
	const duration = 10 * time.Minute
	return scenario("lost-5", fleet(2000, scale, 1), 1.5, duration, Phase{To: duration, Trouble: LoseReply, Share: 0.05})
}

// BrownOut halves the capacity for five minutes, which is then too little, and asks who stays down
// when it is back.
func BrownOut(scale float64) *Scenario {
	return scenario("brown-out", fleet(2000, scale, 1), 1.3, 20*time.Minute,
		Phase{From: 5 * time.Minute, To: 10 * time.Minute, Trouble: SlowDown, Factor: 2})
}

// BrownOutDeep is a brown-out of a service whose queue is longer than clients wait: it
// works for those that have given up.
func BrownOutDeep(scale float64) *Scenario {
	s := BrownOut(scale)
	s.Name, s.Service.Queue = "brown-out-deep", 30*time.Second
	return s
}

// Partial30 fails 30% of the requests for ten minutes.
func Partial30(scale float64) *Scenario {
	return scenario("partial-30", fleet(2000, scale, 1), 1.5, 20*time.Minute,
		Phase{From: 5 * time.Minute, To: 15 * time.Minute, Trouble: FailBefore, Share: 0.3})
}

// Flapping refuses all connections for every other half minute.
func Flapping(scale float64) *Scenario {
	return scenario("flapping", fleet(2000, scale, 1), 1.5, 20*time.Minute,
		Phase{From: 5 * time.Minute, To: 15 * time.Minute, Trouble: RefuseAll, Every: time.Minute})
}

// ThrottledBurst creates at once what the account's quota allows in 100 seconds: patience pays.
func ThrottledBurst(scale float64) *Scenario {
	f := Fleet{Clients: scaled(20, scale), Burst: 100}
	s := scenario("throttled-burst", f, 0, 3*time.Minute)
	s.Service.Quota = float64(f.Clients)
	s.Service.Capacity = 100 * s.Service.Quota
	return s
}

// ThrottledLong offers half as much again as the account's quota for ten minutes.
func ThrottledLong(scale float64) *Scenario {
	s := scenario("throttled-long", fleet(200, scale, 0.5), 10, 10*time.Minute)
	s.Service.Quota = s.Offered() / 1.5
	return s
}

// Blip refuses all connections of very busy clients for two seconds.
func Blip(scale float64) *Scenario {
	return scenario("blip", fleet(20, scale, 50), 1.5, 3*time.Minute,
		Phase{From: time.Minute, To: time.Minute + 2*time.Second, Trouble: RefuseAll})
}

// HotLoop refuses all connections of loops that call again as soon as a call has failed.
func HotLoop(scale float64) *Scenario {
	f := Fleet{Clients: scaled(20, scale), Loops: 64, Think: 100 * time.Millisecond}
	return scenario("hot-loop", f, 1.5, 4*time.Minute,
		Phase{From: time.Minute, To: 2 * time.Minute, Trouble: RefuseAll})
}
