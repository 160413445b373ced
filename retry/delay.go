package retry

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// maxHint bounds by how much a server's hint may lengthen our own delay: a server that
// asks for a day does not get it, and hints do not bring clients into step.
const maxHint = 5 * time.Second

// delays are the backoffs of one call, made when first needed. They grow separately:
// trouble on the way says nothing of the server's load.
type delays struct {
	policy          *Policy
	growth          *[delayKinds]float64 // of the ceilings
	transient, busy *backoff.ExponentialBackOff
}

// defaultGrowth are the factors from one ceiling to the next. The faster delays grow, the
// longer is the outage that a few attempts outlast.
var defaultGrowth = [delayKinds]float64{transientDelay: 4, busyDelay: 3}

// next returns the delay that follows an attempt of the given traits. Jitter is a
// random number in [0, 1); hint is the server's, 0 for none.
func (d *delays) next(t traits, jitter float64, hint time.Duration) time.Duration {
	var delay time.Duration
	switch t.delay {
	case transientDelay:
		delay = time.Duration(jitter * float64(ceiling(&d.transient, d.policy.Transient, d.growth[t.delay])))
	case busyDelay:
		delay = time.Duration((1 + jitter) / 2 * float64(ceiling(&d.busy, d.policy.Busy, d.growth[t.delay])))
	}
	if t.hint {
		delay = min(max(delay, hint), delay+maxHint)
	}
	return delay
}

// ceiling returns the next ceiling of one backoff. Its own jitter is switched off: ours
// is drawn below the ceiling after it was capped.
func ceiling(b **backoff.ExponentialBackOff, d Delay, growth float64) time.Duration {
	if *b == nil {
		*b = backoff.NewExponentialBackOff(
			backoff.WithInitialInterval(d.Base), backoff.WithMaxInterval(d.Max), backoff.WithMultiplier(growth),
			backoff.WithRandomizationFactor(0), backoff.WithMaxElapsedTime(0))
	}
	return (*b).NextBackOff()
}

// hintOf reads how long a reply asks to wait, 0 if it does not: Retry-After in seconds
// or as a date (RFC 9110, section 10.2.3), x-acs-retry-after in milliseconds (V2 SDK
// 2.2), or TimeLeft in milliseconds (V2 SDK 2.1).
func hintOf(h http.Header, now time.Time) time.Duration {
	if v := h.Get("Retry-After"); v != "" {
		if seconds, err := strconv.ParseUint(v, 10, 31); err == nil {
			return time.Duration(seconds) * time.Second
		}
		if at, err := http.ParseTime(v); err == nil {
			return max(0, at.Sub(now))
		}
	}
	if ms, err := strconv.ParseUint(h.Get("X-Acs-Retry-After"), 10, 31); err == nil {
		return time.Duration(ms) * time.Millisecond
	}
	for _, name := range [...]string{"X-Ratelimit-User-Api", "X-Ratelimit-User"} {
		_, left, _ := strings.Cut(h.Get(name), "TimeLeft:")
		left, _, _ = strings.Cut(left, ",")
		if ms, err := strconv.ParseUint(strings.TrimSpace(left), 10, 31); err == nil {
			return time.Duration(ms) * time.Millisecond
		}
	}
	return 0
}
