// Package seam hands the decisions of package retry, with time and chance as arguments, to the
// simulation, which runs them for a hundred thousand clients at once. Package retry fills in
// the variables; whoever uses them imports it.
package seam

import "time"

var (
	// Classify classes the reply to an attempt of CreateScalingGroup under a client token; status 0
	// stands for no reply.
	Classify func(status int, body string) Class
	// New returns a client that goes by rules; each zero field means package retry's default.
	New func(Rules) Client
)

// Class is a retry.Class.
type Class uint8

// Client makes the calls of one program, which share a budget. It is safe for concurrent use.
type Client interface {
	// Call begins a replay-safe call that has no deadline but the client's own.
	Call(now time.Time) Call
}

// Call is one logical call.
type Call interface {
	// Timeout is how long an attempt that begins now may last.
	Timeout(now time.Time) time.Duration
	// Next decides what follows an attempt whose reply gave no hint when to come again. Jitter
	// is a random number in [0, 1).
	Next(class Class, now time.Time, jitter float64) Step
}

// Step is what follows an attempt: another one after Delay or, if Retry is false, the end of
// the call, which its caller learns after Delay.
type Step struct {
	Retry   bool
	Delay   time.Duration
	Success bool
	Refused bool // by the budget
}

// Rules are the numbers that a client goes by.
type Rules struct {
	MaxAttempts                 int
	CallTimeout, AttemptTimeout time.Duration
	Transient, Busy             Delay
	Budget                      Budget
}

// Delay is a retry.Delay and the factor by which its ceiling grows.
type Delay struct {
	Base, Max time.Duration
	Growth    float64
}

// Budget is a retry budget in tokens.
type Budget struct {
	Unlimited bool
	Size      int
	Full, Low float64       // what a retry costs after trouble, and after a request for patience
	Earn      float64       // for a success
	Refill    float64       // a second, below Size
	Forget    time.Duration // in which all but 1/e of what is above Size goes
	Most      float64       // in Sizes
}
