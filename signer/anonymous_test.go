package signer_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// anonymousStyles are requests of each style before they are signed, and the names of what
// they carry when nobody signed them.
var anonymousStyles = map[string]struct {
	query, form string
	header      map[string]string
	left        string
}{
	"RPC": {"Action=CreateThing&Version=1&Name=a", "", nil,
		"Action Name SignatureMethod SignatureNonce SignatureVersion Timestamp Version"},
	"RPC, in the form": {"Name=a", "Action=CreateThing&Version=1", map[string]string{"content-type": "application/x-www-form-urlencoded"},
		"Action Name SignatureMethod SignatureNonce SignatureVersion Timestamp Version content-type"},
	"ROA": {"Name=a", "", map[string]string{"x-acs-version": "1", "x-acs-action": "CreateThing", "x-acs-signature-version": "1.0"},
		"Name date x-acs-action x-acs-signature-method x-acs-signature-nonce x-acs-signature-version x-acs-version"},
	"ACS3": {"Name=a", "", map[string]string{"x-acs-version": "1", "x-acs-action": "CreateThing"},
		"Name x-acs-action x-acs-content-sha256 x-acs-date x-acs-signature-nonce x-acs-version"},
}

// before is what a request was signed with; the zero value did not sign it.
var before = map[string]signer.Credentials{
	"unsigned":  {},
	"pair":      testKey,
	"STS":       {AccessKeyID: "id", AccessKeySecret: "secret", SecurityToken: "st"},
	"bearer":    {BearerToken: "b"},
	"both":      {AccessKeyID: "id", AccessKeySecret: "secret", SecurityToken: "st", BearerToken: "b"},
	"anonymous": {Anonymous: true},
}

// Whoever signed the request before, nothing of the key is left, and a server takes the
// request for one of nobody's.
func TestSignAnonymous(t *testing.T) {
	nobodys := retrytest.NewServer(retrytest.DefaultAccount(), retrytest.Account{Anonymous: true})
	defer nobodys.Close()
	keyed := retrytest.NewServer()
	defer keyed.Close()
	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	for name, style := range anonymousStyles {
		for by, key := range before {
			for _, srv := range []*retrytest.Server{nobodys, keyed} {
				req, _ := http.NewRequest("POST", srv.URL+"/?"+style.query, strings.NewReader(style.form))
				for k, v := range style.header {
					req.Header[k] = []string{v}
				}
				body := []byte(style.form)
				if by != "unsigned" {
					if err := signer.Sign(req, body, key, signer.Stamp{}); err != nil {
						t.Fatalf("%s, %s: %v", name, by, err)
					}
					body, _ = io.ReadAll(req.Body)
				}
				if name == "ROA" && by != "unsigned" { // as other clients write it
					req.Header["x-acs-accesskey-id"], req.Header["X-Acs-Signature-Type"] = []string{key.AccessKeyID}, []string{""}
				}
				if err := signer.Sign(req, body, signer.Credentials{Anonymous: true}, signer.Stamp{}); err != nil {
					t.Fatalf("%s, %s: %v", name, by, err)
				}
				if got := carried(t, req); got != style.left {
					t.Errorf("%s, signed before by %s, carries\n%s, want\n%s", name, by, got, style.left)
				}
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				attempts := srv.Attempts()
				want := ""
				if srv == keyed {
					want = "MissingParameter"
				}
				if a := attempts[len(attempts)-1]; a.Problem != want || a.AccessKeyID != "" || !strings.HasPrefix(name, a.Style) {
					t.Errorf("%s, signed before by %s, is refused with %q (style %s, key %q), want %q", name, by, a.Problem, a.Style, a.AccessKeyID, want)
				}
			}
		}
	}
	if n, want := len(nobodys.Effects()), len(anonymousStyles)*len(before); n != want {
		t.Errorf("%d effects, want %d", n, want)
	}
}

// carried returns the names of all parameters and headers, sorted.
func carried(t *testing.T, req *http.Request) string {
	t.Helper()
	body, err := req.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	form, _ := io.ReadAll(body)
	names := make(map[string]bool)
	for _, text := range []string{req.URL.RawQuery, string(form)} {
		params, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		for k := range params {
			names[k] = true
		}
	}
	for k := range req.Header {
		names[strings.ToLower(k)] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), " ")
}

// Anonymous stands alone: beside a key it would be a mistake in one or the other.
func TestAnonymousWithKey(t *testing.T) {
	for name, c := range map[string]signer.Credentials{
		"key ID":         {Anonymous: true, AccessKeyID: "id"},
		"secret":         {Anonymous: true, AccessKeySecret: "secret"},
		"pair":           {Anonymous: true, AccessKeyID: "id", AccessKeySecret: "secret"},
		"security token": {Anonymous: true, SecurityToken: "st"},
		"bearer token":   {Anonymous: true, BearerToken: "b"},
	} {
		if err := c.Validate(); !errors.Is(err, signer.ErrNoCredentials) {
			t.Errorf("%s: Validate returns %v", name, err)
		}
		if _, err := signer.Static(c).Credentials(t.Context()); !errors.Is(err, signer.ErrNoCredentials) {
			t.Errorf("%s: a provider of it returns %v", name, err)
		}
		for style, request := range anonymousStyles {
			req, _ := http.NewRequest("POST", "http://h/?"+request.query, nil)
			for k, v := range request.header {
				req.Header[k] = []string{v}
			}
			url, header := req.URL.String(), req.Header.Clone()
			err := signer.Sign(req, []byte(request.form), c, signer.Stamp{})
			if !errors.Is(err, signer.ErrNoCredentials) || req.URL.String() != url || !maps.EqualFunc(req.Header, header, slices.Equal) {
				t.Errorf("%s, %s: %v, %s %v", style, name, err, req.URL, req.Header)
			}
		}
	}
	if err := (signer.Credentials{Anonymous: true}).Validate(); err != nil {
		t.Error(err)
	}
}

// What a log shows of credentials tells their kind.
func TestCredentialsKinds(t *testing.T) {
	for want, c := range map[string]signer.Credentials{
		"Credentials(anonymous , redacted)":    {Anonymous: true},
		"Credentials(AccessKey id, redacted)":  {AccessKeyID: "id", AccessKeySecret: "secret"},
		"Credentials(STS id, redacted)":        {AccessKeyID: "id", AccessKeySecret: "secret", SecurityToken: "st"},
		"Credentials(bearer token , redacted)": {BearerToken: "b"},
	} {
		if text, err := c.MarshalText(); fmt.Sprintf("%+v", c) != want || string(text) != want || err != nil {
			t.Errorf("%+v, %s, %v; want %s", c, text, err, want)
		}
	}
}
