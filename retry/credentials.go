package retry

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aliretry/aliretry/signer"
)

// errAccountChanged ends a call whose effect, if there is one, another account owns.
var errAccountChanged = fmt.Errorf("%w: the AccessKey changed after an attempt that may have had an effect", ErrCredentials)

// renewal lets one call at a time renew a Transport's credentials: when a session ends, all
// the calls under it are refused together.
type renewal struct {
	sync.Once
	slot chan struct{}
	next time.Time // before which no provider is told to refresh
}

// A provider is not told to refresh for a while: after a refresh, because an operation that
// takes every session for expired must not cost the others theirs; after one that failed, to
// spare what it asks.
const (
	afterRefresh = time.Minute
	afterFailure = 5 * time.Second
)

// renewCredentials fetches other credentials than those that a server refused as expired,
// once in a call, and reports whether it got any.
func (c *call) renewCredentials() bool {
	if _, fixed := c.t.Credentials.(signer.FixedProvider); fixed || c.renewed {
		return false
	}
	c.renewed = true
	c.t.renewal.Do(func() { c.t.renewal.slot = make(chan struct{}, 1) })
	ctx, cancel := c.providerContext()
	defer cancel()
	select {
	case c.t.renewal.slot <- struct{}{}:
		defer func() { <-c.t.renewal.slot }()
	case <-ctx.Done():
		return false
	}
	others := func() bool {
		now, err := c.t.Credentials.Credentials(ctx)
		return err == nil && now != c.used
	}
	if others() {
		return true
	}
	refresher, ok := c.t.Credentials.(signer.Refresher)
	if !ok || time.Now().Before(c.t.renewal.next) {
		return false
	}
	err := refresher.Refresh(ctx)
	switch {
	case err == nil:
		c.t.renewal.next = time.Now().Add(afterRefresh)
	case ctx.Err() == nil: // else the caller's time was too short, which says nothing
		c.t.renewal.next = time.Now().Add(afterFailure)
	}
	return err == nil && others()
}

// providerContext is what a provider is asked under.
func (c *call) providerContext() (context.Context, context.CancelFunc) {
	return context.WithDeadline(foreignContext{c.caller}, c.end)
}

// checkCredentials refuses a call without credentials, or one that was signed for
// another account than a key that never changes.
func (c *call) checkCredentials() error {
	if isNil(c.t.Credentials) {
		return fmt.Errorf("%w: Transport.Credentials is nil", ErrCredentials)
	}
	fixed, ok := c.t.Credentials.(signer.FixedProvider)
	if !ok {
		return nil
	}
	if signed := c.request.KeyID; signed != "" && signed != fixed.AccessKeyID() {
		return fmt.Errorf("%w: %s, not %s", ErrAccount, signed, cmp.Or(fixed.AccessKeyID(), "one that has no AccessKey ID"))
	}
	return nil
}

// credentials fetches the keys for one attempt.
func (c *call) credentials() (signer.Credentials, error) {
	ctx := c.caller
	if _, fixed := c.t.Credentials.(signer.FixedProvider); !fixed {
		var cancel context.CancelFunc
		ctx, cancel = c.providerContext()
		defer cancel()
	}
	credentials, err := c.t.Credentials.Credentials(ctx)
	c.used = credentials
	if err != nil {
		return credentials, fmt.Errorf("%w: %w", ErrCredentials, Redact(err))
	}
	longLived := ""
	if credentials.SecurityToken == "" && credentials.BearerToken == "" {
		longLived = credentials.AccessKeyID
	}
	if c.keyID != "" && longLived != "" && longLived != c.keyID && settle(c.readOnly, c.effects) == Unknown {
		return credentials, errAccountChanged
	}
	if longLived != "" {
		c.keyID = longLived
	}
	return credentials, nil
}
