package retry_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// cloud is where the SDK's providers fetch sessions: STS, the metadata of an ECS instance,
// and a program of one's own. The addresses of the first two cannot be changed, so it stands
// behind net/http's default transport, from which the providers make theirs.
type cloud struct {
	*httptest.Server
	privateKey, tokenFile string

	mu    sync.Mutex
	asked []url.Values // of STS
}

const expiration = `"Expiration":"2099-01-01T00:00:00Z"`

// accounts are the keys that a client may have, or get from a cloud.
var accounts = []retrytest.Account{
	retrytest.DefaultAccount(),
	{AccessKeyID: "STS.role", AccessKeySecret: "role-secret", SecurityToken: "role-token"},
	{AccessKeyID: "STS.ecs", AccessKeySecret: "ecs-secret", SecurityToken: "ecs-token"},
	{AccessKeyID: "TMPSK.pair", AccessKeySecret: "pair-secret"},
	{BearerToken: "bearer"},
}

func session(of retrytest.Account) string {
	return fmt.Sprintf(`"AccessKeyId":%q,"AccessKeySecret":%q,"SecurityToken":%q,`, of.AccessKeyID, of.AccessKeySecret, of.SecurityToken) + expiration
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{privateKey: base64.StdEncoding.EncodeToString(der), tokenFile: filepath.Join(t.TempDir(), "token")}
	if err := os.WriteFile(c.tokenFile, []byte("oidc-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)

	here, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	before := http.DefaultTransport
	through := &http.Transport{
		// A provider dials in its own way, but goes by these two.
		Proxy: func(req *http.Request) (*url.URL, error) {
			if req.URL.Scheme == "http" {
				return here, nil
			}
			return nil, nil
		},
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", here.Host)
		},
	}
	http.DefaultTransport = through
	t.Cleanup(func() { http.DefaultTransport = before; through.CloseIdleConnections() })
	return c
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close") // each provider makes a transport for each session, and closes none
	const roles = "/latest/meta-data/ram/security-credentials/"
	switch {
	case strings.HasSuffix(r.Host, ".aliyuncs.com"):
		c.serveSTS(w, r)
	case r.URL.Path == "/uri":
		fmt.Fprintf(w, `{%s}`, session(accounts[1]))
	case r.URL.Path == "/latest/api/token":
		fmt.Fprint(w, "metadata-token")
	case r.URL.Path == roles:
		fmt.Fprint(w, "ecs-role")
	case r.URL.Path == roles+"ecs-role":
		fmt.Fprintf(w, `{"Code":"Success",%s}`, session(accounts[2]))
	default:
		http.NotFound(w, r)
	}
}

func (c *cloud) serveSTS(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	c.mu.Lock()
	c.asked = append(c.asked, r.Form)
	c.mu.Unlock()
	switch action := r.Form.Get("Action"); {
	case action == "GenerateSessionAccessKey":
		fmt.Fprintf(w, `{"SessionAccessKey":{"SessionAccessKeyId":%q,"SessionAccessKeySecret":%q,%s}}`, accounts[3].AccessKeyID, accounts[3].AccessKeySecret, expiration)
	case strings.HasPrefix(action, "AssumeRole"):
		fmt.Fprintf(w, `{"Credentials":{%s}}`, session(accounts[1]))
	default:
		http.NotFound(w, r)
	}
}

// saw reports whether every time that STS was asked it was under this parameter, and forgets
// all of them.
func (c *cloud) saw(name, value string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = nil
	for _, form := range asked {
		if form.Get(name) != value {
			return false
		}
	}
	return len(asked) > 0
}
