package retry

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"time"

	"github.com/google/uuid"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/internal/signing"
)

// attemptTimeoutError is what an attempt that took too long has failed with.
type attemptTimeoutError struct {
	after time.Duration
	last  bool // the time of the whole call ended with the attempt's
}

func (e attemptTimeoutError) Error() string {
	return fmt.Sprintf("no whole reply within the attempt's %v", e.after.Round(time.Millisecond))
}

// Timeout reports true, as in [net.Error].
func (attemptTimeoutError) Timeout() bool { return true }

// Is lets [errors.Is] find the context's error where the call's deadline was the reason.
func (e attemptTimeoutError) Is(target error) bool {
	return e.last && target == context.DeadlineExceeded
}

// attempt signs the request, sends it once, reads what comes back and classes it. An
// error tells that nothing could be signed, and so nothing was sent.
func (c *call) attempt() (Attempt, *reply, error) {
	if err := c.limit(); err != nil {
		return Attempt{}, nil, err
	}
	credentials, err := c.credentials()
	if err != nil {
		return Attempt{}, nil, err
	}
	now := time.Now()
	if err := c.timeLeft(now); err != nil { // the limiter or fetching credentials may have taken it
		return Attempt{}, nil, err
	}
	base := c.attemptBase()
	ours, own := base.(*ownBase)
	a := Attempt{Number: len(c.attempts) + 1, Nonce: uuid.NewString(), Start: now}
	a.SignedAt = c.signingTime(a.Start)
	watch := newWireWatch(own)
	ctx, cancel := context.WithCancelCause(&c.ctx)
	req := c.wire.WithContext(httptrace.WithClientTrace(ctx, &watch.hooks))
	asksGzip := own && !ours.DisableCompression && !c.asIs
	if !c.above.private || !own || asksGzip || len(c.hooks) > 0 || c.request.Style != openapi.RPC {
		// Some bases add to it, and net/http may still read it when the caller has the reply.
		req.Header = c.wire.Header.Clone()
	}
	if err := c.prepared.Sign(req, signing.Key(credentials), signing.Stamp{Nonce: a.Nonce, Time: a.SignedAt}); err != nil {
		cancel(nil)
		return Attempt{}, nil, fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	sendOnce(req, own)
	if asksGzip {
		req.Header["Accept-Encoding"] = []string{"gzip"} // else net/http takes a cut-off empty body for a whole one
	}
	c.hooks.attemptStart(a)
	c.hooks.addTo(req.Header, a)

	limit, left := c.policy.AttemptTimeout, c.end.Sub(a.Start)
	timeout := attemptTimeoutError{min(limit, left), left <= limit}
	timer := time.AfterFunc(timeout.after, func() { cancel(timeout) })
	r := &c.reply
	*r = reply{}
	e := evidence{request: &c.request, method: c.method, replaySafe: c.replaySafe, retryable: c.operation.RetryableCodes,
		sent: a.Start, ahead: c.ahead}
	if r.resp, e.err = base.RoundTrip(req); e.err == nil {
		e.err = r.read(&e, req, c.policy.MaxReply)
	}
	timer.Stop()
	if r.rest != nil {
		r.rest.cancel, r.rest.call = cancel, c // the reader of the stream ends it
	} else {
		cancel(nil)
	}

	r.ended = time.Now()
	a.Duration = r.ended.Sub(a.Start)
	r.at = r.ended.Add(c.ahead)
	e.callerErr = c.caller.Err()
	if e.err != nil {
		if cause := context.Cause(ctx); e.callerErr == nil && isAttemptTimeout(cause) {
			e.err = cause
		}
		r.err = Redact(e.err)
	}
	r.class, r.fault = classify(&e)
	c.t.clock.learn(r.class, &e, r.fault)
	r.fault.Message = conceal(r.fault.Message, credentials)
	r.unwritten = watch.unwritten()
	r.effect = effectOf(r.class, r.unwritten)
	a.Class, a.Status, a.Err = r.class, e.status, r.err
	a.Code, a.Message, a.RequestID = r.fault.Code, r.fault.Message, r.fault.RequestID
	if a.RequestID == "" && r.resp != nil {
		a.RequestID = openapi.ClipID(r.resp.Header.Get("X-Acs-Request-Id"))
	}
	return a, r, nil
}

func isAttemptTimeout(err error) bool {
	_, ok := err.(attemptTimeoutError)
	return ok
}

// timeLeft returns why no attempt can begin now, or nil.
func (c *call) timeLeft(now time.Time) error {
	if err := c.caller.Err(); err != nil {
		return err
	}
	if !now.Before(c.end) {
		return context.DeadlineExceeded
	}
	// A wait may have lasted longer than was meant, on a machine that slept; and under a key the
	// token may have been sent before the first attempt.
	if lifetime := c.tokenLifetime(); (len(c.attempts) > 0 || c.keyed != nil) && lifetime > 0 && c.age(now) > lifetime {
		return tokenAgeError(lifetime)
	}
	return nil
}

// tokenAgeError tells that a token is too old to be sent again.
type tokenAgeError time.Duration

func (e tokenAgeError) Error() string {
	return fmt.Sprintf("the client token is older than %v", time.Duration(e))
}
