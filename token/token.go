// Package token mints, derives and checks client tokens: the idempotency tokens
// that Alibaba Cloud's APIs take as ClientToken.
//
// A token belongs to one logical call. It stays the same in every retry of that
// call, so that the server does the work once and gives the same reply again, and
// no other call may carry it.
package token

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// MaxLen is the longest token that the servers accept, in characters
// ("up to 64 ASCII characters": the Ensure idempotence pages of Auto Scaling, VPC
// and PrivateLink).
const MaxLen = 64

// Errors that [Validate] wraps.
var (
	ErrEmpty    = errors.New("client token is empty")
	ErrTooLong  = errors.New("client token is longer than 64 characters")
	ErrNotASCII = errors.New("client token has a character that is not printable ASCII")
)

// derivation is the root of every derived token, fixed for ever: a program that is
// built anew must derive the token that its older build derived. It is the UUIDv5 of
// "github.com/aliretry/aliretry/token" under the URL namespace of RFC 9562.
var derivation = uuid.UUID{
	0xa7, 0xfd, 0xbf, 0xcf, 0xc8, 0x01, 0x50, 0x9e,
	0x8e, 0x69, 0x92, 0xcb, 0x19, 0x0a, 0xee, 0x70,
}

// New returns a new random token: a UUID version 4 of 36 characters, such as
// 123e4567-e89b-42d3-a456-426655440000. It panics if the system's random source
// fails, since a guessable or repeated token would be worse. It is safe for
// concurrent use.
func New() string { return uuid.NewString() }

// Derive returns the token that belongs to key within namespace: a UUID version 5,
// computed as UUIDv5(UUIDv5(fixed, namespace), key). Equal arguments give equal
// tokens in every process, on every machine and in every release of this package,
// so that a program which restarts can repeat its call without having stored
// anything. Any two strings may be given, also empty ones; ("a", "bc") and
// ("ab", "c") give different tokens.
//
// A key must name one logical call ("create scaling group web-prod, run 17"), not a
// resource: a call with other parameters under the same key is refused by the
// server. It dedupes for as long as the server remembers the token, and how long
// that is, is not documented.
func Derive(namespace, key string) string {
	return uuid.NewSHA1(uuid.NewSHA1(derivation, []byte(namespace)), []byte(key)).String()
}

// Validate reports whether the servers would accept t as a client token: 1 to
// [MaxLen] characters, each of them printable ASCII (0x20 to 0x7E). Case matters to
// the servers, and no character is changed or trimmed here. The error wraps
// [ErrEmpty], [ErrTooLong] or [ErrNotASCII] and does not repeat the token.
func Validate(t string) error {
	switch {
	case t == "":
		return ErrEmpty
	case len(t) > MaxLen:
		return fmt.Errorf("%w: it has %d bytes", ErrTooLong, len(t))
	}
	for i := range len(t) {
		if t[i] < 0x20 || t[i] > 0x7e {
			return fmt.Errorf("%w: byte %d is %#02x", ErrNotASCII, i, t[i])
		}
	}
	return nil
}
