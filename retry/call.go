package retry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/internal/signing"
	"github.com/aliretry/aliretry/signer"
)

// call is one logical call on its way.
type call struct {
	t      *Transport
	policy Policy
	above  above
	caller context.Context // the caller's
	ctx    callContext     // the caller's, with the call in it
	hooks  hooks
	base   http.RoundTripper
	handed *http.Transport // by the V2 SDK; nil if there is none

	clientConnectTimeout atomic.Int64 // the wrapped client's, for a dial that may outlive its attempt

	request  openapi.Request
	wire     *http.Request // what attempts are copies of: the caller's, unless something in it must change
	prepared signing.Prepared
	method   string // what is told of the request later, when its caller may have another use for it
	scheme   string
	host     string
	path     string // of one that names no operation, escaped

	operation     Operation
	token         string
	asIs          bool // the request says which encoding, or part, of a reply it wants
	readOnly      bool
	dryRun        bool
	contradictory bool // the operation's name and its path do not belong together
	replaySafe    bool
	renewed       bool      // the credentials were, once
	start, end    time.Time // of the call
	born          time.Time // of the token
	delays        delays

	attempts []Attempt
	effects  []effect
	first    struct { // spares the success path two allocations
		attempt [1]Attempt
		effect  [1]effect
	}
	ahead    time.Duration      // of our clock the servers' was, for the last attempt
	keyID    string             // the long-lived AccessKeyId of the last attempt
	used     signer.Credentials // by the last attempt
	reason   string
	stopErr  error // the context's error where time ended the call, or ErrBudget
	purse    purse
	answered *Info       // of a call that ended before this one began: a redirect, or a repeated try
	reply    reply       // to the last attempt
	broken   atomic.Bool // it broke off after it was returned
	keyed    *underKey   // nil without a key that counts

	scratch *signing.Scratch // for the request's parameters and prepared; nil before and after
}

// close lets go of what only attempts need.
func (c *call) close() {
	c.ctx.over.Store(true)
	if c.scratch != nil {
		c.request.Query, c.prepared = nil, signing.Prepared{}
		c.scratch.Release()
		c.scratch = nil
	}
}

// run makes attempts until one settles the call or nothing more can be done.
func (c *call) run() (*http.Response, error) {
	c.hooks.callStart(c.snapshot)
	c.delays.policy, c.delays.growth = &c.policy, &defaultGrowth
	c.purse.budget = c.t.budget()
	for {
		a, reply, err := c.attempt()
		if err != nil { // before anything of it was sent
			c.purse.unsent(time.Now())
			return nil, c.fail(reasonOf(fmt.Sprintf("attempt %d could not begin", len(c.attempts)+1), err), err, c.caller.Err())
		}
		now := reply.ended
		renewed := false
		if a.Class == CredentialsExpired {
			renewed = c.renewCredentials()
			now = time.Now() // that may have taken long
		}
		s := c.situation(a.Class, reply, now)
		s.renewed = renewed
		answered := a.Class
		if a.Class == Broken && reply.fault.Refused {
			answered = Rejected // in a 2xx, the API's own word all the same
		}
		c.purse.answered(s.now, answered)
		d := decide(&s, func(t traits) time.Duration {
			if isSkewed := func(a Attempt) bool { return a.Class == ClockSkew }; isSkewed(a) && slices.ContainsFunc(c.attempts, isSkewed) {
				t.delay = transientDelay // the correction did not help: two clocks, or a wrong Date
			}
			return c.delays.next(t, c.t.jitter(), reply.hint())
		}, func(p price) bool { return c.purse.afford(s.now, p) })
		a.Wait = d.delay
		c.attempts = append(c.attempts, a)
		c.effects = append(c.effects, reply.effect)
		c.hooks.attemptEnd(a)
		if !d.retry {
			_ = sleep(c.caller, d.delay) // the answer stands, also if the caller is in a hurry
			return c.finish(reply, d)
		}
		reply.discard()
		if d.delay > 0 {
			c.hooks.wait(a)
		}
		if err := sleep(c.caller, d.delay); err != nil {
			c.purse.unsent(time.Now())
			return nil, c.fail("the caller's context ended during a wait", reply.cause(), err)
		}
	}
}

func (c *call) situation(class Class, r *reply, now time.Time) situation {
	return situation{
		class: class, unwritten: r.unwritten, replaySafe: c.replaySafe,
		attempts: len(c.attempts) + 1, maxAttempts: c.policy.MaxAttempts,
		now: now, end: c.end,
		age: c.age(now), lifetime: c.tokenLifetime(),
		callerErr: c.caller.Err(),
	}
}

// age is how long ago its token was first sent, by the wall clock, which runs while a machine sleeps:
// servers forget by theirs.
func (c *call) age(now time.Time) time.Duration { return now.Round(0).Sub(c.born.Round(0)) }

// tokenLifetime is how old the call may become, 0 if it carries no token.
func (c *call) tokenLifetime() time.Duration {
	if c.token == "" {
		return 0
	}
	return c.policy.TokenLifetime
}

// finish returns the last attempt's answer or, where there is none that the caller could
// take for what it is, an error.
func (c *call) finish(r *reply, d decision) (*http.Response, error) {
	if !r.isAnswer() {
		r.discard()
		return nil, c.fail(d.reason, r.cause(), d.err)
	}
	c.reason, c.stopErr = d.reason, d.err
	c.endRecord()
	r.resp.Header.Del(infoHeader) // nobody but us may state it
	if r.class != Success || len(c.attempts) > 1 || c.keyed.isOpen() {
		i := c.snapshot()
		i.write(r.resp.Header)
	}
	if r.rest == nil || !c.above.reads {
		c.hooks.callEnd(c.snapshot)
	}
	return r.resp, nil
}

// refuse is fail for a call that was not begun.
func (c *call) refuse(err error) error {
	return c.fail(reasonOf("refused before anything was sent", err), err, nil)
}

// reasonOf adds its cause to a reason, which may be all that a log sees.
func reasonOf(reason string, err error) string { return reason + ": " + scrub(causeOf(err)) }

// fail ends the call with an error.
func (c *call) fail(reason string, err, stopErr error) error {
	c.reason = reason
	if stopErr != nil && errors.Is(err, stopErr) {
		stopErr = nil
	}
	if c.answered == nil { // else its end was told when the answer came
		c.settleRecord()
		c.hooks.callEnd(c.snapshot)
	}
	return &Error{Info: c.snapshot(), Err: err, stopErr: stopErr}
}

// snapshot is what is known of the call now.
func (c *call) snapshot() Info {
	if c.answered != nil {
		return *c.answered
	}
	i := Info{
		Operation:   c.operation,
		Method:      c.method,
		Scheme:      c.scheme,
		Host:        c.host,
		ClientToken: c.token,
		Outcome:     settle(c.readOnly, c.effects),
		Attempts:    slices.Clone(c.attempts),
		Reason:      c.reason,
	}
	c.keyed.tell(&i)
	if last := len(c.effects) - 1; c.broken.Load() && c.effects[last] == effectDone {
		i.Outcome = settle(c.readOnly, append(c.effects[:last:last], effectUnknown))
		i.Reason = "the reply broke off after its beginning had been returned"
	}
	return i
}

// lastAnswer is the answer to the last attempt as an error.
func (c *call) lastAnswer() error {
	last := &c.attempts[len(c.attempts)-1]
	return &answerError{last.Status, last.Code, last.Message}
}

// sleep waits, or returns the context's error as soon as it ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
