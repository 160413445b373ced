package retry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/aliretry/aliretry/signer"
)

// ProviderFrom returns a Provider of an SDK credential: what the SDK's constructors
// take, a *credentials.AccessKeyCredential or a credentials.CredentialsProvider for
// instance, or a credential of the V2 SDK's credentials-go. A nil credential, for which the
// SDK would search the environment, is refused here: say
// credentials.NewDefaultCredentialsProvider() for that. The error wraps [ErrCredentials].
//
// The Provider is safe for concurrent use: the SDK's session providers are not, so
// their calls are made one at a time, on a copy that a client made of the same credential
// does not share. They take no context, so a call of theirs that hangs holds up ours. The
// Provider is a [signer.Refresher]: a session that a server has refused is built anew.
func ProviderFrom(credential auth.Credential) (signer.Provider, error) {
	if isNil(credential) {
		return nil, fmt.Errorf("aliretry: %w: credential is nil", ErrCredentials)
	}
	from, fixed, err := sourceOf(credential)
	if err != nil {
		return nil, fmt.Errorf("aliretry: %w: %w", ErrCredentials, Redact(err))
	}
	if fixed {
		c, err := from.fetch()
		if err = cmp.Or(err, c.Validate()); err != nil {
			return nil, fmt.Errorf("aliretry: %w: %w", ErrCredentials, Redact(err))
		}
		return signer.Static(c), nil
	}
	return &sdkProvider{from: from, slot: make(chan struct{}, 1)}, nil
}

// source is where an SDK gets its credentials from. It is used by one goroutine at a time.
type source interface {
	fetch() (signer.Credentials, error)
	renew() error // forgets a session
}

// sourceOf returns the source that a credential is, and whether its key never changes.
func sourceOf(credential auth.Credential) (from source, fixed bool, err error) {
	if v2, ok := credential.(v2Credential); ok {
		kind := deref(v2.GetType())
		return v2Source{v2}, kind == "access_key" || kind == "bearer", nil
	}
	build := func() (credentials.CredentialsProvider, error) { return auth.ToCredentialsProvider(credential) }
	if provider, ok := credential.(credentials.CredentialsProvider); ok {
		build = copier(provider)
	}
	v1 := &v1Source{build: build}
	if v1.provider, err = build(); err != nil {
		return nil, false, err
	}
	switch v1.provider.(type) {
	case *credentials.StaticAKCredentialsProvider, *credentials.StaticSTSCredentialsProvider, *credentials.BearerTokenCredentialsProvider:
		fixed = true
	}
	return v1, fixed, nil
}

// sdkProvider is a source that many goroutines can use.
type sdkProvider struct {
	from source
	slot chan struct{} // held during a call, which may fetch a session over the network
}

var _ signer.Refresher = (*sdkProvider)(nil)

func (p *sdkProvider) Credentials(ctx context.Context) (c signer.Credentials, err error) {
	err = p.with(ctx, func() error {
		c, err = p.from.fetch()
		return err
	})
	return c, err
}

// Refresh implements [signer.Refresher].
func (p *sdkProvider) Refresh(ctx context.Context) error { return p.with(ctx, p.from.renew) }

