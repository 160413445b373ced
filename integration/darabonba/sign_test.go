//go:debug rsa1024min=0

package darabonba

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/signer"
)

const (
	hmacSHA256 = "ACS3-HMAC-SHA256"
	hmacSM3    = "ACS3-HMAC-SM3"
	rsaSHA256  = "ACS3-RSA-SHA256"
)

// rsaKey is a key of this process in PKCS #8, as the SDK takes it: base64 without PEM's
// lines. It is short, since thousands of requests are signed with it: Go refuses it
// without the setting above.
var rsaKey = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 512)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
})

// inPEM is the same key as other programs keep it.
func inPEM(key string) string {
	der, _ := base64.StdEncoding.DecodeString(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// acs3Case is a request as a program describes it to the SDK.
type acs3Case struct {
	algorithm     string
	method, path  string            // the path as it is sent
	host          string            // with its port
	query, header map[string]string // decoded; keys in any case
	body          string
	key           signer.Credentials
	nonce         string
}

var date = time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC)

// official returns the headers that the SDK sends with the request, their keys in lower
// case: those of the program, and its own as its client makes them.
func (c *acs3Case) official() map[string]string {
	request := dara.NewRequest()
	request.Method, request.Pathname = dara.String(c.method), dara.String(c.path)
	for k, v := range c.query {
		request.Query[k] = dara.String(v)
	}
	algorithm := dara.String(c.algorithm)
	hash := hex.EncodeToString(openapi.Hash([]byte(c.body), algorithm))
	add := map[string]string{"x-acs-date": date.Format("2006-01-02T15:04:05Z"), "x-acs-signature-nonce": c.nonce, "x-acs-content-sha256": hash}
	if c.key.SecurityToken != "" {
		add["x-acs-accesskey-id"], add["x-acs-security-token"] = c.key.AccessKeyID, c.key.SecurityToken
	}
	headers := make(map[string]string)
	for k, v := range c.header {
		headers[strings.ToLower(k)] = v
		request.Headers[k] = dara.String(v)
	}
	for k, v := range add {
		headers[k] = v
		request.Headers[k] = dara.String(v)
	}
	request.Headers["host"] = dara.String(c.host)
	headers["authorization"] = dara.StringValue(openapi.GetAuthorization(request, algorithm, dara.String(hash),
		dara.String(c.key.AccessKeyID), dara.String(c.key.AccessKeySecret)))
	return headers
}

// ways are those in which one request comes to be signed.
var ways = []string{"unsigned", "signed by another key", "signed by another kind of key just before"}

// check signs the request with the SDK and with us, having come in one of the ways. It
// reports whether the two can be compared: the path must be one that net/http sends as it
// stands.
func (c *acs3Case) check(t testing.TB, way string) bool {
	t.Helper()
	query := url.Values{}
	for k, v := range c.query {
		query.Set(k, v)
	}
	target := "http://" + c.host + c.path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequest(c.method, target, strings.NewReader(c.body))
	if err != nil || req.URL.EscapedPath() != c.path {
		return false
	}
	if way == ways[1] { // and the address that is dialled is not the one that is signed
		req.URL.Host = "10.0.0.1"
	}
	for k, v := range c.header {
		req.Header[k] = []string{v}
	}
	if c.algorithm != hmacSHA256 || way == ways[1] {
		req.Header["authorization"] = []string{c.algorithm + " Credential=other,SignedHeaders=host,Signature=00"}
	}
	if way == ways[1] {
		for _, name := range []string{"X-Acs-Date", "x-acs-signature-nonce", "X-ACS-SECURITY-TOKEN", "x-acs-bearer-token"} {
			req.Header[name] = []string{"stale"}
		}
		req.Header["X-Acs-Content-Sha256"] = []string{otherHash(c)}
		if c.key.SecurityToken != "" { // else the header stays with the key's ID, and the SDK has none
			req.Header["X-Acs-Accesskey-Id"] = []string{"other"}
		}
	}
	key, at := c.key, signer.Stamp{Nonce: c.nonce, Time: date}
	if c.algorithm == rsaSHA256 && way == ways[1] {
		key.AccessKeySecret = inPEM(key.AccessKeySecret)
	}
	p, err := signer.Prepare(req, []byte(c.body))
	if err == nil && way == ways[2] {
		other := signer.Credentials{BearerToken: "other"}
		if c.algorithm == hmacSM3 {
			other = signer.Credentials{AccessKeyID: "other", AccessKeySecret: "other", SecurityToken: "other"}
		}
		if c.algorithm == rsaSHA256 {
			other = signer.Credentials{Anonymous: true}
		}
		err = p.Sign(req, other, signer.Stamp{})
	}
	if err == nil {
		err = p.Sign(req, key, at)
	}
	if err != nil {
		t.Fatalf("%s: %v\nof %q", way, err, c)
	}
	got, want := fold(req.Header), c.official()
	if c.algorithm != hmacSHA256 && want["authorization"] == "" || !strings.HasPrefix(want["authorization"], c.algorithm) {
		t.Fatalf("the SDK does not sign: %v", want)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n%v\nwant:\n%v\nof %q", way, got, want, c)
	}
	if sent, _ := io.ReadAll(req.Body); string(sent) != c.body || req.ContentLength != int64(len(c.body)) {
		t.Errorf("%s: the body is %q, of length %d; want %q", way, sent, req.ContentLength, c.body)
	}
	return true
}

// otherHash is the body's by an algorithm that the request is not signed with.
func otherHash(c *acs3Case) string {
	other := hmacSM3
	if c.algorithm == hmacSM3 {
		other = hmacSHA256
	}
	return hex.EncodeToString(openapi.Hash([]byte(c.body), dara.String(other)))
}

// fold returns headers with their keys in lower case; no two may come together.
func fold(h http.Header) map[string]string {
	folded := make(map[string]string)
	for k := range maps.Keys(h) {
		folded[strings.ToLower(k)] += strings.Join(h[k], "|")
	}
	return folded
}
