package storm

import (
	"math/rand/v2"
	"time"
)

// trivial calls again after everything but OK, a given number of times.
type trivial struct {
	attempts             int
	timeout, delay, hold time.Duration
}

func (p trivial) model(token Token) *Model {
	return &Model{Name: "trivial", Token: token, Program: func() Program { return p }}
}

func (p trivial) Call(time.Time) Call { return &trivialCall{p, p.attempts} }

type trivialCall struct {
	trivial
	left int
}

func (c *trivialCall) Timeout(time.Time) time.Duration { return c.timeout }

func (c *trivialCall) Next(reply Reply, _ time.Time, _ *rand.Rand) Step {
	c.left--
	switch {
	case reply == OK:
		return Step{Success: true}
	case c.left == 0:
		return Step{Delay: c.hold}
	}
	return Step{Retry: true, Delay: c.delay}
}

// once never repeats a call.
var once = trivial{attempts: 1, timeout: 10 * time.Second}

// small is a scenario of one call to a service that needs 10 ms for it.
func small(script ...Phase) *Scenario {
	return &Scenario{
		Name: "small", Fleet: Fleet{Clients: 1, Burst: 1}, Duration: time.Minute, Deadline: time.Minute,
		Service: Service{Capacity: 100, Queue: 5 * time.Second, Latency: 20 * time.Millisecond, Memory: time.Hour, Script: script},
	}
}
