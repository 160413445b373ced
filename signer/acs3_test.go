package signer_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/signer"
)

// The example with fixed values that Alibaba publishes with the signature, version 3.
func TestSignACS3PublishedExample(t *testing.T) {
	req, _ := http.NewRequest("POST", "https://ecs.cn-shanghai.aliyuncs.com/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", nil)
	req.Header = http.Header{"x-acs-action": {"RunInstances"}, "x-acs-version": {"2014-05-26"}}
	key := signer.Credentials{AccessKeyID: "YourAccessKeyId", AccessKeySecret: "YourAccessKeySecret"}
	at := signer.Stamp{Nonce: "3156853299f313e23d1673dc12e1703d", Time: time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC)}
	if err := signer.Sign(req, nil, key, at); err != nil {
		t.Fatal(err)
	}
	const want = "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
		"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got := req.Header.Get("Authorization"); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	for name, v := range map[string]string{"X-Acs-Date": "2023-10-26T10:22:32Z", "X-Acs-Signature-Nonce": at.Nonce,
		"X-Acs-Content-Sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"} {
		if req.Header.Get(name) != v {
			t.Errorf("%s is %q", name, req.Header.Get(name))
		}
	}
}

// One request signed in turn with keys of every kind carries what belongs to the last
// alone. A bearer token stands without a signature; its type is told in a header, unless
// the query tells it.
func TestSignACS3InTurn(t *testing.T) {
	for _, query := range []string{"a=1", "a=1&SignatureType=BEARERTOKEN"} {
		req, _ := http.NewRequest("POST", "http://h/clusters?"+query, nil)
		req.Header = http.Header{"authorization": {"ACS3-HMAC-SHA256 Credential=x,SignedHeaders=host,Signature=x"}, "x-acs-version": {"1"}, "x-acs-action": {"A"},
			"x-acs-accesskey-id": {"x"}, "x-acs-security-token": {"x"}, "X-ACS-Security-Token": {"y"}, "X-Acs-Bearer-Token": {"x"}, "x-acs-content-sha256": {"x"}}
		p, err := signer.Prepare(req, []byte("body"))
		if err != nil {
			t.Fatal(err)
		}
		at := signer.Stamp{Nonce: "n", Time: time.Unix(1700000000, 0).In(time.FixedZone("", 8*3600))}
		pair := signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}
		sts, bearer, both := pair, signer.Credentials{BearerToken: "b"}, pair
		sts.SecurityToken, both.BearerToken = "st", "b"
		for i, c := range []signer.Credentials{sts, bearer, both, pair} {
			if err := p.Sign(req, c, at); err != nil {
				t.Fatal(err)
			}
			got := fold(req.Header)
			bearerType := ""
			if c.BearerToken != "" && query == "a=1" {
				bearerType = "BEARERTOKEN"
			}
			for name, v := range map[string]string{"x-acs-date": "2023-11-14T22:13:20Z", "x-acs-signature-nonce": "n", "x-acs-security-token": c.SecurityToken,
				"x-acs-bearer-token": c.BearerToken, "x-acs-accesskey-id": c.AccessKeyID, "x-acs-signature-type": bearerType,
				"x-acs-content-sha256": "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"} {
				if got[name] != v {
					t.Errorf("key %d: %s is %q, want %q", i, name, got[name], v)
				}
			}
			if signed := strings.HasPrefix(got["authorization"], "ACS3-HMAC-SHA256 Credential="+c.AccessKeyID+",SignedHeaders=host;"); signed != (c.BearerToken == "") {
				t.Errorf("key %d: authorization %q", i, got["authorization"])
			}
		}
		if sent, _ := io.ReadAll(req.Body); string(sent) != "body" {
			t.Errorf("the body is %q", sent)
		}
	}
}

// An Authorization of another kind is replaced, and never quoted.
func TestSignACS3ReplacesAuthorization(t *testing.T) {
	for _, was := range []string{"SECRETTOKEN", "Bearer SECRETTOKEN", "ACS3-HMAC-SHA256\tCredential=x,Signature=SECRETTOKEN", ""} {
		req, _ := http.NewRequest("POST", "http://h/", nil)
		req.Header = http.Header{"x-acs-version": {"1"}, "x-acs-action": {"A"}, "authorization": {was}}
		if err := signer.Sign(req, nil, testKey, signer.Stamp{}); err != nil || !strings.HasPrefix(fold(req.Header)["authorization"], "ACS3-HMAC-SHA256 Credential=testid,") {
			t.Errorf("%q: %v, %v", was, req.Header, err)
		}
	}
	req, _ := http.NewRequest("POST", "http://h/", nil)
	req.Header = http.Header{"x-acs-version": {"1"}, "x-acs-action": {"A"}, "authorization": {"ACS3-HMAC-SM3,Signature=SECRETTOKEN"}}
	if err := signer.Sign(req, nil, testKey, signer.Stamp{}); !errors.Is(err, signer.ErrUnsupported) || strings.Contains(err.Error(), "SECRET") {
		t.Error(err)
	}
}

