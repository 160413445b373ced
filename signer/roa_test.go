package signer_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/signer"
)

// What the SDK never sends and other clients do: where Accept, Content-MD5 or Content-Type
// are missing their lines stay empty, as the official client for Node.js has them; spaces
// around a header's value do not reach the wire and are not signed; an AccessKey ID among
// the headers is that of the key which signs. The signatures were made with openssl.
func TestSignROAOfOtherClients(t *testing.T) {
	at := signer.Stamp{Nonce: "n", Time: time.Unix(1700000000, 0)}
	sts := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret", SecurityToken: "st"}
	tests := map[string]struct {
		url    string
		header http.Header
		c      signer.Credentials
		want   http.Header // with what was there
	}{
		"unsigned": {"http://cs.aliyuncs.com", http.Header{"x-acs-version": {" 2015-12-15\t"}, "x-acs-signature-version": {"1.0"}}, testKey,
			http.Header{"Authorization": {"acs testid:6PLGO+yDmvtXMkwHMmuUTB33l34="}, "X-Acs-Signature-Method": {"HMAC-SHA1"}}},
		"signed with other keys": {"http://cs.aliyuncs.com/clusters/c%2F1?name=1&empty=&Name=a+b", http.Header{
			"x-acs-version": {"2015-12-15"}, "x-acs-signature-version": {"1.0"}, "x-acs-signature-method": {"HMAC-SHA1"}, "accept": {"application/json"},
			"authorization": {"acs other:x"}, "x-acs-accesskey-id": {"other"}, "X-Acs-Bearer-Token": {"other"}}, sts,
			http.Header{"authorization": {"acs testid:gn3TvB9o2aN5uyAIHpZ4mmDyG9U="}, "x-acs-accesskey-id": {"testid"}, "X-Acs-Security-Token": {"st"},
				"X-Acs-Bearer-Token": nil}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			req, _ := http.NewRequest("GET", tt.url, nil)
			req.Header = tt.header.Clone()
			want := tt.header.Clone()
			want["Date"], want["X-Acs-Signature-Nonce"] = []string{"Tue, 14 Nov 2023 22:13:20 GMT"}, []string{"n"}
			for k, v := range tt.want {
				if want[k] = v; v == nil {
					delete(want, k)
				}
			}
			if err := signer.Sign(req, nil, tt.c, at); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(req.Header, want) {
				t.Errorf("headers\n%v, want\n%v", req.Header, want)
			}
		})
	}
}

// One request signed in turn with keys of every kind carries what belongs to the last
// alone. A bearer token authenticates without a secret, and its type is told where the
// request tells one.
func TestSignROAInTurn(t *testing.T) {
	req, _ := http.NewRequest("GET", "http://h/?a=1", nil)
	req.Header = http.Header{"Authorization": {"acs x:y"}, "authorization": {"acs x:y"}, "x-acs-version": {"1"}, "x-acs-accesskey-id": {"x"},
		"X-Acs-Signature-Type": {""}, "x-acs-security-token": {"x"}, "X-ACS-Security-Token": {"y"}, "X-Acs-Bearer-Token": {"x"}}
	p, err := signer.Prepare(req, nil)
	if err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("", 8*3600)
	at := signer.Stamp{Nonce: "n", Time: time.Unix(1700000000, 0).In(zone)}
	pair := signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}
	sts, bearer, both := pair, signer.Credentials{BearerToken: "b"}, pair
	sts.SecurityToken, both.BearerToken = "st", "b"
	var signatures []string
	for i, c := range []signer.Credentials{sts, bearer, both, pair} {
		if err := p.Sign(req, c, at); err != nil {
			t.Fatal(err)
		}
		got := fold(req.Header)
		want := map[string]string{"date": "Tue, 14 Nov 2023 22:13:20 GMT", "x-acs-signature-nonce": "n", "x-acs-security-token": c.SecurityToken,
			"x-acs-bearer-token": c.BearerToken, "x-acs-accesskey-id": c.AccessKeyID, "x-acs-signature-type": []string{"", "BEARERTOKEN", "BEARERTOKEN", ""}[i]}
		for name, v := range want {
			if got[name] != v {
				t.Errorf("key %d: %s is %q, want %q", i, name, got[name], v)
			}
		}
		id, signature, _ := strings.Cut(strings.TrimPrefix(got["authorization"], "acs "), ":")
		if id != c.AccessKeyID {
			t.Errorf("key %d: signed by %q", i, id)
		}
		signatures = append(signatures, signature)
	}
	// The SDK signs with the secret and nothing else; a bearer's is empty, whatever else
	// the credentials hold.
	both.AccessKeySecret = "other"
	if err := p.Sign(req, both, at); err != nil || !strings.HasSuffix(fold(req.Header)["authorization"], ":"+signatures[2]) {
		t.Errorf("a bearer token's signature depends on the secret, or %v", err)
	}
}

