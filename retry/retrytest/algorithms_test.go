package retrytest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/aliretry/aliretry/retry/retrytest"
)

func newKey(t *testing.T) string {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func TestACS3Algorithms(t *testing.T) {
	type change = func(*http.Request, *retrytest.Account)
	header := func(name, old, by string) change {
		return func(r *http.Request, _ *retrytest.Account) {
			r.Header.Set(name, strings.Replace(r.Header.Get(name), old, by, 1))
		}
	}
	request := func(f func(*http.Request)) change { return func(r *http.Request, _ *retrytest.Account) { f(r) } }
	account := func(f func(*retrytest.Account)) change {
		return func(_ *http.Request, a *retrytest.Account) { f(a) }
	}
	signature := func(f func(string) string) change {
		return request(func(r *http.Request) {
			head, value, _ := strings.Cut(r.Header.Get("Authorization"), ",Signature=")
			r.Header.Set("Authorization", head+",Signature="+f(value))
		})
	}
	flip := func(s string) string { return string(s[0]^1) + s[1:] }
	other := newKey(t)
	tests := map[string]struct {
		change change
		code   string // empty: accepted
	}{
		"good":                       {func(*http.Request, *retrytest.Account) {}, ""},
		"another header":             {header("X-Other", "", "1"), ""},
		"a bit of the body":          {request(func(r *http.Request) { setBody(r, flip(bodyOf(r))) }), "ContentSha256NotMatched"},
		"and its hash":               {request(func(r *http.Request) { body := flip(bodyOf(r)); setBody(r, body); rehash(r, body) }), "SignatureDoesNotMatch"},
		"the hash":                   {header("x-acs-content-sha256", "0", "1"), "ContentSha256NotMatched"},
		"the action":                 {header("x-acs-action", "s", "t"), "SignatureDoesNotMatch"},
		"the date":                   {header("x-acs-date", ":32", ":33"), "SignatureDoesNotMatch"},
		"the nonce":                  {header("x-acs-signature-nonce", "3", "4"), "SignatureDoesNotMatch"},
		"the type":                   {header("Content-Type", "application", "text"), "SignatureDoesNotMatch"},
		"a header more":              {header("x-acs-extra", "", "1"), "IncompleteSignature"},
		"the method":                 {request(func(r *http.Request) { r.Method = "PATCH" }), "SignatureDoesNotMatch"},
		"the host":                   {request(func(r *http.Request) { r.URL.Host = "ecs.aliyuncs.com" }), "SignatureDoesNotMatch"},
		"the path":                   {request(func(r *http.Request) { r.URL = r.URL.JoinPath("x") }), "SignatureDoesNotMatch"},
		"the query":                  {request(func(r *http.Request) { r.URL.RawQuery += "x" }), "SignatureDoesNotMatch"},
		"a bit of the signature":     {signature(flip), "SignatureDoesNotMatch"},
		"the signature in capitals":  {signature(strings.ToUpper), "SignatureDoesNotMatch"},
		"half of the signature":      {signature(func(s string) string { return s[:len(s)/2] }), "SignatureDoesNotMatch"},
		"a signature that is no hex": {signature(func(s string) string { return "xy" + s[2:] }), "SignatureDoesNotMatch"},
		"the key's name":             {header("Authorization", "Credential=t", "Credential=T"), "InvalidAccessKeyId.NotFound"},
		"the algorithm unknown":      {header("Authorization", "ACS3-", "ACS3-X-"), "InvalidSignatureMethod"},
		"the secret": {account(func(a *retrytest.Account) {
			a.AccessKeySecret = map[bool]string{true: other, false: "Testsecret"}[a.AccessKeySecret == rsaKey]
		}), "SignatureDoesNotMatch"},
		"the secret of another kind": {account(func(a *retrytest.Account) {
			a.AccessKeySecret = map[bool]string{true: "testsecret", false: rsaKey}[a.AccessKeySecret == rsaKey]
		}), "InvalidSignatureMethod"},
	}
	for _, v := range vectors {
		for name, tt := range tests {
			t.Run(v.algorithm+"/"+v.style+"/"+name, func(t *testing.T) {
				req, account := v.request(), v.account()
				tt.change(req, &account)
				if a := sendVector(t, req, account); a.Problem != tt.code || a.Style != "ACS3" {
					t.Errorf("style %s, %q; want %q", a.Style, a.Problem, tt.code)
				}
			})
		}
	}
}

// A signature under the name of another algorithm is refused, also when the hash is the
// one that this algorithm wants.
func TestACS3AlgorithmRenamed(t *testing.T) {
	const hmacSHA256, hmacSM3, rsaSHA256 = "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "ACS3-RSA-SHA256"
	for _, v := range vectors {
		for name, want := range map[string][2]string{ // with the hash as it was, and made anew
			hmacSHA256 + hmacSM3:   {"ContentSha256NotMatched", "SignatureDoesNotMatch"},
			hmacSHA256 + rsaSHA256: {"InvalidSignatureMethod", "InvalidSignatureMethod"},
			hmacSM3 + hmacSHA256:   {"ContentSha256NotMatched", "SignatureDoesNotMatch"},
			hmacSM3 + rsaSHA256:    {"ContentSha256NotMatched", "InvalidSignatureMethod"},
			rsaSHA256 + hmacSHA256: {"InvalidSignatureMethod", "InvalidSignatureMethod"},
			rsaSHA256 + hmacSM3:    {"ContentSha256NotMatched", "InvalidSignatureMethod"},
		} {
			by, ok := strings.CutPrefix(name, v.algorithm)
			if !ok {
				continue
			}
			for i, code := range want {
				req := v.request()
				req.Header.Set("Authorization", strings.Replace(req.Header.Get("Authorization"), v.algorithm, by, 1))
				if i == 1 {
					body := bodyOf(req)
					setBody(req, body)
					rehash(req, body)
				}
				if a := sendVector(t, req, v.account()); a.Problem != code {
					t.Errorf("%s %s as %s, hash %d: %q; want %q", v.style, v.algorithm, by, i, a.Problem, code)
				}
			}
		}
	}
}

// An RSA key is taken in every form in which the clients take it, and no other key for
// one.
func TestRSAKeyForms(t *testing.T) {
	line := strings.ReplaceAll(rsaKey, "\n", "")
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ secret, code string }{
		"lines":             {rsaKey, ""},
		"one line":          {line, ""},
		"PEM":               {"-----BEGIN PRIVATE KEY-----" + rsaKey + "-----END PRIVATE KEY-----\n", ""},
		"PEM of the client": {"-----BEGIN RSA PRIVATE KEY-----\n" + line + "\n-----END RSA PRIVATE KEY-----", ""},
		"cut":               {line[:len(line)-8], "InvalidSignatureMethod"},
		"no RSA":            {base64.StdEncoding.EncodeToString(der), "InvalidSignatureMethod"},
	} {
		v := vectors[len(vectors)-1]
		account := v.account()
		account.AccessKeySecret = tt.secret
		if a := sendVector(t, v.request(), account); v.algorithm != "ACS3-RSA-SHA256" || a.Problem != tt.code {
			t.Errorf("%s: %q; want %q", name, a.Problem, tt.code)
		}
	}
}

// Whose key is an RSA key has no secret for the other styles.
func TestRSAKeyIsNoSecret(t *testing.T) {
	srv := newServer(t, retrytest.Account{AccessKeyID: "testid", AccessKeySecret: rsaKey})
	c := create("")
	c.secret = rsaKey
	if c.send(t, srv); last(t, srv).Problem != "InvalidSignatureMethod" {
		t.Errorf("RPC: %q", last(t, srv).Problem)
	}
	r := createROA("")
	r.credential = credentials.NewAccessKeyCredential("testid", rsaKey)
	if r.send(t, srv); last(t, srv).Problem != "InvalidSignatureMethod" {
		t.Errorf("ROA: %q", last(t, srv).Problem)
	}
}
