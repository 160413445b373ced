package retry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// vault is where the SDK's URL provider fetches sessions; each fetch begins another.
type vault struct {
	*httptest.Server
	fetched atomic.Int32
}

func newVault(t *testing.T) *vault {
	v := &vault{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := v.fetched.Add(1)
		fmt.Fprintf(w, `{"AccessKeyId":"STS.%d","AccessKeySecret":"secret","SecurityToken":"token%d","Expiration":"2099-01-01T00:00:00Z"}`, n, n)
	}))
	t.Cleanup(v.Close)
	t.Setenv("NO_PROXY", "127.0.0.1")
	return v
}

func (v *vault) provider(t *testing.T) credentials.CredentialsProvider {
	p, err := credentials.NewURLCredentialsProviderBuilderBuilder().WithUrl(v.URL).Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A session provider of the SDK: asked by many goroutines it fetches one session, which is
// not the client's, and when the server refuses that, it is built anew.
func TestProviderFromSessionProvider(t *testing.T) {
	v := newVault(t)
	given := v.provider(t)
	p, err := retry.ProviderFrom(given)
	if err != nil {
		t.Fatal(err)
	}
	want := func(session int) {
		t.Helper()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if c, err := p.Credentials(context.Background()); err != nil || c.SecurityToken != fmt.Sprint("token", session) {
					t.Errorf("%v, %v, want session %d", c.SecurityToken, err, session)
				}
			})
		}
		wg.Go(func() { _, _ = given.GetCredentials() }) // as the SDK's client would, at any time
		wg.Wait()
	}
	first, err := p.Credentials(context.Background())
	if err != nil || first.AccessKeyID != "STS.1" {
		t.Fatal(first, err)
	}
	want(1)
	if err := p.(signer.Refresher).Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	if next, err := p.Credentials(context.Background()); err != nil || next == first {
		t.Errorf("after a refresh: %v, %v", next, err)
	}
	want(3) // the second is the client's
	if n := v.fetched.Load(); n != 3 {
		t.Errorf("%d sessions were fetched, want 3", n)
	}
}

// A provider that was used before gives another session after a refresh as well, and one that
// it is made of is not shared either.
func TestProviderFromUsedProvider(t *testing.T) {
	v := newVault(t)
	used := v.provider(t)
	if _, err := used.GetCredentials(); err != nil {
		t.Fatal(err)
	}
	outer, err := credentials.NewRAMRoleARNCredentialsProviderBuilder().WithCredentialsProvider(used).WithRoleArn("acs:ram::1:role/x").WithStsEndpoint("127.0.0.1:1").Build()
	if err != nil {
		t.Fatal(err)
	}
	for name, given := range map[string]credentials.CredentialsProvider{"itself": used, "under another": outer} {
		before := v.fetched.Load()
		p, err := retry.ProviderFrom(given)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = p.Credentials(context.Background()) }) // the outer one has no STS to go to
		wg.Go(func() { _, _ = given.GetCredentials() })
		wg.Wait()
		_ = p.(signer.Refresher).Refresh(context.Background())
		_, _ = p.Credentials(context.Background())
		if n := v.fetched.Load() - before; n < 2 {
			t.Errorf("%s: %d sessions were fetched, want one before the refresh and one after", name, n)
		}
	}
}

