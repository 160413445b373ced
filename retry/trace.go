package retry

import "context"

// Trace is a set of hooks, each optional, that tell what happens in a call. They run in
// the call's goroutine, one after another, and should return quickly. A Trace may be
// shared by many calls and is then used from many goroutines at once.
//
// The values given hold no secrets, and stay valid after the hook has returned.
type Trace struct {
	// CallStart runs when the operation and the client token of a call are settled and
	// nothing has been sent.
	CallStart func(Info)
	// AttemptStart runs before each attempt, which so far has its Number, Nonce,
	// SignedAt and Start.
	AttemptStart func(Attempt)
	// AttemptEnd runs after each attempt and is given all of it, Wait included: what
	// follows has been decided.
	AttemptEnd func(Attempt)
	// Wait runs before each delay, which is the attempt's Wait.
	Wait func(Attempt)
	// CallEnd runs once for every call, also for one that was refused unsent.
	CallEnd func(Info)
}

// traces are the hooks of one call: the Transport's and the context's.
type traces [2]*Trace

func tracesOf(t *Transport, ctx context.Context) traces {
	own, _ := ctx.Value(traceKey{}).(*Trace)
	return traces{t.Trace, own}
}

func (ts traces) callStart(c *call) {
	for _, t := range ts {
		if t != nil && t.CallStart != nil {
			t.CallStart(c.snapshot())
		}
	}
}

func (ts traces) attemptStart(a Attempt) {
	for _, t := range ts {
		if t != nil && t.AttemptStart != nil {
			t.AttemptStart(a)
		}
	}
}

func (ts traces) attemptEnd(a Attempt) {
	for _, t := range ts {
		if t != nil && t.AttemptEnd != nil {
			t.AttemptEnd(a)
		}
	}
}

func (ts traces) wait(a Attempt) {
	for _, t := range ts {
		if t != nil && t.Wait != nil {
			t.Wait(a)
		}
	}
}

func (ts traces) callEnd(c *call) {
	for _, t := range ts {
		if t != nil && t.CallEnd != nil {
			t.CallEnd(c.snapshot())
		}
	}
}
