package retrytest_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aliretry/aliretry/retry/retrytest"
)

var (
	styles     = []string{"RPC", "ROA", "ACS3"}
	dateLayout = map[string]string{"RPC": "2006-01-02T15:04:05Z", "ROA": http.TimeFormat, "ACS3": "2006-01-02T15:04:05Z"}
)

// unsigned is a request without key and signature, with what the official clients send in
// its style for an operation whose AuthType is Anonymous.
type unsigned struct {
	style, action string
	nonce, date   string // left out when empty
	query         url.Values
	header        http.Header
}

func newUnsigned(style string) *unsigned {
	u := &unsigned{style: style, action: "CreateThing", nonce: uuid.NewString(), query: url.Values{"Name": {"a"}}, header: http.Header{}}
	u.at(0)
	return u
}

func (u *unsigned) at(offset time.Duration) {
	u.date = time.Now().UTC().Add(offset).Format(dateLayout[u.style])
}

func (u *unsigned) showBearer(token string) {
	if u.style != "RPC" {
		u.header.Set("X-Acs-Bearer-Token", token)
		return
	}
	u.query.Set("BearerToken", token)
	u.query.Set("SignatureType", "BEARERTOKEN")
}

func (u *unsigned) send(t *testing.T, srv *retrytest.Server) (answer, retrytest.Attempt) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	query := url.Values{}
	set := map[string]func(name, value string){"RPC": query.Set, "ROA": req.Header.Set, "ACS3": req.Header.Set}[u.style]
	for _, field := range []struct{ rpc, roa, acs3, value string }{
		{"SignatureNonce", "x-acs-signature-nonce", "x-acs-signature-nonce", u.nonce},
		{"Timestamp", "Date", "x-acs-date", u.date},
		{"Action", "x-acs-action", "x-acs-action", u.action},
		{"Version", "x-acs-version", "x-acs-version", "2014-05-26"},
		{"Format", "Accept", "Accept", map[string]string{"RPC": "json"}[u.style]},
	} {
		if name := map[string]string{"RPC": field.rpc, "ROA": field.roa, "ACS3": field.acs3}[u.style]; field.value != "" {
			set(name, field.value)
		}
	}
	switch u.style {
	case "ROA":
		set("x-acs-signature-method", "HMAC-SHA1")
		set("x-acs-signature-version", "1.0")
	case "ACS3":
		rehash(req, "")
	}
	for name, values := range u.query {
		query[name] = values
	}
	for name, values := range u.header {
		req.Header[name] = values
	}
	req.URL.RawQuery = query.Encode()
	got, err := roundTrip(newClient(t), req)
	if err != nil {
		t.Fatal(err)
	}
	return got, last(t, srv)
}

// What stands beside a bearer token is checked, and nothing has to.
func TestBearerTokenAlone(t *testing.T) {
	nothing := func(*unsigned) {}
	tests := map[string]struct {
		style, bearer string
		change        func(*unsigned)
		code          string
	}{
		"RPC":                      {"RPC", "b", nothing, ""},
		"RPC, of nobody":           {"RPC", "c", nothing, "InvalidBearerToken"},
		"RPC, of another type":     {"RPC", "b", func(u *unsigned) { u.query.Set("SignatureType", "") }, "MissingParameter"},
		"RPC, an empty signature":  {"RPC", "b", func(u *unsigned) { u.query.Set("Signature", "") }, "MissingParameter"},
		"RPC, no method":           {"RPC", "b", func(u *unsigned) { u.query.Set("Signature", "x") }, "MissingParameter"},
		"RPC, no nonce":            {"RPC", "b", func(u *unsigned) { u.nonce = "" }, "MissingSignatureNonce"},
		"RPC, no date":             {"RPC", "b", func(u *unsigned) { u.date = "" }, "MissingParameter"},
		"RPC, a date too old":      {"RPC", "b", func(u *unsigned) { u.at(-time.Hour) }, "InvalidTimeStamp.Expired"},
		"RPC, another's key":       {"RPC", "b", func(u *unsigned) { u.query.Set("AccessKeyId", "testid") }, "InvalidBearerToken"},
		"RPC, a method unknown":    {"RPC", "b", func(u *unsigned) { u.query.Set("SignatureMethod", "x") }, "InvalidSignatureMethod"},
		"ROA":                      {"ROA", "b", nothing, ""},
		"ROA, of nobody":           {"ROA", "c", nothing, "InvalidBearerToken"},
		"ROA, an empty signature":  {"ROA", "b", func(u *unsigned) { u.header.Set("Authorization", "") }, "MissingParameter"},
		"ROA, another's signature": {"ROA", "b", func(u *unsigned) { u.header.Set("Authorization", "acs :x") }, "SignatureDoesNotMatch"},
		"ROA, a date too old":      {"ROA", "b", func(u *unsigned) { u.at(-time.Hour) }, "InvalidTimeStamp.Expired"},
		"ACS3":                     {"ACS3", "b", nothing, ""},
		"ACS3, of nobody":          {"ACS3", "c", nothing, "InvalidBearerToken"},
		"ACS3, any signature":      {"ACS3", "b", func(u *unsigned) { u.header.Set("Authorization", "ACS3-X x") }, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, retrytest.DefaultAccount(), retrytest.Account{BearerToken: "b"}, retrytest.Account{Anonymous: true})
			u := newUnsigned(tt.style)
			u.showBearer(tt.bearer)
			tt.change(u)
			if _, a := u.send(t, srv); a.Problem != tt.code {
				t.Errorf("%q; want %q", a.Problem, tt.code)
			}
			if _, a := u.send(t, srv); tt.code == "" && a.Problem != "SignatureNonceUsed" {
				t.Errorf("the same again: %q", a.Problem)
			}
		})
	}
}
