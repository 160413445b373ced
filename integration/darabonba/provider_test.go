package darabonba

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/alibabacloud-go/tea/dara"
	"github.com/aliyun/credentials-go/credentials"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/signer"
)

// What credentials-go makes serves as the credential of a Provider, as it is.
func TestProviderFromCredentialsGo(t *testing.T) {
	t.Setenv("NO_PROXY", "127.0.0.1")
	vault := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"Code":"Success","AccessKeyId":"STS.id","AccessKeySecret":"secret","SecurityToken":"token","Expiration":"2099-01-01T00:00:00Z"}`)
	}))
	defer vault.Close()
	session := signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: "secret", SecurityToken: "token"}
	for name, tt := range map[string]struct {
		config credentials.Config
		want   signer.Credentials
		fixed  bool
	}{
		"AccessKey":    {credentials.Config{Type: dara.String("access_key"), AccessKeyId: dara.String("id"), AccessKeySecret: dara.String("secret")}, signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}, true},
		"STS":          {credentials.Config{Type: dara.String("sts"), AccessKeyId: dara.String("STS.id"), AccessKeySecret: dara.String("secret"), SecurityToken: dara.String("token")}, session, false},
		"bearer token": {credentials.Config{Type: dara.String("bearer"), BearerToken: dara.String("token")}, signer.Credentials{BearerToken: "token"}, true},
		"a session":    {credentials.Config{Type: dara.String("credentials_uri"), Url: dara.String(vault.URL)}, session, false},
	} {
		t.Run(name, func(t *testing.T) {
			credential, err := credentials.NewCredential(&tt.config)
			if err != nil {
				t.Fatal(err)
			}
			p, err := retry.ProviderFrom(credential)
			if err != nil {
				t.Fatal(err)
			}
			if _, fixed := p.(signer.FixedProvider); fixed != tt.fixed {
				t.Errorf("fixed is %v", fixed)
			}
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					if got, err := p.Credentials(t.Context()); got != tt.want || err != nil {
						t.Errorf("%v, %v", got, err)
					}
				})
			}
			wg.Wait()
		})
	}
}