func (p *sdkProvider) with(ctx context.Context, f func() error) error {
	select {
	case p.slot <- struct{}{}:
		defer func() { <-p.slot }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// v1Source is a provider of alibaba-cloud-sdk-go.
type v1Source struct {
	build    func() (credentials.CredentialsProvider, error)
	provider credentials.CredentialsProvider
	name     string // of the part of a chain that answered last
}

// renew takes the place of the provider once another one has answered. Another part of a
// chain than before is refused: it may be of another account, where a client token that was
// sent means nothing.
func (s *v1Source) renew() error {
	next, err := s.build()
	if err != nil {
		return err
	}
	c, err := next.GetCredentials()
	if err != nil {
		return err
	}
	if c == nil || s.name != "" && c.ProviderName != s.name {
		return errors.New("the credentials would come from another source than before")
	}
	s.provider = next
	return nil
}

func (s *v1Source) fetch() (signer.Credentials, error) {
	c, err := s.provider.GetCredentials()
	if err != nil || c == nil {
		return signer.Credentials{}, err // none at all are refused where they are used
	}
	s.name = c.ProviderName
	return signer.Credentials{
		AccessKeyID:     c.AccessKeyId,
		AccessKeySecret: c.AccessKeySecret,
		SecurityToken:   c.SecurityToken,
		BearerToken:     c.BearerToken,
	}, nil
}

// copier returns a func that makes copies of a provider, each without a session. Of a
// provider that is not the SDK's nobody knows whether it can be copied: it is used itself.
func copier(provider credentials.CredentialsProvider) func() (credentials.CredentialsProvider, error) {
	v := reflect.ValueOf(provider)
	switch {
	case v.Type() == reflect.TypeFor[*credentials.DefaultCredentialsProvider](): // which is made of others
		return func() (credentials.CredentialsProvider, error) {
			return credentials.NewDefaultCredentialsProvider(), nil
		}
	case !isSDKProvider(v):
		return func() (credentials.CredentialsProvider, error) { return provider, nil }
	}
	pristine := withoutSession(v)
	return func() (credentials.CredentialsProvider, error) {
		return withoutSession(pristine).Interface().(credentials.CredentialsProvider), nil
	}
}

// isSDKProvider reports whether v is a pointer to a struct of the SDK's package credentials.
func isSDKProvider(v reflect.Value) bool {
	return v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct &&
		v.Type().Elem().PkgPath() == reflect.TypeFor[credentials.Credentials]().PkgPath()
}

// withoutSession copies a provider of the SDK, and those that it is made of, and empties the
// fields that hold what they have fetched. The SDK has no other way to forget a session.
func withoutSession(provider reflect.Value) reflect.Value {
	c := reflect.New(provider.Type().Elem())
	c.Elem().Set(provider.Elem())
	for i := range c.Elem().NumField() {
		field := c.Elem().Field(i)
		field = reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem() // private fields can be set so
		switch name := c.Elem().Type().Field(i).Name; {
		case slices.Contains(sessionFields, name):
			field.SetZero()
		case field.Kind() == reflect.Interface && isSDKProvider(field.Elem()):
			field.Set(withoutSession(field.Elem()))
		}
	}
	return c
}

var sessionFields = []string{"sessionCredentials", "sessionAccessKey", "expirationTimestamp", "lastUpdateTimestamp", "innerProvider"}

// v2Credential is a credential of the V2 SDK's credentials-go, without importing it.
type v2Credential interface {
	GetAccessKeyId() (*string, error)
	GetAccessKeySecret() (*string, error)
	GetSecurityToken() (*string, error)
	GetBearerToken() *string
	GetType() *string
}

type v2Source struct{ credential v2Credential }

// renew does nothing: credentials-go decides for itself when a session is over.
func (v2Source) renew() error { return nil }

// fetch reads the parts of one session: the ID is read again at the end, since a session may
// be replaced between two of them.
func (s v2Source) fetch() (signer.Credentials, error) {
	if deref(s.credential.GetType()) == "bearer" {
		return signer.Credentials{BearerToken: deref(s.credential.GetBearerToken())}, nil
	}
	for range 3 {
		id, err1 := s.credential.GetAccessKeyId()
		secret, err2 := s.credential.GetAccessKeySecret()
		token, err3 := s.credential.GetSecurityToken()
		again, err4 := s.credential.GetAccessKeyId()
		if err := cmp.Or(err1, err2, err3, err4); err != nil {
			return signer.Credentials{}, err
		}
		if deref(id) == deref(again) {
			return signer.Credentials{AccessKeyID: deref(id), AccessKeySecret: deref(secret), SecurityToken: deref(token)}, nil
		}
	}
	return signer.Credentials{}, errors.New("the session changes at every look")
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
