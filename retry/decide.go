package retry

import (
	"context"
	"fmt"
	"time"
)

// minAttempt is what a wait must leave before the deadline: a shorter attempt would
// only make an unclear outcome more likely.
const minAttempt = 50 * time.Millisecond

// minHold is half of the longest time for which an answer is held back that the budget made
// the call's last.
const minHold = 500 * time.Millisecond

// situation is what the next step is decided by.
type situation struct {
	class       Class
	unwritten   bool // proven: the attempt never reached the wire
	replaySafe  bool
	attempts    int // made so far
	maxAttempts int
	now, end    time.Time
	age         time.Duration // of the token, since the first attempt
	lifetime    time.Duration // of the token; 0 without one
	callerErr   error
	renewed     bool // the credentials are others now
}

// decision is whether to make another attempt, or else why not.
type decision struct {
	retry  bool
	delay  time.Duration // before the attempt, or before the answer is returned
	reason string        // why the call ended
	err    error         // the context's error where time was the reason, or ErrBudget
}

func stop(err error, format string, args ...any) decision {
	return decision{reason: fmt.Sprintf(format, args...), err: err}
}

// decide takes the next step. What cannot be helped comes first, what costs something
// last. The delay is asked for when all before it agree, and the budget when that fits.
func decide(s *situation, delay func(traits) time.Duration, afford func(price) bool) decision {
	t := classTable[s.class]
	if s.class == Success {
		return decision{reason: "success"}
	}
	if s.callerErr != nil {
		return stop(s.callerErr, "the caller's context ended")
	}
	switch {
	case t.retry == never:
		return stop(nil, "%v is not retried", s.class)
	case t.retry == ifRenewed && !s.renewed:
		return stop(nil, "%v is not retried: there are no other credentials", s.class)
	case t.retry == ifReplaySafeOrUnwritten && s.unwritten, t.retry == ifRenewed:
	case t.retry != always && !s.replaySafe:
		return stop(nil, "a repetition is not safe: no client token protects the call")
	}
	if s.attempts >= s.maxAttempts {
		return stop(nil, "%d attempts were made", s.attempts)
	}
	d := delay(t)
	if !s.now.Add(d + minAttempt).Before(s.end) {
		return stop(context.DeadlineExceeded, "a wait of %v would not leave %v before the deadline", d.Round(time.Millisecond), minAttempt)
	}
	if s.lifetime > 0 && s.age+d > s.lifetime {
		return stop(nil, "%v", tokenAgeError(s.lifetime))
	}
	if !afford(t.price) {
		refusal := stop(ErrBudget, "%v: too many of its calls failed lately", ErrBudget)
		refusal.delay = minHold + d%minHold // the delay was drawn at random, and so is what is left of it
		if !s.now.Add(2 * refusal.delay).Before(s.end) {
			refusal.delay = 0 // its caller may have use for the time
		}
		return refusal
	}
	return decision{retry: true, delay: d}
}
