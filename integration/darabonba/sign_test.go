package darabonba

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/signer"
)

// acs3Case is a request as a program describes it to the SDK.
type acs3Case struct {
	method, path  string            // the path as it is sent
	host          string            // with its port
	query, header map[string]string // decoded; keys in any case
	body          string
	key           signer.Credentials
	nonce         string
}

var date = time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC)

// official returns the Authorization that the SDK makes of the request, as its client calls
// it.
func (c *acs3Case) official() string {
	request := dara.NewRequest()
	request.Method, request.Pathname = dara.String(c.method), dara.String(c.path)
	for k, v := range c.query {
		request.Query[k] = dara.String(v)
	}
	for k, v := range c.header {
		request.Headers[k] = dara.String(v)
	}
	sum := sha256.Sum256([]byte(c.body))
	hash := hex.EncodeToString(sum[:])
	for k, v := range map[string]string{"host": c.host, "x-acs-date": date.Format("2006-01-02T15:04:05Z"), "x-acs-signature-nonce": c.nonce, "x-acs-content-sha256": hash} {
		request.Headers[k] = dara.String(v)
	}
	if c.key.SecurityToken != "" {
		request.Headers["x-acs-accesskey-id"] = dara.String(c.key.AccessKeyID)
		request.Headers["x-acs-security-token"] = dara.String(c.key.SecurityToken)
	}
	return dara.StringValue(openapi.GetAuthorization(request, dara.String("ACS3-HMAC-SHA256"), dara.String(hash), dara.String(c.key.AccessKeyID), dara.String(c.key.AccessKeySecret)))
}

// check signs the request with the SDK and with us, unsigned and signed for another key
// before. It reports whether the two can be compared: the path must be one that net/http
// sends as it stands.
func (c *acs3Case) check(t testing.TB) bool {
	t.Helper()
	query := url.Values{}
	for k, v := range c.query {
		query.Set(k, v)
	}
	target := "http://" + c.host + c.path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	want := c.official()
	for _, stale := range []bool{false, true} {
		req, err := http.NewRequest(c.method, target, strings.NewReader(c.body))
		if err != nil || req.URL.EscapedPath() != c.path {
			return false
		}
		for k, v := range c.header {
			req.Header[k] = []string{v}
		}
		if stale {
			req.Header["authorization"] = []string{"ACS3-HMAC-SHA256 Credential=other,SignedHeaders=host,Signature=00"}
			for _, name := range []string{"x-acs-date", "X-Acs-Signature-Nonce", "x-acs-content-sha256", "x-acs-security-token", "x-acs-accesskey-id", "X-Acs-Bearer-Token"} {
				req.Header[name] = []string{"stale"}
			}
			if c.key.SecurityToken == "" { // else it is signed, and the SDK has none
				delete(req.Header, "x-acs-accesskey-id")
			}
		}
		if err := signer.Sign(req, []byte(c.body), c.key, signer.Stamp{Nonce: c.nonce, Time: date}); err != nil {
			t.Fatalf("%v\nof %+v", err, c)
		}
		got := ""
		for k, v := range req.Header {
			if strings.EqualFold(k, "Authorization") {
				got += strings.Join(v, "|")
			}
		}
		if got != want {
			t.Errorf("signed, stale %v:\n%s\nwant:\n%s\nof %+v", stale, got, want, c)
		}
		if sent, _ := io.ReadAll(req.Body); string(sent) != c.body || req.ContentLength != int64(len(c.body)) {
			t.Errorf("the body is %q", sent)
		}
	}
	return true
}

// The characters that encodings disagree about, and some that look encoded.
var alphabet = []string{" ", "*", "~", "+", "%", "%20", "&", "=", "/", "?", "#", ";", ":", "-", "_", ".", "!", "'", "(", ")",
	"\"", "<", "\\", "a", "Z", "0", "中文", "é", "😀", "\n", "\t", "\x00", "\x7f", "%7E", "%7e"}

