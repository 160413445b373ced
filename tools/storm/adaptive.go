package main

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/aliretry/aliretry/internal/storm"
)

// adaptive is a model whose programs hold attempts back at a rate that they learn from Throttled
// replies, as the adaptive mode of the AWS SDKs does (aws-sdk-go-v2 v1.47.7,
// aws/retry/adaptive_ratelimit.go).
//
// The simulation sends the first attempt of a call at once. Where programs call in loops, so that a
// call begins as another one ends, that end is held back in its place: what a service sees is the
// same, and a latency counts for the call before. Where they do not, a call that has begun is only
// held back from its second attempt on.
func adaptive(m *storm.Model, loops bool) *storm.Model {
	held := *m
	held.Name = m.Name + " and an adaptive limit"
	held.Program = func() storm.Program { return &adaptiveProgram{Program: m.Program(), loops: loops} }
	return &held
}

// The numbers of the AWS SDKs.
const (
	cut       = 0.7 // what a Throttled reply leaves of the rate
	curve     = 0.4 // how steeply the rate grows again, in attempts a second, per cubic second
	smoothing = 0.8 // the weight of the latest half second in the rate that is measured
	leastRate = 0.5
)

// adaptiveProgram limits nothing before the first Throttled reply.
type adaptiveProgram struct {
	storm.Program
	loops     bool
	rate      float64   // attempts a second; 0 means no limit yet
	peak      float64   // the rate at which replies were last Throttled
	throttled time.Time // when that was
	next      time.Time // when the next attempt may be sent
	measured  float64   // attempts a second
	sent      int       // since the measuring
	since     time.Time
}

func (p *adaptiveProgram) Call(now time.Time) storm.Call {
	return &adaptiveCall{Call: p.Program.Call(now), program: p}
}

// hold is for how long an attempt that is ready now has to wait for its place in the line.
func (p *adaptiveProgram) hold(now time.Time) time.Duration {
	if p.rate == 0 {
		return 0
	}
	if p.next.Before(now) {
		p.next = now
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(float64(time.Second) / p.rate))
	return wait
}

// answered adapts the rate: CUBIC, as in congestion control, but no faster than twice what is sent.
func (p *adaptiveProgram) answered(reply storm.Reply, now time.Time) {
	p.measure(now)
	rate := p.measured
	switch {
	case reply == storm.Throttled:
		if p.rate > 0 {
			rate = min(rate, p.rate)
		}
		p.peak, p.throttled = rate, now
		rate *= cut
	case p.rate == 0:
		return
	default:
		back := math.Cbrt(p.peak * (1 - cut) / curve) // seconds until the rate is at its peak again
		rate = curve*math.Pow(now.Sub(p.throttled).Seconds()-back, 3) + p.peak
	}
	p.rate = max(leastRate, min(rate, 2*p.measured))
}

func (p *adaptiveProgram) measure(now time.Time) {
	p.sent++
	if p.since.IsZero() {
		p.since = now
	}
	const window = time.Second / 2
	if passed := now.Sub(p.since); passed >= window {
		p.measured = smoothing*float64(p.sent)/passed.Seconds() + (1-smoothing)*p.measured
		p.sent, p.since = 0, now
	}
}

type adaptiveCall struct {
	storm.Call
	program *adaptiveProgram
}

func (c *adaptiveCall) Next(reply storm.Reply, now time.Time, random *rand.Rand) storm.Step {
	c.program.answered(reply, now)
	step := c.Call.Next(reply, now, random)
	if !step.Retry && !c.program.loops {
		return step
	}
	step.Delay = max(step.Delay, c.program.hold(now))
	if step.Retry && c.Call.Timeout(now.Add(step.Delay)) <= 0 { // the line is longer than the call may last
		return storm.Step{}
	}
	return step
}

// throttledLoops are programs whose workers offer four times what the account's quota allows. They do
// not rest between calls, or a held end would not be the same as a held beginning.
func throttledLoops(scale float64) *storm.Scenario {
	s := &storm.Scenario{
		Name: "throttled-loops", Duration: 5 * time.Minute, Deadline: 2 * time.Minute,
		Fleet:   storm.Fleet{Clients: max(1, int(20*scale)), Loops: 8},
		Service: storm.Service{Queue: 5 * time.Second, Latency: 200 * time.Millisecond, Memory: 24 * time.Hour},
	}
	s.Service.Quota = s.Offered() / 4
	s.Service.Capacity = 10 * s.Offered()
	return s
}

// adaptive compares our client with and without an adaptive limit where an account is throttled.
func (s *study) adaptive(ids ...string) (string, error) {
	plain := s.models[0]
	burst := storm.ThrottledBurst(s.scale)
	loops := throttledLoops(s.scale)
	outcomes := runAll([]job{{burst, plain}, {burst, adaptive(plain, false)}, {loops, plain}, {loops, adaptive(plain, true)}}, s.seed)
	return tableOf("scenario, client", func(o *outcome) string { return o.scenario + ", " + o.model }, outcomes, ids)
}