// A wrapped client whose session the server refuses: the call succeeds under another one.
func TestWrapRenewsRefusedSession(t *testing.T) {
	v := newVault(t)
	var accounts []retrytest.Account
	for n := range 4 {
		accounts = append(accounts, retrytest.Account{AccessKeyID: fmt.Sprint("STS.", n), AccessKeySecret: "secret", SecurityToken: fmt.Sprint("token", n), Owner: "one"})
	}
	srv := retrytest.NewServer(accounts...)
	defer srv.Close()
	srv.Script(retrytest.Reset().AfterEffect(), retrytest.Reply(403, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."))
	client, err := ess.NewClientWithOptions("cn-qingdao", newEss(t).GetConfig(), v.provider(t))
	if err != nil {
		t.Fatal(err)
	}
	provider := v.provider(t)
	if _, err := retry.Wrap(client, provider, func(tr *retry.Transport) { tr.Policy = quick }); err != nil {
		t.Fatal(err)
	}
	request := createRequest(srv)
	if _, err := client.CreateScalingGroup(request); err != nil {
		t.Fatal(err)
	}
	attempts := srv.Attempts()
	if len(attempts) != 3 || attempts[0].AccessKeyID != attempts[1].AccessKeyID || attempts[1].AccessKeyID == attempts[2].AccessKeyID || len(srv.Effects()) != 1 {
		t.Errorf("%d effects by the attempts %v", len(srv.Effects()), attempts)
	}
}

// v2Credential has the methods of credentials-go's. Its session changes under the reader.
type v2Credential struct {
	kind    string
	changes int // how often the session still changes between two looks
	n       int
	err     error
}

func (c *v2Credential) part(name string) (*string, error) {
	if c.err != nil {
		return nil, c.err
	}
	text := fmt.Sprint(name, c.n)
	if c.changes > 0 {
		c.changes--
		c.n++
	}
	return &text, nil
}

func (c *v2Credential) GetAccessKeyId() (*string, error)     { return c.part("id") }
func (c *v2Credential) GetAccessKeySecret() (*string, error) { return c.part("secret") }
func (c *v2Credential) GetSecurityToken() (*string, error)   { return c.part("token") }
func (c *v2Credential) GetType() *string                     { return &c.kind }
func (c *v2Credential) GetBearerToken() *string              { text, _ := c.part("bearer"); return text }

func TestProviderFromV2(t *testing.T) {
	broken := errors.New("vault sealed")
	tests := map[string]struct {
		credential *v2Credential
		want       signer.Credentials
		fixed      bool
		err        error
	}{
		"a session":                  {&v2Credential{kind: "ram_role_arn"}, signer.Credentials{AccessKeyID: "id0", AccessKeySecret: "secret0", SecurityToken: "token0"}, false, nil},
		"changes once":               {&v2Credential{kind: "ram_role_arn", changes: 1}, signer.Credentials{AccessKeyID: "id1", AccessKeySecret: "secret1", SecurityToken: "token1"}, false, nil},
		"changes in mid-look":        {&v2Credential{kind: "ecs_ram_role", changes: 2}, signer.Credentials{AccessKeyID: "id2", AccessKeySecret: "secret2", SecurityToken: "token2"}, false, nil},
		"changes at every look":      {&v2Credential{kind: "ecs_ram_role", changes: 100}, signer.Credentials{}, false, retry.ErrCredentials},
		"a session of its own kind":  {&v2Credential{kind: "sts"}, signer.Credentials{AccessKeyID: "id0", AccessKeySecret: "secret0", SecurityToken: "token0"}, false, nil},
		"a key":                      {&v2Credential{kind: "access_key"}, signer.Credentials{AccessKeyID: "id0", AccessKeySecret: "secret0", SecurityToken: "token0"}, true, nil},
		"a bearer token":             {&v2Credential{kind: "bearer"}, signer.Credentials{BearerToken: "bearer0"}, true, nil},
		"cannot be fetched":          {&v2Credential{kind: "ram_role_arn", err: broken}, signer.Credentials{}, false, broken},
		"a key that cannot be read":  {&v2Credential{kind: "access_key", err: broken}, signer.Credentials{}, false, broken},
		"a bearer token that is nil": {&v2Credential{kind: "bearer", err: broken}, signer.Credentials{}, false, signer.ErrNoCredentials},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := retry.ProviderFrom(tt.credential)
			if err != nil {
				if !errors.Is(err, retry.ErrCredentials) || !errors.Is(err, tt.err) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				return
			}
			got, err := p.Credentials(context.Background())
			if got != tt.want || (err == nil) != (tt.err == nil) {
				t.Errorf("%v, %v, want %v, %v", got, err, tt.want, tt.err)
			}
			if _, fixed := p.(signer.FixedProvider); fixed != tt.fixed {
				t.Errorf("fixed is %v, want %v", fixed, tt.fixed)
			}
		})
	}
}