func text(r *rand.Rand, n int) string {
	var b strings.Builder
	for range r.IntN(n + 1) {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

var keys = []signer.Credentials{
	{AccessKeyID: "testid", AccessKeySecret: "testsecret"},
	{AccessKeyID: "STS.id", AccessKeySecret: "s&=%", SecurityToken: "CAIS+/tok en=="},
}

func TestSignDiffersNowhereFromSDK(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	value := func() string {
		return strings.NewReplacer("\n", "", "\x00", "", "\x7f", "").Replace(text(r, 8))
	}
	for i := range 10_000 {
		c := acs3Case{
			method: []string{"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"}[i%6],
			path:   "/" + []string{"", "clusters/" + url.PathEscape(text(r, 6)), "a/b", "a-b", "a//b/", "~%7E+*"}[r.IntN(6)],
			host:   []string{"cs.aliyuncs.com", "cs.aliyuncs.com:443", "127.0.0.1:8080"}[r.IntN(3)],
			query:  map[string]string{"a": text(r, 8), "a.b": "", "Tag.10.Key": text(r, 3), "Tag.2.Key": "x", "n" + text(r, 3): text(r, 3)},
			header: map[string]string{"x-acs-version": "2015-12-15", "X-ACS-Action": "ModifyCluster", "x-acs-region-id": value(), "x-acs-a": "1", "x-acs-a-b": "2", "X-Other": value()},
			key:    keys[i%len(keys)], nonce: fmt.Sprint("nonce ", i),
		}
		switch i % 4 {
		case 0:
			c.body, c.header["Content-Type"] = "a=b&c="+url.QueryEscape(text(r, 8)), "application/x-www-form-urlencoded"
		case 1:
			c.body, c.header["content-type"] = `{"name":"`+text(r, 8)+`"}`, " application/json; charset=utf-8"
		case 2:
			c.body, c.header["CONTENT-TYPE"] = text(r, 30), "application/octet-stream"
		}
		if !c.check(t) || t.Failed() {
			t.Fatalf("at request %d, %+v", i, c)
		}
	}
}

func FuzzSign(f *testing.F) {
	f.Add("/clusters/c1", "name", "a b*~+%2B", "value", "{}", true)
	f.Add("/a%2Fb/%E4%B8%AD", "", "", " outer ", "中文", false)
	f.Fuzz(func(t *testing.T, path, name, value, header, body string, sts bool) {
		u, err := url.Parse("http://cs.aliyuncs.com" + path)
		if err != nil || u.Host != "cs.aliyuncs.com" || u.RawQuery != "" || u.ForceQuery || strings.Contains(path, "#") || !strings.HasPrefix(path, "/") {
			return // no path of a request
		}
		if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) {
			return // no value that a header can have on the wire, or one of spaces that net/http does not trim
		}
		key := keys[0]
		if sts {
			key = keys[1]
		}
		c := acs3Case{method: "POST", path: path, host: "cs.aliyuncs.com", query: map[string]string{name: value},
			header: map[string]string{"x-acs-version": "1", "x-acs-action": "A", "x-acs-fuzz": header}, body: body, key: key, nonce: "n"}
		c.check(t)
	})
}

// BenchmarkSign sets the ways side by side: the SDK's, our first signature of a call and
// that of a further attempt.
func BenchmarkSign(b *testing.B) {
	c := acs3Case{method: "POST", path: "/", host: "ess.aliyuncs.com", query: map[string]string{}, key: keys[0], nonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
		header: map[string]string{"x-acs-version": "2014-08-28", "x-acs-action": "CreateScalingGroup", "accept": "application/json"}}
	query := url.Values{}
	for i := range 20 {
		c.query[fmt.Sprintf("Tag.%d.Key", i)] = "web prod 生产"
		query.Set(fmt.Sprintf("Tag.%d.Key", i), "web prod 生产")
	}
	req, _ := http.NewRequest(c.method, "http://"+c.host+"/?"+query.Encode(), nil)
	for k, v := range c.header {
		req.Header[k] = []string{v}
	}
	at := signer.Stamp{Nonce: c.nonce, Time: date}
	b.Run("sdk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.official()
		}
	})
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := signer.Sign(req, nil, c.key, at); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("further", func(b *testing.B) {
		p, err := signer.Prepare(req, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := p.Sign(req, c.key, at); err != nil {
				b.Fatal(err)
			}
		}
	})
}
