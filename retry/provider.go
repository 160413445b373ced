package retry

import (
	"context"
	"fmt"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/aliretry/aliretry/signer"
)

// ProviderFrom returns a Provider of an SDK credential: what the SDK's constructors
// take, a *credentials.AccessKeyCredential or a credentials.CredentialsProvider for
// instance. A nil credential, for which the SDK would search the environment, is refused
// here: say credentials.NewDefaultCredentialsProvider() for that. The error wraps
// [ErrCredentials].
//
// The Provider is safe for concurrent use: the SDK's session providers are not, so
// their calls are made one at a time. They take no context, so a call of theirs that
// hangs holds up ours.
func ProviderFrom(credential auth.Credential) (signer.Provider, error) {
	if isNil(credential) {
		return nil, fmt.Errorf("aliretry: %w: credential is nil", ErrCredentials)
	}
	provider, err := auth.ToCredentialsProvider(credential)
	if err != nil {
		return nil, fmt.Errorf("aliretry: %w: %w", ErrCredentials, Redact(err))
	}
	p := &sdkProvider{sdk: provider, slot: make(chan struct{}, 1)}
	switch provider.(type) {
	case *credentials.StaticAKCredentialsProvider, *credentials.StaticSTSCredentialsProvider, *credentials.BearerTokenCredentialsProvider:
		c, err := p.Credentials(context.Background())
		if err == nil {
			err = c.Validate()
		}
		if err != nil {
			return nil, fmt.Errorf("aliretry: %w: %w", ErrCredentials, err)
		}
		return signer.Static(c), nil
	}
	return p, nil
}

// sdkProvider adapts a credentials provider of the SDK.
type sdkProvider struct {
	sdk  credentials.CredentialsProvider
	slot chan struct{} // held during a call, which may fetch a session over the network
}

func (p *sdkProvider) Credentials(ctx context.Context) (signer.Credentials, error) {
	select {
	case p.slot <- struct{}{}:
		defer func() { <-p.slot }()
	case <-ctx.Done():
		return signer.Credentials{}, ctx.Err()
	}
	c, err := p.sdk.GetCredentials()
	if err != nil || c == nil {
		return signer.Credentials{}, err // none at all are refused where they are used
	}
	return signer.Credentials{
		AccessKeyID:     c.AccessKeyId,
		AccessKeySecret: c.AccessKeySecret,
		SecurityToken:   c.SecurityToken,
		BearerToken:     c.BearerToken,
	}, nil
}
