package signer

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Credentials are the keys that sign one attempt. The zero value signs nothing.
//
// An AccessKey pair alone is a long-lived key; with a SecurityToken it is temporary
// (STS); a BearerToken stands alone. Every formatting verb, encoding/json and slog
// show the AccessKeyID and hide the rest.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
	BearerToken     string
}

// ErrNoCredentials is returned where there is nothing to sign with: neither an
// AccessKey pair nor a bearer token.
var ErrNoCredentials = errors.New("no credentials: need an AccessKey ID with its secret, or a bearer token")

// Validate reports whether c can sign a request; the error is [ErrNoCredentials].
func (c Credentials) Validate() error {
	if c.BearerToken == "" && (c.AccessKeyID == "" || c.AccessKeySecret == "") {
		return ErrNoCredentials
	}
	return nil
}

// Format implements [fmt.Formatter]: every verb shows the same redacted text.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.redacted()) }

// MarshalText implements [encoding.TextMarshaler] with the redacted text.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.redacted()), nil }

func (c Credentials) redacted() string {
	kind := "AccessKey"
	switch {
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
