package retrytest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// session returns the temporary pair of an ID, which belongs to one owner.
func session(id string) retrytest.Account {
	return retrytest.Account{AccessKeyID: id, AccessKeySecret: "secret of " + id, SecurityToken: "token of " + id, Owner: "one"}
}

// under returns the call signed by the account.
func (c *rpc) under(a retrytest.Account) *rpc {
	c.secret = a.AccessKeySecret
	c.query.Set("AccessKeyId", a.AccessKeyID)
	if a.SecurityToken != "" {
		c.query.Set("SecurityToken", a.SecurityToken)
	}
	return c
}

func TestExpire(t *testing.T) {
	first, second := session("STS.1"), session("STS.2")
	srv := newServer(t, first)
	srv.Script(retrytest.Reset().AfterEffect())
	request := create("t").under(first).request(t, t.Context(), srv.URL)
	if got, err := roundTrip(newClient(t), request); err == nil {
		t.Fatalf("a reset gives %v", got)
	}

	srv.Expire("STS.1")
	got := create("t").under(first).send(t, srv)
	if got.status != 400 || got.fields["Code"] != "InvalidSecurityToken.Expired" || got.fields["Message"] != "Specified SecurityToken is expired." {
		t.Errorf("under a session that has ended: %d %s", got.status, got.body)
	}
	if got := create("t").under(second).send(t, srv); got.fields["Code"] != "InvalidAccessKeyId.NotFound" {
		t.Errorf("under a session that is not known: %s", got.body)
	}

	// The one that follows asks for the effect of the one before.
	srv.AddAccount(second)
	got = create("t").under(second).send(t, srv)
	if e := srv.Effects(); len(e) != 1 || got.fields["ScalingGroupId"] != e[0].ResourceID || e[0].AccessKeyID != "STS.1" || !last(t, srv).Replayed {
		t.Errorf("under the next session: %s; effects %+v", got.body, e)
	}
}

// An expired session says so only to those who have its token; and the nonce of a refused
// attempt is not burnt.
func TestExpireComesLast(t *testing.T) {
	account := session("STS.1")
	srv := newServer(t, account)
	srv.Expire(account.AccessKeyID)
	for _, tt := range []struct{ name, value, code string }{
		{"SecurityToken", "another", "InvalidSecurityToken.MismatchWithAccessKey"},
		{"SecurityToken", "", "MissingSecurityToken"},
		{"SignatureNonce", "n", "InvalidSecurityToken.Expired"},
	} {
		c := create("t").under(account)
		c.query.Set(tt.name, tt.value)
		if got := c.send(t, srv); got.fields["Code"] != tt.code {
			t.Errorf("%s %q: %s; want %s", tt.name, tt.value, got.body, tt.code)
		}
	}
	srv.AddAccount(account)
	c := create("t").under(account)
	c.query.Set("SignatureNonce", "n")
	if got := c.send(t, srv); got.status != 200 {
		t.Errorf("renewed under its old name: %s", got.body)
	}
}

// An account takes the place of the one with its key.
func TestAddAccount(t *testing.T) {
	srv := newServer(t)
	changed := retrytest.DefaultAccount()
	changed.AccessKeySecret = "another secret"
	srv.AddAccount(changed)
	srv.AddAccount(retrytest.Account{BearerToken: "b"})
	if got := create("").send(t, srv); got.fields["Code"] != "SignatureDoesNotMatch" {
		t.Errorf("with the secret of before: %s", got.body)
	}
	if got := create("").under(changed).send(t, srv); got.status != 200 {
		t.Errorf("with the present one: %s", got.body)
	}
	u := newUnsigned("RPC")
	u.showBearer("b")
	if _, a := u.send(t, srv); a.Problem != "" {
		t.Errorf("with a bearer token: %s", a.Problem)
	}
}

func TestAccountPanics(t *testing.T) {
	srv := newServer(t, session("STS.1"))
	srv.AddAccount(retrytest.DefaultAccount())
	for name, f := range map[string]func(){
		"nobody's":        func() { srv.Expire("STS.2") },
		"long-lived":      func() { srv.Expire("testid") },
		"no key":          func() { srv.AddAccount(retrytest.Account{Owner: "one"}) },
		"a handler's":     func() { retrytest.NewHandler(retrytest.Account{Owner: "one"}) },
		"of no ID at all": func() { srv.Expire("") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	if got := create("").under(session("STS.1")).send(t, srv); got.status != 200 {
		t.Errorf("after the panics: %s", got.body)
	}
}

// A handler without a socket lives by the clock of a bubble, where a minute costs nothing.
func TestHandlerInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := retrytest.NewHandler()
		srv.Script(retrytest.OK(), retrytest.Hang().DuringEffect(), retrytest.OK(), retrytest.OK())
		srv.SetClock(func() time.Time { return time.Now().Add(16 * time.Minute) })
		play := func(within time.Duration) (status int, aborted any) {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			r := create("t").request(t, ctx, "http://ess.aliyuncs.com")
			r.Body = http.NoBody // a server's request has one
			w := httptest.NewRecorder()
			defer func() { aborted = recover() }()
			srv.ServeHTTP(w, r)
			return w.Code, nil
		}
		if status, _ := play(time.Second); status != 400 || last(t, srv).Problem != "InvalidTimeStamp.Expired" {
			t.Errorf("by another clock: %d %s", status, last(t, srv).Problem)
		}
		srv.SetClock(nil)
		start := time.Now()
		if _, aborted := play(time.Minute); aborted != http.ErrAbortHandler || time.Since(start) != time.Minute {
			t.Errorf("a hung request ends after %v with %v", time.Since(start), aborted)
		}
		if status, _ := play(time.Second); status != 200 || !last(t, srv).Replayed || len(srv.Effects()) != 1 {
			t.Errorf("its repetition: %d, effects %+v", status, srv.Effects())
		}
		srv.Close()
		if _, aborted := play(time.Second); aborted != http.ErrAbortHandler || srv.URL != "" {
			t.Errorf("a closed one at %q answers with %v", srv.URL, aborted)
		}
	})
}
