package integration

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// onWire returns the attempts of a call as the server saw them, by nonce.
func (k *checker) onWire(c *madeCall) map[string]retrytest.Attempt {
	own := make(map[string]retrytest.Attempt)
	for _, a := range k.attempts {
		if a.Header.Get(copyHeader) == "" && slices.ContainsFunc(c.info.Attempts, func(told retry.Attempt) bool { return told.Nonce == a.Nonce }) {
			own[a.Nonce] = a
		}
	}
	return own
}

// checkAttempts checks that the attempts are the same call, each signed anew.
func (k *checker) checkAttempts(c *madeCall) {
	wire := k.onWire(c)
	var last retry.Attempt
	for i, a := range c.info.Attempts {
		if a.Number != i+1 {
			k.broken("attempt %d is numbered %d", i+1, a.Number)
		}
		seen, arrived := wire[a.Nonce]
		whole := arrived && seen.Problem != "IncompleteBody" // else its form says nothing
		if !arrived && a.RequestID != "" {                   // a reply without is net/http's own, to a request that broke off
			k.broken("attempt %d was answered with %d and never arrived", a.Number, a.Status)
		}
		if whole && (seen.ClientToken != c.info.ClientToken || nameIn(seen) != c.name) {
			k.broken("attempt %d was sent under token %q for %q; the call's is %q for %q", a.Number, seen.ClientToken, nameIn(seen), c.info.ClientToken, c.name)
		}
		if whole && !seen.Timestamp.Equal(a.SignedAt) {
			k.broken("attempt %d was sent at %v, and told to be signed at %v", a.Number, seen.Timestamp, a.SignedAt)
		}
		// A correction of the clock is by a minute at least, and may be backwards.
		if back := last.SignedAt.Sub(a.SignedAt); back > -time.Second && (back < 30*time.Second || k.clockKnown(c, a.Start.Add(1)).IsZero()) {
			k.broken("attempt %d is signed %v before the one before", a.Number, back)
		}
		last = a
	}
}

// effectsOf returns the effects on the call's thing, of some.
func (c *madeCall) effectsOf(effects []retrytest.Effect) []retrytest.Effect {
	return slices.DeleteFunc(slices.Clone(effects), func(e retrytest.Effect) bool { return e.Params.Get("Name") != c.name })
}

// checkEffects checks the one promise, and what the caller was told of it.
func (k *checker) checkEffects(c *madeCall) {
	effects := c.effectsOf(k.effects)
	if len(effects) > 1 && !c.vouched {
		k.broken("%d effects", len(effects))
	}
	if c.resumes == nil {
		effects = c.effectsOf(k.settled)
	}
	own := 0
	for _, e := range effects {
		nonce := k.attempts[e.Attempt-1].Nonce
		if slices.ContainsFunc(c.info.Attempts, func(a retry.Attempt) bool { return a.Nonce == nonce }) {
			own++
		}
	}
	switch {
	case c.kind.use == reads:
		if len(effects) > 0 || c.info.Outcome == retry.Unknown {
			k.broken("it only reads, and has %d effects and outcome %v", len(effects), c.info.Outcome)
		}
		return
	case c.info.Outcome == retry.Unknown && !slices.ContainsFunc(c.info.Attempts, func(a retry.Attempt) bool { return !hadNone(a.Class) }):
		k.broken("outcome Unknown, and no attempt can have had an effect")
	case c.info.Outcome == retry.NotDone && own > 0, c.info.Outcome == retry.Done && len(effects) == 0:
		k.broken("outcome %v with %d effects, %d of its own", c.info.Outcome, len(effects), own)
	}
	if c.body == "" && c.kind.path != "/" {
		return // to an operation that goes by its path, nothing can be an answer
	}
	if c.succeeded() && !slices.ContainsFunc(effects, func(e retrytest.Effect) bool {
		return strings.Contains(c.body, e.RequestID) && strings.Contains(c.body, e.ResourceID)
	}) {
		k.broken("it was answered with %s; that is none of %v", c.body, effects)
	}
}

// hadNone reports whether an attempt of a class had no effect for certain.
func hadNone(class retry.Class) bool {
	switch class {
	case retry.Busy, retry.Throttled, retry.ClockSkew, retry.CredentialsExpired, retry.Rejected:
		return true
	}
	return false
}

// within returns how long the call may take by its policy and its context.
func (c *madeCall) within(p retry.Policy) time.Duration {
	limit := p.CallTimeout
	if c.timeout > 0 {
		before := c.timeout - max(5*time.Millisecond, c.timeout/100)
		if limit == 0 || before < limit {
			limit = before
		}
	}
	if limit == 0 {
		limit = 2 * time.Minute
	}
	return max(limit, 0)
}

// policyOf is that under which the call was made.
func (k *checker) policyOf(c *madeCall) retry.Policy {
	if c.resumes != nil {
		return retry.Policy{}
	}
	return k.plan.policy
}

