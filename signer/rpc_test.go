package signer_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aliretry/aliretry/signer"
)

// The example that Alibaba publishes with the RPC signature: an unsigned request.
func TestSignPublishedExample(t *testing.T) {
	req, _ := http.NewRequest("GET", "http://ecs.aliyuncs.com/?Format=XML&Action=DescribeRegions&Version=2014-05-26", nil)
	at := signer.Stamp{Nonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", Time: time.Date(2016, 2, 23, 12, 46, 24, 0, time.UTC)}
	if err := signer.Sign(req, nil, testKey, at); err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"Format": {"XML"}, "Action": {"DescribeRegions"}, "Version": {"2014-05-26"},
		"SignatureMethod": {"HMAC-SHA1"}, "SignatureVersion": {"1.0"}, "AccessKeyId": {"testid"},
		"SignatureNonce": {at.Nonce}, "Timestamp": {"2016-02-23T12:46:24Z"},
		"Signature": {"OLeaidS1JvxuMvnyHOwuJ+uX5qY="},
	}
	if got := req.URL.Query(); got.Encode() != want.Encode() {
		t.Errorf("signed query:\n%s\nwant:\n%s", got.Encode(), want.Encode())
	}
}

// Clients that put everything into the form get the signature there as well.
func TestSignForm(t *testing.T) {
	form := "Action=CreateVpc&Version=2016-04-28&VpcName=a+b%2A&SignatureNonce=old&Signature=old&TimeStamp=old"
	req, _ := http.NewRequest("POST", "http://vpc.aliyuncs.com/?RegionId=cn-qingdao", strings.NewReader(form))
	req.Header["content-type"] = []string{"Application/X-WWW-Form-urlencoded; charset=utf-8"}
	at := signer.Stamp{Nonce: "n1", Time: time.Unix(1700000000, 0)}
	if err := signer.Sign(req, []byte(form), testKey, at); err != nil {
		t.Fatal(err)
	}
	if req.URL.RawQuery != "RegionId=cn-qingdao" {
		t.Errorf("query is %s", req.URL.RawQuery)
	}
	body, _ := io.ReadAll(req.Body)
	if int64(len(body)) != req.ContentLength {
		t.Errorf("ContentLength %d of %d bytes", req.ContentLength, len(body))
	}
	if !strings.HasPrefix(string(body), "Action=CreateVpc&Version=2016-04-28&VpcName=a+b%2A&") {
		t.Errorf("constant part changed: %s", body)
	}
	got, _ := url.ParseQuery(string(body))
	// The union counts: the SDK signs the same when all of it is in the query. It spells
	// the time parameter otherwise, which is why the oracle is our query form here, which
	// is checked against the SDK above.
	inQuery, _ := http.NewRequest("POST", "http://vpc.aliyuncs.com/?RegionId=cn-qingdao&"+form, nil)
	if err := signer.Sign(inQuery, nil, testKey, at); err != nil {
		t.Fatal(err)
	}
	if want := inQuery.URL.Query().Get("Signature"); got.Get("Signature") != want {
		t.Errorf("signature %s, want %s", got.Get("Signature"), want)
	}
	if got.Get("SignatureNonce") != "n1" || got.Get("TimeStamp") != "2023-11-14T22:13:20Z" || got.Has("Timestamp") || len(got["Signature"]) != 1 {
		t.Errorf("form is %v", got)
	}
}

