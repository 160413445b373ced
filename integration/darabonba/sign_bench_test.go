package darabonba

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/aliretry/aliretry/signer"
)

// BenchmarkSign sets the ways side by side: the SDK's, our first signature of a call and
// that of a further attempt.
func BenchmarkSign(b *testing.B) {
	c := acs3Case{algorithm: hmacSHA256, method: "POST", path: "/", host: "ess.aliyuncs.com", query: map[string]string{},
		key: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}, nonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
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
