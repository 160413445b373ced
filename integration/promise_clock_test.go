package integration

import (
	"iter"
	"slices"
	"time"

	"github.com/aliretry/aliretry/retry"
)

// checkClock checks that a refused timestamp is put right at once, for this call and for
// those that follow.
func (k *checker) checkClock(c *madeCall) {
	wire := k.onWire(c)
	for i, a := range c.info.Attempts {
		seen, arrived := wire[a.Nonce]
		if !arrived || seen.Problem != "InvalidTimeStamp.Expired" {
			continue
		}
		known := k.clockKnown(c, a.Start)
		if i > 0 && c.info.Attempts[i-1].Class == retry.ClockSkew {
			known = c.info.Attempts[i-1].Start
		}
		if !known.IsZero() && !k.clockChanged(known, seen.Received) && !k.clockMistaken(c, known) && !k.clockForgotten(c, known, a.Start) {
			k.broken("attempt %d was refused for its time, which was known since %v", a.Number, known.Sub(k.began))
		}
	}
}

// clockKnown returns when the latest attempt began by which the call's Transport had learnt
// the server's clock before a time, zero if it had not.
func (k *checker) clockKnown(c *madeCall, before time.Time) (began time.Time) {
	for a := range k.sharing(c) {
		if a.Class == retry.ClockSkew && a.Start.Add(a.Duration).Before(before) && a.Start.After(began) {
			began = a.Start
		}
	}
	return began
}

// clockMistaken reports whether a reply of an older clock came in after a time: it was on
// its way when the clock changed, and nobody can tell.
func (k *checker) clockMistaken(c *madeCall, known time.Time) bool {
	for a := range k.sharing(c) {
		if a.Start.Before(known) && !a.Start.Add(a.Duration).Before(known) && k.clockChanged(a.Start, known) {
			return true
		}
	}
	return false
}

// clockForgotten reports whether, between two times, an attempt was refused although it went
// by the server's clock, which nothing but forgetting can mend.
func (k *checker) clockForgotten(c *madeCall, known, before time.Time) bool {
	for a := range k.sharing(c) {
		if a.Class == retry.Rejected && a.Code == "InvalidTimeStamp.Expired" && !a.Start.Before(known) && !a.Start.Add(a.Duration).After(before) {
			return true
		}
	}
	return false
}

// sharing returns all attempts on the call's Transport.
func (k *checker) sharing(c *madeCall) iter.Seq[retry.Attempt] {
	return func(yield func(retry.Attempt) bool) {
		for _, other := range k.calls {
			if (other.resumes == nil) != (c.resumes == nil) {
				continue
			}
			for _, a := range other.info.Attempts {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// clockChanged reports whether the server's clock was changed in a span of time.
func (k *checker) clockChanged(from, to time.Time) bool {
	return slices.ContainsFunc(k.plan.clock, func(change clockChange) bool {
		at := k.began.Add(change.at)
		return !at.Before(from) && !at.After(to)
	})
}
