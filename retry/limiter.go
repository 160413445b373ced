package retry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limiter holds attempts back, the first of each call included: to keep below a quota that
// the account has, say, by itself or together with other processes. It must be safe for
// concurrent use.
type Limiter interface {
	// Wait returns nil when an attempt of the operation may be sent, or an error, and then the
	// call ends; the error is wrapped by an [Error]. It must return soon after its context ends,
	// which is 50 ms before the call would: waiting takes from the call's time, not from the
	// attempt's. The operation may be the SDK's look-up of an endpoint, "Location 2015-06-12
	// DescribeEndpoints".
	Wait(ctx context.Context, operation Operation) error
}

// ErrLimiter: the Transport's Limiter refused an attempt, the first or a later one; the
// Outcome tells what is known. Its own error is wrapped too.
var ErrLimiter = errors.New("the limiter allowed no attempt")

// limit asks the Limiter for one attempt.
func (c *call) limit() error {
	if c.t.Limiter == nil {
		return nil
	}
	end := c.end
	if before := end.Add(-minAttempt); time.Now().Before(before) {
		end = before // as a wait of ours, it has to leave the attempt some time
	}
	ctx, cancel := context.WithDeadline(foreignContext{c.caller}, end)
	defer cancel()
	if err := c.t.Limiter.Wait(ctx, c.operation); err != nil {
		return fmt.Errorf("%w: %w", ErrLimiter, Redact(err))
	}
	return nil
}