func TestSignKeepsOtherBytes(t *testing.T) {
	const raw = "b=%7e%2a&&a=+%20&Action=X&Version=1"
	req, _ := http.NewRequest("GET", "http://h/?"+raw, nil)
	caller := req.URL
	if err := signer.Sign(req, nil, testKey, signer.Stamp{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(req.URL.RawQuery, "b=%7e%2a&a=+%20&Action=X&Version=1&") {
		t.Errorf("query is %s", req.URL.RawQuery)
	}
	if caller.RawQuery != raw {
		t.Error("the URL that the caller may share was written to")
	}
	q := req.URL.Query()
	if q.Get("SignatureNonce") == "" || q.Get("Timestamp") == "" {
		t.Errorf("zero stamp was not filled: %v", q)
	}
}

// A business SecurityToken stays where the credentials have none, and is replaced
// where they have one.
func TestSignSecurityToken(t *testing.T) {
	tests := []struct{ name, have, want string }{
		{"the caller's stays", "", "mine"},
		{"the credentials' wins", "theirs", "theirs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, _ := http.NewRequest("GET", "http://h/?Action=X&Version=1&SecurityToken=mine", nil)
			c := testKey
			c.SecurityToken = tt.have
			if err := signer.Sign(req, nil, c, signer.Stamp{}); err != nil {
				t.Fatal(err)
			}
			if got := req.URL.Query()["SecurityToken"]; len(got) != 1 || got[0] != tt.want {
				t.Errorf("SecurityToken = %v, want %s", got, tt.want)
			}
		})
	}
}

// A bearer token authenticates alone: the key of the MAC is "&", whatever else is there.
func TestSignBearerIgnoresSecret(t *testing.T) {
	at := signer.Stamp{Nonce: "n", Time: time.Unix(1700000000, 0)}
	sign := func(c signer.Credentials) string {
		req, _ := http.NewRequest("GET", "http://h/?Action=X&Version=1", nil)
		if err := signer.Sign(req, nil, c, at); err != nil {
			t.Fatal(err)
		}
		return req.URL.RawQuery
	}
	bare := sign(signer.Credentials{AccessKeyID: "id", BearerToken: "b"})
	if got := sign(signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret", BearerToken: "b"}); got != bare {
		t.Errorf("signed %s, want %s", got, bare)
	}
}

// Where Action is in the form, what the query has of the signature moves there.
func TestSignFormTakesAllOfTheSignature(t *testing.T) {
	req, _ := http.NewRequest("POST", "http://h/?AccessKeyId=other&b=%2A&SignatureNonce=x&Signature=x&Timestamp=x&SecurityToken=caller&a=", nil)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	form := "Version=1&Action=X&AccessKeyId=x&Signature=y"
	if err := signer.Sign(req, []byte(form), testKey, signer.Stamp{Nonce: "n", Time: time.Unix(1700000000, 0)}); err != nil {
		t.Fatal(err)
	}
	if req.URL.RawQuery != "b=%2A&a=" {
		t.Errorf("query is %s", req.URL.RawQuery)
	}
	body, _ := io.ReadAll(req.Body)
	got, err := url.ParseQuery(string(body))
	got.Del("Signature")
	want := url.Values{"Version": {"1"}, "Action": {"X"}, "AccessKeyId": {"testid"}, "SecurityToken": {"caller"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {"n"}, "SignatureVersion": {"1.0"}, "Timestamp": {"2023-11-14T22:13:20Z"}}
	if err != nil || got.Encode() != want.Encode() {
		t.Errorf("form is\n%s, want\n%s", got.Encode(), want.Encode())
	}
}

func TestSignWithoutURL(t *testing.T) {
	if err := signer.Sign(&http.Request{}, nil, testKey, signer.Stamp{}); !errors.Is(err, signer.ErrMalformed) {
		t.Error(err)
	}
}

func TestSignRefuses(t *testing.T) {
	tests := []struct {
		name, query string
		header      http.Header
		c           signer.Credentials
		want        error
	}{
		{"no credentials", "Action=X&Version=1", nil, signer.Credentials{}, signer.ErrNoCredentials},
		{"no secret", "Action=X&Version=1", nil, signer.Credentials{AccessKeyID: "id"}, signer.ErrNoCredentials},
		{"no operation", "a=b", nil, testKey, signer.ErrMalformed},
		{"bad escape", "Action=X&Version=1&a=%zz", nil, testKey, signer.ErrMalformed},
		{"one name twice", "Action=X&Version=1&a=1&a=2", nil, testKey, signer.ErrMalformed},
		{"another method", "Action=X&Version=1&SignatureMethod=HMAC-SHA256", nil, testKey, signer.ErrUnsupported},
		{"another version", "Action=X&Version=1&SignatureVersion=2.0", nil, testKey, signer.ErrUnsupported},
		{"signature apart from Action", "Action=X&Version=1", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, testKey, signer.ErrMalformed},
		{"ACS3, another algorithm", "", http.Header{"Authorization": {"ACS3-HMAC-SHA512 Credential=x"}, "x-acs-version": {"1"}}, testKey, signer.ErrUnsupported},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, _ := http.NewRequest("GET", "http://h/?"+tt.query, nil)
			if tt.header != nil {
				req.Header = tt.header
			}
			err := signer.Sign(req, []byte("SignatureNonce=1&Signature=2"), tt.c, signer.Stamp{})
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if req.URL.RawQuery != tt.query {
				t.Errorf("refused request was changed: %s", req.URL.RawQuery)
			}
		})
	}
}

// Without a nonce of the caller's, each signature has a new random UUID.
func TestSignMakesNonces(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		req, _ := http.NewRequest("GET", "https://ess.aliyuncs.com/?Action=X&Version=1", nil)
		if err := signer.Sign(req, nil, testKey, signer.Stamp{}); err != nil {
			t.Fatal(err)
		}
		nonce := req.URL.Query().Get("SignatureNonce")
		if id, err := uuid.Parse(nonce); err != nil || id.Version() != 4 || id.Variant() != uuid.RFC4122 || seen[nonce] {
			t.Fatalf("the nonce is %q (%v); made before: %v", nonce, err, seen[nonce])
		}
		seen[nonce] = true
	}
}
