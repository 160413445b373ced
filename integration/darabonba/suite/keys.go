package suite

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// key is how calls are signed: with what, and by which algorithm.
type key struct {
	name        string
	credentials signer.Credentials
	algorithm   string // of the client; "" is its default
	signed      string // how the Authorization begins in the ACS3 style; "" if there is none
	versions    []bool // legacy or not
}

func keys(t *testing.T) []key {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey := signer.Credentials{AccessKeyID: "rsa-id", AccessKeySecret: base64.StdEncoding.EncodeToString(der)}
	sts := signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: "s&=%", SecurityToken: "CAIS+/tok en=="}
	rsaSTS := rsaKey
	rsaSTS.SecurityToken = sts.SecurityToken
	bearer := signer.Credentials{BearerToken: "eyJ.bearer+/="}
	both, new := []bool{false, true}, []bool{false}
	return []key{
		{"pair", testKey, "", "ACS3-HMAC-SHA256", both},
		{"pair, by name", testKey, "ACS3-HMAC-SHA256", "ACS3-HMAC-SHA256", new},
		{"pair, SM3", testKey, "ACS3-HMAC-SM3", "ACS3-HMAC-SM3", new},
		{"RSA", rsaKey, "ACS3-RSA-SHA256", "ACS3-RSA-SHA256", new},
		{"STS", sts, "", "ACS3-HMAC-SHA256", both},
		{"STS, SM3", sts, "ACS3-HMAC-SM3", "ACS3-HMAC-SM3", new},
		{"STS, RSA", rsaSTS, "ACS3-RSA-SHA256", "ACS3-RSA-SHA256", new},
		{"bearer", bearer, "", "", both},
		{"bearer, SM3", bearer, "ACS3-HMAC-SM3", "", new},
		{"anonymous", signer.Credentials{Anonymous: true}, "", "", both},
		{"anonymous, SM3", signer.Credentials{Anonymous: true}, "ACS3-HMAC-SM3", "", new},
	}
}

// Each attempt is signed by the algorithm that the client was set up with.
func algorithms(t *testing.T) {
	for _, k := range keys(t) {
		for _, c := range calls {
			if !slices.Contains(k.versions, c.legacy) {
				continue
			}
			t.Run(k.name+"/"+c.name, func(t *testing.T) {
				srv := newServer(t, retrytest.Account{AccessKeyID: k.credentials.AccessKeyID, AccessKeySecret: k.credentials.AccessKeySecret,
					SecurityToken: k.credentials.SecurityToken, BearerToken: k.credentials.BearerToken, Anonymous: k.credentials.Anonymous})
				srv.Script(lost.play, unavailable.play)
				s := New(t, srv.Host, k.use)
				authType := "AK"
				if k.credentials.Anonymous {
					authType = "Anonymous"
				}
				body, err := c.sendAs(t.Context(), s, nil, authType)
				if err != nil {
					t.Fatal(err)
				}
				c.CheckOnce(t, srv, body, s.last(t))
				signatures := make(map[string]bool)
				for _, a := range srv.Attempts() {
					authorization := a.Header.Get("Authorization")
					if a.Style == "ACS3" && (!strings.HasPrefix(authorization, k.signed) || (authorization == "") != (k.signed == "")) {
						t.Errorf("attempt %d was signed as %s", a.Number, authorization)
					}
					if signatures[a.Signature] && a.Signature != "" {
						t.Errorf("attempt %d has the signature of another", a.Number)
					}
					signatures[a.Signature] = true
				}
			})
		}
	}
}

// use sets up a client and its Transport for the key.
func (k key) use(tr *retry.Transport, config *openapi.Config) {
	tr.Credentials = signer.Static(k.credentials)
	config.AccessKeyId, config.AccessKeySecret = dara.String(k.credentials.AccessKeyID), dara.String(k.credentials.AccessKeySecret)
	config.SecurityToken, config.BearerToken = dara.String(k.credentials.SecurityToken), dara.String(k.credentials.BearerToken)
	if k.algorithm != "" {
		config.SignatureAlgorithm = dara.String(k.algorithm)
	}
}
