package retrytest_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
)

func TestAnonymous(t *testing.T) {
	header := func(name, value string) func(*unsigned) { return func(u *unsigned) { u.header.Set(name, value) } }
	param := func(name, value string) func(*unsigned) { return func(u *unsigned) { u.query.Set(name, value) } }
	at := func(offset time.Duration) func(*unsigned) { return func(u *unsigned) { u.at(offset) } }
	all := func(code string) [3]string { return [3]string{code, code, code} }
	tests := map[string]struct {
		change func(*unsigned)
		codes  [3]string // in the styles; empty: accepted
	}{
		"good":                    {func(*unsigned) {}, all("")},
		"no nonce":                {func(u *unsigned) { u.nonce = "" }, [3]string{"MissingSignatureNonce", "", "MissingParameter"}},
		"no date":                 {func(u *unsigned) { u.date = "" }, all("MissingParameter")},
		"a date of another form":  {func(u *unsigned) { u.date += "x" }, all("InvalidTimeStamp.Format")},
		"a date too old":          {at(-16 * time.Minute), all("InvalidTimeStamp.Expired")},
		"a date of the future":    {at(16 * time.Minute), all("InvalidTimeStamp.Expired")},
		"a date rather old":       {at(-14 * time.Minute), all("")},
		"action is no name":       {func(u *unsigned) { u.action = "Create Thing" }, all("InvalidAction.NotFound")},
		"an empty authorization":  {header("Authorization", ""), all("MissingParameter")},
		"the name of a key":       {header("X-Acs-Accesskey-Id", "testid"), all("MissingParameter")},
		"an ID token":             {header("X-Acs-Zero-Trust-Idtoken", "i"), all("MissingParameter")},
		"a bearer token":          {header("X-Acs-Bearer-Token", "b"), [3]string{"MissingParameter", "InvalidBearerToken", "InvalidBearerToken"}},
		"an empty bearer token":   {header("X-Acs-Bearer-Token", ""), all("MissingParameter")},
		"a security token":        {header("X-Acs-Security-Token", "s"), [3]string{"", "InvalidSecurityToken.MismatchWithAccessKey", "InvalidSecurityToken.MismatchWithAccessKey"}},
		"RPC: a security token":   {param("SecurityToken", "s"), [3]string{"InvalidSecurityToken.MismatchWithAccessKey"}},
		"RPC: a key":              {param("AccessKeyId", "testid"), [3]string{"MissingParameter"}},
		"RPC: an empty key":       {param("AccessKeyId", ""), [3]string{"MissingParameter"}},
		"RPC: an empty signature": {param("Signature", ""), [3]string{"MissingParameter"}},
		"RPC: half a bearer":      {param("BearerToken", "b"), [3]string{"MissingParameter"}},
		"RPC: a bearer token":     {func(u *unsigned) { u.query = url.Values{"BearerToken": {"b"}, "SignatureType": {"BEARERTOKEN"}} }, [3]string{"InvalidBearerToken"}},
		"RPC: a signature method": {param("SignatureMethod", "HMAC-SHA1"), all("")},
		"RPC: an unknown method":  {param("SignatureMethod", "HMAC-SHA256"), [3]string{"InvalidSignatureMethod"}},
	}
	for i, style := range styles {
		for name, tt := range tests {
			t.Run(style+"/"+name, func(t *testing.T) {
				srv, keyed := newServer(t, retrytest.DefaultAccount(), retrytest.Account{Anonymous: true}), newServer(t)
				u := newUnsigned(style)
				tt.change(u)
				if got, a := u.send(t, srv); a.Problem != tt.codes[i] || a.Style != style && u.date != "" || a.AccessKeyID != "" && a.Problem == "" || (got.status == 200) != (a.Problem == "") {
					t.Errorf("status %d, style %s, %q; want %q", got.status, a.Style, a.Problem, tt.codes[i])
				}
				if made := len(srv.Effects()); made != 0 != (tt.codes[i] == "") {
					t.Errorf("%d effects", made)
				}
				if _, a := u.send(t, keyed); tt.codes[i] == "" && a.Problem != "MissingParameter" || len(keyed.Effects()) != 0 {
					t.Errorf("without an anonymous account: %q", a.Problem)
				}
			})
		}
	}
}

