package darabonba

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aliretry/aliretry/signer"
)

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

// binary is no text.
func binary(r *rand.Rand, n int) string {
	b := make([]byte, r.IntN(n))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

var withoutControls = strings.NewReplacer("\n", "", "\x00", "", "\x7f", "")

// headerValue has spaces within and around it, and nothing that net/http refuses.
func headerValue(r *rand.Rand) string {
	return withoutControls.Replace(text(r, 8))
}

// recase spells the key of a header in another case.
func recase(r *rand.Rand, key string) string {
	switch r.IntN(4) {
	case 0:
		return strings.ToUpper(key)
	case 1:
		return http.CanonicalHeaderKey(key)
	case 2:
		return strings.ToUpper(key[:3]) + key[3:]
	}
	return key
}

// randomKey returns a key of the length that an HMAC takes as it is, or of one that it
// hashes first.
func randomKey(r *rand.Rand, algorithm string) signer.Credentials {
	key := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "s" + binary(r, 130)}
	if algorithm == rsaSHA256 {
		key.AccessKeySecret = rsaKey()
	}
	if r.IntN(2) == 0 {
		key.AccessKeyID, key.SecurityToken = "STS.id", "CAIS+/tok en=="+strings.Trim(headerValue(r), " \t")
		key.SecurityToken = strings.Trim(key.SecurityToken, " \t")
	}
	return key
}

// randomCase returns the i-th request.
func randomCase(r *rand.Rand, algorithm string, i int) acs3Case {
	c := acs3Case{
		algorithm: algorithm,
		method:    []string{"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"}[r.IntN(6)],
		path:      []string{"", "/", "/clusters/" + url.PathEscape(text(r, 6)), "/a/b", "/a-b", "/a//b/", "/~%7E+*"}[r.IntN(7)],
		host:      []string{"cs.aliyuncs.com", "cs.aliyuncs.com:443", "127.0.0.1:8080", "[::1]:80"}[r.IntN(4)],
		key:       randomKey(r, algorithm), nonce: fmt.Sprint("nonce ", i),
	}
	c.query = map[string]string{"a": text(r, 8), "a.b": "", "a/b": "x", "a-b": "%2F", "a b": text(r, 2), "Tag.10.Key": text(r, 3), "Tag.2.Key": "x",
		"n" + text(r, 3): text(r, 3), "中文": "é"}
	c.header = map[string]string{"x-acs-": headerValue(r)}
	for _, h := range [][2]string{{"x-acs-version", "2015-12-15"}, {"x-acs-action", "ModifyCluster"}, {"x-acs-region-id", headerValue(r)},
		{"x-acs-a", "1"}, {"x-acs-a-b", "\t2  2 "}, {"x-acs-b", ""}, {"x-other", headerValue(r)}, {"accept", "application/json"}} {
		c.header[recase(r, h[0])] = h[1]
	}
	switch r.IntN(30) {
	case 0:
		c.query[""] = text(r, 3)
	case 1:
		c.query = nil
	case 2: // longer than what is set aside for it
		c.query["long"] = strings.Repeat(text(r, 20)+"x", 300)
	case 3: // more of them than most requests have
		for j := range 30 + r.IntN(30) {
			c.query[fmt.Sprintf("Tag.%d.Value", j)] = text(r, 3)
		}
	case 4:
		for j := range 100 {
			c.header[recase(r, fmt.Sprintf("x-acs-meta-%d", j))] = headerValue(r)
		}
	}
	contentType := recase(r, "content-type")
	switch r.IntN(6) {
	case 0:
		c.body, c.header[contentType] = "a=b&c="+url.QueryEscape(text(r, 8)), "application/x-www-form-urlencoded"
	case 1:
		c.body, c.header[contentType] = `{"name":"`+text(r, 8)+`"}`, " application/json; charset=utf-8"
	case 2:
		c.body, c.header[contentType] = binary(r, 300), "application/octet-stream\t"
	case 3:
		c.body = binary(r, 30)
	case 4:
		c.header[contentType] = ""
	}
	return c
}

func TestSignDiffersNowhereFromSDK(t *testing.T) {
	for seed, algorithm := range []string{hmacSHA256, hmacSM3, rsaSHA256} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(5, uint64(seed)))
			for i := range 10_000 {
				c := randomCase(r, algorithm, i)
				if !c.check(t, ways[i%len(ways)]) || t.Failed() {
					t.Fatalf("at request %d, %q", i, c)
				}
			}
		})
	}
}

func FuzzSign(f *testing.F) {
	f.Add("/clusters/c1", "name", "a b*~+%2B", "value", "{}", "secret", uint8(0))
	f.Add("/a%2Fb/%E4%B8%AD", "", "", " outer ", "中文", strings.Repeat("k", 65), uint8(1))
	f.Add("/", "a/b", "%7E", "in  ner", "\xff", "&", uint8(2))
	f.Add("//", "+*%7E", "\x00", "\t", "", "\x00", uint8(4))
	f.Fuzz(func(t *testing.T, path, name, value, header, body, secret string, choice uint8) {
		u, err := url.Parse("http://cs.aliyuncs.com" + path)
		if err != nil || u.Host != "cs.aliyuncs.com" || u.RawQuery != "" || u.ForceQuery || strings.Contains(path, "#") || !strings.HasPrefix(path, "/") {
			return // no path of a request
		}
		if strings.ContainsFunc(header, func(r rune) bool { return r != '\t' && r < ' ' || r > '~' }) {
			return // no value that a header can have on the wire, or one of spaces that net/http does not trim
		}
		if strings.HasPrefix(name, "&") || secret == "" {
			return // which the SDK takes for the separator, and no key
		}
		c := acs3Case{algorithm: []string{hmacSHA256, hmacSM3, rsaSHA256}[choice%3], method: "POST", path: path, host: "cs.aliyuncs.com", query: map[string]string{name: value},
			header: map[string]string{"x-acs-version": "1", "x-acs-action": "A", "x-acs-fuzz": header}, body: body, nonce: "n",
			key: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: secret}}
		if c.algorithm == rsaSHA256 {
			c.key.AccessKeySecret = rsaKey()
		}
		if choice/3%2 == 1 {
			c.key.SecurityToken = "CAIS+/tok en=="
		}
		for _, way := range ways {
			c.check(t, way)
		}
	})
}
