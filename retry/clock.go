package retry

import (
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
)

// skewThreshold is how far the servers' clock may lie from the one that an attempt was
// signed by before a refused timestamp is taken for skew. The servers' window is 15 minutes;
// Date has a resolution of a second and a reply takes a few to arrive.
const skewThreshold = time.Minute

// maxReading is the longest round trip that a clock is read by. Half of it is what the
// reading may be off.
const maxReading = 10 * time.Minute

// clock is what a Transport knows of the servers' clock. Most know nothing, and go by their
// own.
type clock struct{ offset atomic.Int64 }

// ahead is how far the servers' clock is ahead of ours.
func (c *clock) ahead() time.Duration { return time.Duration(c.offset.Load()) }

// learn takes what an attempt's reply tells: a refused timestamp corrects the clock, and any
// reply that shows the clocks to agree again makes us forget the correction.
func (c *clock) learn(class Class, e *evidence, f openapi.Fault) {
	switch {
	case class == ClockSkew:
		c.offset.Store(int64(e.clock().middle()))
	case e.ahead != 0 && class == Rejected && isStale(e, f): // signed by a correction, which does not help
		c.offset.CompareAndSwap(int64(e.ahead), 0)
	case c.ahead() != 0 && e.status != 0:
		if r := e.clock(); r != (reading{}) && r.width() < skewThreshold && r.from(0) < skewThreshold {
			c.offset.Store(0)
		}
	}
}

// reading is what a reply's Date tells of the servers' clock: how far it is ahead of ours at
// least, and at most. The zero reading tells nothing.
type reading struct{ least, most time.Duration }

// readClock reads the Date of a reply that was received at a time, some time after its
// request went out. A reply out of a cache has the Date of another one (RFC 9111, section
// 5.1), and one that was long on its way could be of any time in between.
func readClock(h http.Header, received time.Time, roundTrip time.Duration) reading {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil || len(h["Age"]) > 0 || roundTrip > maxReading {
		return reading{}
	}
	least := date.Sub(received.Round(0))
	return reading{least, least + roundTrip + time.Second}
}

func (r reading) width() time.Duration  { return r.most - r.least }
func (r reading) middle() time.Duration { return r.least + r.width()/2 }

// from is how far the reading is from an offset, at least: 0 if the offset may be right.
func (r reading) from(offset time.Duration) time.Duration {
	switch {
	case r == reading{}:
		return 0
	case offset < r.least:
		return r.least - offset
	case offset > r.most:
		return offset - r.most
	}
	return 0
}

// signingTime returns the time to sign into an attempt that starts now: later than the
// previous one's by a second at least, since "the values of SignatureNonce and
// Timestamp must be different if you retry" and Timestamp counts in seconds. Where a clock
// was set back in between, the Transport's or the machine's, it is another one than all before.
func (c *call) signingTime(now time.Time) time.Time {
	c.ahead = c.t.clock.ahead()
	t := now.Add(c.ahead).UTC().Truncate(time.Second)
	if n := len(c.attempts); n > 0 {
		if next := c.attempts[n-1].SignedAt.Add(time.Second); t.Before(next) && next.Sub(t) <= skewThreshold {
			t = next
		}
	}
	for slices.ContainsFunc(c.attempts, func(a Attempt) bool { return a.SignedAt.Equal(t) }) {
		t = t.Add(time.Second)
	}
	return t
}