// Without an Authorization the algorithm is not named, and an operation may have a
// parameter Action.
func TestAnonymousACS3(t *testing.T) {
	const name, sm3OfNothing = "X-Acs-Content-Sha256", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"
	for what, tt := range map[string]struct {
		change func(*unsigned)
		code   string
	}{
		"SM3":                {func(u *unsigned) { u.header.Set(name, sm3OfNothing) }, ""},
		"another hash":       {func(u *unsigned) { u.header.Set(name, strings.Replace(sm3OfNothing, "1", "2", 1)) }, "ContentSha256NotMatched"},
		"no hash":            {func(u *unsigned) { u.header.Set(name, "") }, "MissingParameter"},
		"a parameter Action": {func(u *unsigned) { u.query.Set("Action", "start") }, ""},
	} {
		srv := newServer(t, retrytest.Account{Anonymous: true})
		u := newUnsigned("ACS3")
		tt.change(u)
		if _, a := u.send(t, srv); a.Problem != tt.code || a.Style != "ACS3" || a.Action != "CreateThing" {
			t.Errorf("%s: style %s, action %s, %q; want %q", what, a.Style, a.Action, a.Problem, tt.code)
		}
	}
}

func TestAnonymousNonces(t *testing.T) {
	for _, style := range styles {
		srv := newServer(t, retrytest.DefaultAccount(), retrytest.Account{Anonymous: true})
		srv.Script(retrytest.Reply(500, "InternalError", ""))
		for i, want := range []string{"", "SignatureNonceUsed", "SignatureNonceUsed"} {
			u := newUnsigned(style)
			u.nonce, u.action = "n", []string{"CreateThing", "CreateThing", "CreateOther"}[i]
			if _, a := u.send(t, srv); a.Problem != want {
				t.Errorf("%s, attempt %d: %q; want %q", style, i, a.Problem, want)
			}
		}
		if create("", "SignatureNonce", "n").send(t, srv); last(t, srv).Problem != "" {
			t.Errorf("%s: the nonce of a key: %q", style, last(t, srv).Problem)
		}
	}
}

// An anonymous call keeps the promise of its token over all its attempts.
func TestAnonymousTokens(t *testing.T) {
	for _, style := range styles {
		srv := newServer(t, retrytest.Account{Anonymous: true, Owner: "a"}, retrytest.Account{BearerToken: "b", Owner: "a"}, retrytest.Account{BearerToken: "c"})
		srv.Script(retrytest.Reply(503, "ServiceUnavailable", ""), retrytest.Reply(500, "InternalError", "").AfterEffect())
		send := func(bearer, name string) retrytest.Attempt {
			u := newUnsigned(style)
			u.query.Set("ClientToken", "t")
			u.query.Set("Name", name)
			if bearer != "" {
				u.showBearer(bearer)
			}
			_, a := u.send(t, srv)
			return a
		}
		for i, want := range []struct {
			bearer, name     string
			status           int
			effect, replayed bool
		}{
			{"", "a", 503, false, false}, {"", "a", 500, true, false}, {"", "a", 200, false, true},
			{"", "b", 400, false, false}, {"b", "a", 200, false, true}, {"c", "a", 200, true, false},
		} {
			if a := send(want.bearer, want.name); a.Status != want.status || a.Effect != want.effect || a.Replayed != want.replayed || a.ClientToken != "t" {
				t.Errorf("%s, attempt %d: status %d, %q, effect %t, replayed %t; want %+v", style, i, a.Status, a.Problem, a.Effect, a.Replayed, want)
			}
		}
		if e := srv.Effects(); len(e) != 2 || e[0].AccessKeyID != "" || e[0].Params.Get("Name") != "a" {
			t.Errorf("%s: effects %+v", style, e)
		}
	}
}

// The common parameters of an anonymous attempt may stand in the form, and so may what
// makes it another's.
func TestAnonymousForm(t *testing.T) {
	for name, code := range map[string]string{"": "", "Signature": "MissingParameter", "AccessKeyId": "MissingParameter", "BearerToken": "MissingParameter"} {
		srv := newServer(t, retrytest.Account{Anonymous: true})
		c := create("")
		c.unsigned, c.form, c.query = true, c.query, url.Values{}
		for _, other := range []string{"AccessKeyId", "SignatureMethod", "SignatureVersion"} {
			c.form.Del(other)
		}
		if name != "" {
			c.form.Set(name, "")
		}
		if c.send(t, srv); last(t, srv).Problem != code {
			t.Errorf("%q: %q; want %q", name, last(t, srv).Problem, code)
		}
	}
}
