// Package storm simulates fleets of client programs that call one service in trouble, in
// virtual time. A run is a pure function of its scenario, model and seed. The model of this
// library is package retry's own policy, backoff, budget and classification.
package storm

import (
	"math/rand/v2"
	"time"

	"github.com/aliretry/aliretry/internal/seam"
)

// Reply is what comes back from one attempt.
type Reply uint8

const (
	OK          Reply = iota
	Refused           // the connection was refused: nothing was done
	Lost              // the connection broke after the request was sent: it may have been done
	TimedOut          // the attempt's timeout passed: it may have been done, or may yet be
	Internal          // 500 InternalError
	Unavailable       // 503 ServiceUnavailable
	Throttled         // 400 Throttling.User
	InProgress        // 403 LastTokenProcessing: the first request under the token is still running
	replies
)

// Step is what follows an attempt: another one after Delay or, if Retry is false, the end of
// the call, which its caller learns after Delay.
type Step = seam.Step

// Model is how a kind of client program calls and retries.
type Model struct {
	Name string
	// Token is what the attempts of one call have in common.
	Token Token
	// Program makes the state that all calls of one client program share.
	Program func() Program
}

// Token tells which client token an attempt carries.
type Token uint8

const (
	NoToken Token = iota
	TokenPerAttempt
	TokenPerCall
)

// Program makes calls.
type Program interface{ Call(now time.Time) Call }

// Call is one logical call.
type Call interface {
	// Timeout is how long an attempt that begins now may last; 0 is for ever.
	Timeout(now time.Time) time.Duration
	// Next decides what follows an attempt.
	Next(reply Reply, now time.Time, random *rand.Rand) Step
}

// Fleet is who calls.
type Fleet struct {
	Clients int
	// Rate is how many calls a second each client begins, at random moments. 0 means that each
	// of its Loops begins a call as soon as the last one has ended.
	Rate  float64
	Loops int
	// Think is how long such a loop rests after a success; after a failure it never does.
	Think time.Duration
	// Burst is how many calls each client begins at the start, in place of a rate.
	Burst int
}

// Service is what is called.
type Service struct {
	Capacity float64       // requests a second
	Queue    time.Duration // the longest wait; beyond it a request gets 503 at once
	Latency  time.Duration // of the network, there and back; it must not be 0, or time might stand still
	Quota    float64       // requests a second of the account, beyond which they get Throttled; 0 is none
	Memory   time.Duration // for how long a token is remembered after it was first seen
	Script   []Phase
}

// Phase is a time of trouble.
type Phase struct {
	From, To time.Duration
	Trouble  Trouble
	// Share is the part of all requests that it strikes; 0 means all.
	Share float64
	// Factor is by how much SlowDown divides the capacity.
	Factor float64
	// Every is the period of a trouble that comes and goes, half of the time each; 0 means that it stays.
	Every time.Duration
}

// Trouble is what happens to a request that a phase strikes.
type Trouble uint8

const (
	RefuseAll  Trouble = iota // connection refused
	BlackHole                 // no reply ever, and nothing is done
	FailBefore                // 500, nothing was done
	FailAfter                 // 500, it was done
	LoseReply                 // it was done, and the connection breaks
	SlowDown                  // the capacity shrinks
	troubles
)

// Scenario is one storm.
type Scenario struct {
	Name     string
	Fleet    Fleet
	Service  Service
	Duration time.Duration
	Deadline time.Duration // within which a call counts as a success
}