// What would not reach the wire as it is signed is refused before anything is written.
func TestSignROARefusesCredentials(t *testing.T) {
	tests := map[string]struct {
		c  signer.Credentials
		at signer.Stamp
	}{
		"a line's end":         {signer.Credentials{AccessKeyID: "id", AccessKeySecret: "s", SecurityToken: "st\n"}, signer.Stamp{}},
		"a space":              {signer.Credentials{BearerToken: " b"}, signer.Stamp{}},
		"a space behind":       {signer.Credentials{BearerToken: "b "}, signer.Stamp{}},
		"a tab":                {signer.Credentials{BearerToken: "\tb"}, signer.Stamp{}},
		"a control character":  {signer.Credentials{AccessKeyID: "i\x00d", AccessKeySecret: "s"}, signer.Stamp{}},
		"a nonce with a tab":   {testKey, signer.Stamp{Nonce: "n\t"}},
		"a nonce of two lines": {testKey, signer.Stamp{Nonce: "n\nn"}},
		"a delete character":   {signer.Credentials{BearerToken: "b\x7f"}, signer.Stamp{}},
	}
	for name, tt := range tests {
		req, _ := http.NewRequest("GET", "http://h/", nil)
		req.Header = http.Header{"Authorization": {"acs x:y"}, "x-acs-version": {"1"}}
		before := req.Header.Clone()
		err := signer.Sign(req, nil, tt.c, tt.at)
		if !errors.Is(err, signer.ErrMalformed) || !reflect.DeepEqual(before, req.Header) {
			t.Errorf("%s: %v, headers %v", name, err, req.Header)
		}
	}
}

func TestSignROARefuses(t *testing.T) {
	signed := func(more ...string) http.Header {
		h := http.Header{"Authorization": {"acs id:signature"}}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = append(h[more[i]], more[i+1])
		}
		return h
	}
	tests := map[string]struct {
		url    string
		header http.Header
		want   error
	}{
		"one name twice in the query": {"http://h/?a=1&a=2", signed(), signer.ErrMalformed},
		"one header twice":            {"http://h/", signed("x-acs-a", "1", "x-acs-a", "2"), signer.ErrMalformed},
		"one header in two cases":     {"http://h/", signed("x-acs-a", "1", "X-Acs-A", "2"), signer.ErrMalformed},
		"two types":                   {"http://h/", signed("Content-Type", "a", "content-type", "b"), signer.ErrMalformed},
		"two types, one empty":        {"http://h/", signed("Content-Type", "", "content-type", "b"), signer.ErrMalformed},
		"two versions":                {"http://h/", signed("x-acs-version", "1", "X-Acs-Version", "2"), signer.ErrMalformed},
		"two who authorize":           {"http://h/", signed("authorization", "acs other:signature"), signer.ErrMalformed},
		"another method":              {"http://h/", signed("x-acs-signature-method", "HMAC-SHA256"), signer.ErrUnsupported},
		"another version":             {"http://h/", signed("X-Acs-Signature-Version", "2.0"), signer.ErrUnsupported},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			req, _ := http.NewRequest("GET", tt.url, nil)
			req.Header = tt.header
			before := req.Header.Clone()
			if err := signer.Sign(req, nil, testKey, signer.Stamp{}); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			req.URL.Opaque = "//h/"
			if err := signer.Sign(req, nil, testKey, signer.Stamp{}); !errors.Is(err, signer.ErrMalformed) {
				t.Errorf("opaque: %v", err)
			}
			if !reflect.DeepEqual(before, req.Header) {
				t.Errorf("refused request was changed: %v", req.Header)
			}
		})
	}
}
