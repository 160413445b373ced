package integration

import (
	"slices"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"pgregory.net/rapid"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// checkAttempts checks what the endpoint saw of one call against what the call's Info
// tells: every attempt is the same call under one token, and each is signed anew.
func checkAttempts(t rapid.TB, seen []retrytest.Attempt, info retry.Info) {
	t.Helper()
	told := make(map[string]retry.Attempt)
	for _, a := range info.Attempts {
		told[a.Nonce] = a
	}
	if len(told) != len(info.Attempts) {
		t.Errorf("a nonce is used twice in %v", info.Attempts)
	}
	signatures := make(map[string]bool)
	var last time.Time
	for _, a := range seen {
		mine, ok := told[a.Nonce]
		delete(told, a.Nonce)
		switch {
		case !ok:
			t.Errorf("attempt %d: nonce %s is not in the Info, or was sent twice", a.Number, a.Nonce)
		case signatures[a.Signature]:
			t.Errorf("attempt %d: the signature was sent before", a.Number)
		case !a.Timestamp.After(last):
			t.Errorf("attempt %d: signed at %v, not after %v", a.Number, a.Timestamp, last)
		case !a.Timestamp.Equal(mine.SignedAt):
			t.Errorf("attempt %d: signed at %v; the Info tells %v", a.Number, a.Timestamp, mine.SignedAt)
		case a.Problem != "" && a.Problem != "LastTokenProcessing":
			t.Errorf("attempt %d: the gateway refused it with %s", a.Number, a.Problem)
		case a.ClientToken != info.ClientToken:
			t.Errorf("attempt %d: token %q; the Info tells %q", a.Number, a.ClientToken, info.ClientToken)
		}
		signatures[a.Signature] = true
		last = a.Timestamp
	}
}

// checkTokenPlace checks that every attempt carries the token once, in its place, or no
// parameter of its name where the place is "".
func checkTokenPlace(t rapid.TB, seen []retrytest.Attempt, place, token string) {
	t.Helper()
	var want []string
	if place != "" {
		want = []string{place + "=" + token}
	}
	for _, a := range seen {
		var got []string
		for _, name := range []string{"ClientToken", "clientToken"} {
			for _, value := range a.Query[name] {
				got = append(got, "Query "+name+"="+value)
			}
			for _, value := range a.Form[name] {
				got = append(got, "Body "+name+"="+value)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("attempt %d: tokens %q; want %q", a.Number, got, want)
		}
	}
}

// classes are those of a call's attempts, in order.
func classes(i retry.Info) []retry.Class {
	var all []retry.Class
	for _, a := range i.Attempts {
		all = append(all, a.Class)
	}
	return all
}

// checkFirstResult checks that a call under a token was answered with the result of
// its one effect. What that is, the endpoint tells an SDK without aliretry that asks
// under the same token.
func (o operation) checkFirstResult(t rapid.TB, srv *retrytest.Server, got responses.AcsResponse, token string) {
	t.Helper()
	srv.OnAttempt(func(retrytest.Attempt) retrytest.Fault { return retrytest.OK() }) // no fault is left for it
	first := o.bare(t, srv, token)
	if id := requestID(first); id == "" || requestID(got) != id {
		t.Errorf("answered with RequestId %q; that of the effect is %q", requestID(got), id)
	}
	effects := srv.Effects()
	if len(effects) != 1 {
		t.Fatalf("%d effects; want 1", len(effects))
	}
	if o.id != "" && text(got, o.id) != effects[0].ResourceID {
		t.Errorf("answered with %s %q; the effect made %q", o.id, text(got, o.id), effects[0].ResourceID)
	}
	if effects[0].ClientToken != token || token == "" {
		t.Errorf("effect under token %q; the call's is %q", effects[0].ClientToken, token)
	}
}

// eachOf runs a test for every pair of an operation and a fault.
func eachOf(t *testing.T, operations []operation, faults []fault, test func(*testing.T, operation, fault)) {
	for _, o := range operations {
		t.Run(o.name(), func(t *testing.T) {
			t.Parallel()
			for _, f := range faults {
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					test(t, o, f)
				})
			}
		})
	}
}