// checkTime checks attempts, waits and the whole call against their bounds.
func (k *checker) checkTime(c *madeCall) {
	p := k.policyOf(c)
	if took := c.ended.Sub(c.began); took > c.within(p) {
		k.broken("it took %v; %v is all that it has", took, c.within(p))
	}
	if !c.canceled.IsZero() && c.ended.After(c.canceled) {
		k.broken("it ended %v after its caller had gone", c.ended.Sub(c.canceled))
	}
	most, each := p.MaxAttempts, p.AttemptTimeout
	if most == 0 {
		most = 8
	}
	if each == 0 {
		each = 10 * time.Second
	}
	if len(c.info.Attempts) > most {
		k.broken("%d attempts of %d", len(c.info.Attempts), most)
	}
	for i, a := range c.info.Attempts {
		if a.Duration > each {
			k.broken("attempt %d took %v of %v", a.Number, a.Duration, each)
		}
		if least, longest := delayBounds(p, c.info.Attempts[:i+1]); i+1 < len(c.info.Attempts) && (a.Wait < least || a.Wait > longest) {
			k.broken("the wait after attempt %d, %v, is %v; want %v to %v", a.Number, a.Class, a.Wait, least, longest)
		}
		if i == 0 {
			continue
		}
		before := c.info.Attempts[i-1]
		gap := a.Start.Sub(before.Start) - before.Duration - before.Wait
		if gap < 0 || gap > 0 && k.plan.takes == 0 {
			k.broken("attempt %d began %v off the wait of %v", a.Number, gap, before.Wait)
		}
		if age := a.Start.Sub(c.began); c.info.ClientToken != "" && p.TokenLifetime > 0 && age > p.TokenLifetime {
			k.broken("attempt %d is sent under a token that is %v old", a.Number, age)
		}
	}
}

// delayBounds returns those of the wait after the last attempt given.
func delayBounds(p retry.Policy, attempts []retry.Attempt) (least, most time.Duration) {
	if p.Transient == (retry.Delay{}) {
		p.Transient = retry.Delay{Base: 100 * time.Millisecond, Max: 30 * time.Second}
	}
	if p.Busy == (retry.Delay{}) {
		p.Busy = retry.Delay{Base: time.Second, Max: 30 * time.Second}
	}
	backoffOf := func(i int) retry.Delay {
		switch attempts[i].Class {
		case retry.ClockSkew: // the first sets the clock, and is repeated at once
			if slices.ContainsFunc(attempts[:i], func(a retry.Attempt) bool { return a.Class == retry.ClockSkew }) {
				return p.Transient
			}
		case retry.NoResponse, retry.ServerError:
			return p.Transient
		case retry.Unavailable, retry.InProgress, retry.Busy, retry.Throttled:
			return p.Busy
		}
		return retry.Delay{}
	}
	last := attempts[len(attempts)-1].Class
	backoff := backoffOf(len(attempts) - 1)
	ceiling, growth := backoff.Base, time.Duration(3)
	if backoff == p.Transient {
		growth = 4
	}
	for i := range attempts[:len(attempts)-1] {
		if backoffOf(i) == backoff {
			ceiling = min(growth*ceiling, backoff.Max)
		}
	}
	switch {
	case backoff == p.Transient, ceiling == 0:
		return 0, ceiling
	case last == retry.InProgress:
		return ceiling / 2, ceiling
	}
	return ceiling / 2, ceiling + 5*time.Second
}

// checkEnd checks that a call was not given up for nothing.
func (k *checker) checkEnd(c *madeCall) {
	p := k.policyOf(c)
	n := len(c.info.Attempts)
	after := c.ended.Sub(c.began) + 36*time.Second // the longest wait, and an attempt
	hasTime := after < c.within(p) && (c.info.ClientToken == "" || p.TokenLifetime == 0 || after < p.TokenLifetime)
	if n > 0 && c.info.Attempts[n-1].Class == retry.Canceled && !errors.Is(c.err, context.Canceled) && !errors.Is(c.err, context.DeadlineExceeded) {
		k.broken("its context ended, and the error is %v", c.err)
	}
	if !c.canceled.IsZero() && !c.ended.Before(c.canceled) {
		return
	}
	if n == 0 || !hasTime || errors.Is(c.err, retry.ErrCredentials) || n == p.MaxAttempts || p.MaxAttempts == 0 && n == 8 {
		return
	}
	if k.plan.budget > 0 && strings.Contains(c.info.Reason, retry.ErrBudget.Error()) {
		return
	}
	switch last := c.info.Attempts[n-1]; last.Class {
	case retry.NoResponse, retry.ServerError, retry.Unavailable, retry.NonceUsed:
		if c.protected() || c.vouched {
			k.broken("it was given up after %v although it could be repeated: %s", last.Class, c.info.Reason)
		}
	case retry.Busy, retry.Throttled, retry.InProgress, retry.ClockSkew:
		k.broken("it was given up after %v: %s", last.Class, c.info.Reason)
	}
}
