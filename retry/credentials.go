package retry

import (
	"context"
	"fmt"

	"github.com/aliretry/aliretry/signer"
)

// errAccountChanged ends a call whose effect, if there is one, another account owns.
var errAccountChanged = fmt.Errorf("%w: the AccessKey changed after an attempt that may have had an effect", ErrCredentials)

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
		return fmt.Errorf("%w: %s, not %s", ErrAccount, signed, fixed.AccessKeyID())
	}
	return nil
}

// credentials fetches the keys for one attempt.
func (c *call) credentials() (signer.Credentials, error) {
	ctx := c.caller
	if _, fixed := c.t.Credentials.(signer.FixedProvider); !fixed {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(foreignContext{ctx}, c.end)
		defer cancel()
	}
	credentials, err := c.t.Credentials.Credentials(ctx)
	if err != nil {
		return credentials, fmt.Errorf("%w: %w", ErrCredentials, Redact(err))
	}
	longLived := ""
	if credentials.SecurityToken == "" && credentials.BearerToken == "" {
		longLived = credentials.AccessKeyID
	}
	if c.key != "" && longLived != "" && longLived != c.key && settle(c.readOnly, c.effects) == Unknown {
		return credentials, errAccountChanged
	}
	if longLived != "" {
		c.key = longLived
	}
	return credentials, nil
}
