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
// does not share; while it is made, nobody may use the credential. They take no context, so
// a call of theirs that hangs holds up ours. The Provider is a [signer.Refresher]: a session
// of the SDK's that a server has refused is built anew. The V2 SDK's decide that themselves.
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
	provider, err := auth.ToCredentialsProvider(credential)
	if err != nil {
		return nil, false, err
	}
	unused := withoutSession(provider)
	v1 := &v1Source{unused: unused, provider: withoutSession(unused)}
	return v1, isStatic(v1.provider), nil
}

// isStatic reports whether a provider of the SDK gives what it was made with.
func isStatic(provider credentials.CredentialsProvider) bool {
	switch provider.(type) {
	case *credentials.StaticAKCredentialsProvider, *credentials.StaticSTSCredentialsProvider, *credentials.BearerTokenCredentialsProvider:
		return true
	}
	return false
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

func (p *sdkProvider) with(ctx context.Context, f func() error) (err error) {
	select {
	case p.slot <- struct{}{}:
		defer func() {
			<-p.slot
			if recover() != nil { // as on a profile that is not whole
				err = errors.New("the SDK's provider panicked")
			}
		}()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// v1Source is a provider of alibaba-cloud-sdk-go.
type v1Source struct {
	unused   credentials.CredentialsProvider // as it was given
	provider credentials.CredentialsProvider
	name     string // of the part of a chain that answered last
}

// renew replaces the provider by one without a session, once that has answered. It is a copy
// of the present one, which has read its profile; and another part of a chain is refused. Both
// may be of another account, where a client token that was sent means nothing.
func (s *v1Source) renew() error {
	next := withoutSession(s.provider)
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
	if err != nil && s.name == "" {
		s.provider = withoutSession(s.unused) // a chain stays with the part that failed last
	}
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

// withoutSession copies a provider of the SDK, and those that it is made of, less what they
// have fetched: the SDK has no other way to forget a session. Of a provider that is not the
// SDK's nobody knows whether it can be copied: it is returned itself.
func withoutSession(provider credentials.CredentialsProvider) credentials.CredentialsProvider {
	of := reflect.ValueOf(provider)
	if of.Kind() != reflect.Pointer || of.IsNil() || of.Elem().Kind() != reflect.Struct ||
		of.Type().Elem().PkgPath() != reflect.TypeFor[credentials.Credentials]().PkgPath() {
		return provider
	}
	c := reflect.New(of.Type().Elem())
	for i := range of.Elem().NumField() {
		if slices.Contains(sessionFields, of.Type().Elem().Field(i).Name) {
			continue
		}
		to, from := private(c.Elem().Field(i)), private(of.Elem().Field(i))
		switch value := from.Interface().(type) {
		case credentials.CredentialsProvider:
			to.Set(reflect.ValueOf(withoutSession(value)))
		case []credentials.CredentialsProvider:
			chain := make([]credentials.CredentialsProvider, len(value))
			for i := range value {
				chain[i] = withoutSession(value[i])
			}
			to.Set(reflect.ValueOf(chain))
		default:
			to.Set(from)
		}
	}
	return c.Interface().(credentials.CredentialsProvider)
}

// sessionFields are those of the SDK's providers that hold what was fetched.
var sessionFields = []string{"sessionCredentials", "sessionAccessKey", "expirationTimestamp", "lastUpdateTimestamp", "innerProvider", "lastUsedProvider"}

// private returns a field that can be read and set although its name is private.
func private(field reflect.Value) reflect.Value {
	return reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem()
}

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
