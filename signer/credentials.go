package signer

import (
	"context"
	"fmt"
	"io"

	"github.com/aliretry/aliretry/internal/signing"
)

// Credentials are the keys that sign one attempt. The zero value signs nothing.
//
// An AccessKey pair alone is a long-lived key; with a SecurityToken it is temporary
// (STS); a BearerToken stands alone. For ACS3-RSA-SHA256 the secret is an RSA private key in
// PKCS #8, its DER in base64 with PEM's lines around it or without. Every formatting verb,
// encoding/json and slog show the AccessKeyID and hide the rest, but for one case: fmt prints
// the unexported fields of a struct past any method, so hold Credentials in none of those.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
	BearerToken     string
	// Anonymous is for the operations that anybody may call: nonce and time are set as for
	// any other request, and there is no signature. All other fields must be empty.
	Anonymous bool
}

// ErrNoCredentials is returned where there is nothing to sign with: neither an
// AccessKey pair nor a bearer token, or a secret that is no key for the signature's
// algorithm.
var ErrNoCredentials = signing.ErrNoCredentials

// Validate reports whether c can sign a request, or is Anonymous alone; the error wraps
// [ErrNoCredentials].
func (c Credentials) Validate() error {
	k := signing.Key(c)
	return k.Validate()
}

// Format implements [fmt.Formatter]: every verb shows the same redacted text.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.redacted()) }

// MarshalText implements [encoding.TextMarshaler] with the redacted text.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.redacted()), nil }

func (c Credentials) redacted() string {
	kind := "AccessKey"
	switch {
	case c.Anonymous:
		kind = "anonymous"
	case c.BearerToken != "":
		kind = "bearer token"
	case c.SecurityToken != "":
		kind = "STS"
	}
	return "Credentials(" + kind + " " + c.AccessKeyID + ", redacted)"
}

// Provider supplies credentials. It is asked before every attempt, from many
// goroutines at once, and should answer from memory as a rule. An error ends the call
// before the attempt is sent.
type Provider interface {
	Credentials(ctx context.Context) (Credentials, error)
}

// Refresher is a Provider that can be told that a server has refused its credentials as
// expired before their time. Refresh drops them, so that Credentials fetches others. It is
// called by one goroutine at a time, only where Credentials gave the refused ones again.
type Refresher interface {
	Provider
	Refresh(ctx context.Context) error
}

// FixedProvider is a Provider whose key never changes. A request that was signed with
// another key is then refused, instead of being signed for the wrong account.
type FixedProvider interface {
	Provider
	AccessKeyID() string
}

var _ FixedProvider = static{}

// Static returns a Provider of credentials that never change: a [FixedProvider].
func Static(c Credentials) Provider { return static{func() Credentials { return c }} }

// static keeps its credentials in a function because fmt prints the unexported fields
// of a struct, past the Format method that they may have.
type static struct{ credentials func() Credentials }

func (s static) Credentials(context.Context) (Credentials, error) {
	c := s.credentials()
	return c, c.Validate()
}

// AccessKeyID implements [FixedProvider].
func (s static) AccessKeyID() string { return s.credentials().AccessKeyID }