// The algorithm is that of the request's own signature, however it is written.
func TestSignACS3ReadsAlgorithm(t *testing.T) {
	const sm3OfNothing = "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"
	for name, h := range map[string]http.Header{
		"ACS3-HMAC-SM3":    {"Authorization": {"Basic x", " \tacs3-Hmac-sm3\tCredential=x"}},
		"ACS3-HMAC-SM3 ":   {"Authorization": {"Basic x"}, "authorization": {"ACS3-HMAC-SM3"}},
		"ACS3-HMAC-SM3  ":  {"X-Acs-Content-Sha256": {sm3OfNothing}},
		"ACS3-HMAC-SHA256": {"authorization": {"ACS3-HMAC-SHA256"}, "x-acs-content-sha256": {sm3OfNothing}},
		// Of the body of a client that puts the hash of something else there nothing follows.
		"ACS3-HMAC-SHA256 ":   {"x-acs-content-sha256": {strings.Repeat("0", 64)}},
		"ACS3-HMAC-SHA256  ":  {"x-acs-content-sha256": {sm3OfNothing, sm3OfNothing}},
		"ACS3-HMAC-SHA256   ": {"X-Acs-Content-Sha256": nil},
	} {
		for range 5 { // in any order of the map
			req, _ := http.NewRequest("POST", "http://h/", nil)
			req.Header = h.Clone()
			req.Header["x-acs-version"], req.Header["x-acs-action"] = []string{"1"}, []string{"A"}
			if err := signer.Sign(req, nil, testKey, signer.Stamp{}); err != nil {
				t.Fatalf("%v: %v", h, err)
			}
			got, want := fold(req.Header), strings.TrimSpace(name)
			if !strings.HasPrefix(got["authorization"], want+" Credential=testid,") || (got["x-acs-content-sha256"] == sm3OfNothing) != (want == "ACS3-HMAC-SM3") {
				t.Errorf("%v is signed as %v", h, got)
			}
		}
	}
}

// A key for RSA is taken as it is kept in files.
func TestSignACS3RSAKeys(t *testing.T) {
	pem, err := os.ReadFile("../internal/signing/testdata/rsa.pem")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(pem)), "\n")
	bare := strings.Join(lines[1:len(lines)-1], "\n")
	sign := func(secret string) (string, error) {
		req, _ := http.NewRequest("POST", "http://h/", nil)
		req.Header = http.Header{"x-acs-version": {"1"}, "x-acs-action": {"A"}, "authorization": {"ACS3-RSA-SHA256"}}
		err := signer.Sign(req, nil, signer.Credentials{AccessKeyID: "id", AccessKeySecret: secret}, signer.Stamp{Nonce: "n", Time: time.Unix(1700000000, 0)})
		return fold(req.Header)["authorization"], err
	}
	want, err := sign(string(pem))
	if err != nil || !strings.HasPrefix(want, "ACS3-RSA-SHA256 Credential=id,") {
		t.Fatal(want, err)
	}
	for name, key := range map[string]string{"base64": bare, "one line": strings.ReplaceAll(bare, "\n", ""), "Windows": strings.ReplaceAll(bare, "\n", "\r\n") + "\r\n", "spaces": "\n  " + bare + " ",
		"the SDK's armour": "-----BEGIN RSA PRIVATE KEY-----\n" + bare + "\n-----END RSA PRIVATE KEY-----"} {
		if got, err := sign(key); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
	_, edKey, _ := ed25519.GenerateKey(nil)
	ed, _ := x509.MarshalPKCS8PrivateKey(edKey)
	for name, key := range map[string]string{"a secret": "testsecret", "no RSA key": base64.StdEncoding.EncodeToString(ed), "a part": bare[:len(bare)/2]} {
		if got, err := sign(key); !errors.Is(err, signer.ErrNoCredentials) || got != "ACS3-RSA-SHA256" || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestSignACS3Refuses(t *testing.T) {
	good := func() http.Header { return http.Header{"x-acs-version": {"1"}, "x-acs-action": {"A"}} }
	for name, tt := range map[string]struct {
		url    string
		change func(http.Header)
		c      signer.Credentials
		want   error
	}{
		"another algorithm":    {"http://h/", func(h http.Header) { h["Authorization"] = []string{"ACS3-HMAC-SHA512 Credential=x"} }, testKey, signer.ErrUnsupported},
		"a later version":      {"http://h/", func(h http.Header) { h["Authorization"] = []string{"ACS4-HMAC-SHA256 Credential=x"} }, testKey, signer.ErrUnsupported},
		"its name and no more": {"http://h/", func(h http.Header) { h["Authorization"] = []string{"ACS3-HMAC-SHA512"} }, testKey, signer.ErrUnsupported},
		"a secret for RSA":     {"http://h/", func(h http.Header) { h["authorization"] = []string{"ACS3-RSA-SHA256 Credential=x"} }, testKey, signer.ErrNoCredentials},
		"a host in letters":    {"http://b\u00fccher.example/", nil, testKey, signer.ErrMalformed},
		"a host with a zone":   {"http://[fe80::1%25eth0]:80/", nil, testKey, signer.ErrMalformed},
		"one name twice":       {"http://h/?a=1&a=2", nil, testKey, signer.ErrMalformed},
		"one header twice":     {"http://h/", func(h http.Header) { h["x-acs-a"] = []string{"1", "1"} }, testKey, signer.ErrMalformed},
		"two types":            {"http://h/", func(h http.Header) { h["Content-Type"], h["content-type"] = []string{""}, []string{"a"} }, testKey, signer.ErrMalformed},
		"a token's line's end": {"http://h/", nil, signer.Credentials{AccessKeyID: "id", AccessKeySecret: "s", SecurityToken: "st\n"}, signer.ErrMalformed},
		"no credentials":       {"http://h/", nil, signer.Credentials{}, signer.ErrNoCredentials},
	} {
		req, _ := http.NewRequest("POST", tt.url, nil)
		req.Header = good()
		if tt.change != nil {
			tt.change(req.Header)
		}
		before := req.Header.Clone()
		if err := signer.Sign(req, nil, tt.c, signer.Stamp{}); !errors.Is(err, tt.want) || !reflect.DeepEqual(before, req.Header) {
			t.Errorf("%s: %v, headers %v", name, err, req.Header)
		}
	}
}
