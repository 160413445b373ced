package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/aliretry/aliretry/retry"
)

// The promises hold whatever happens: any faults of server, network, clocks and sessions,
// any deadlines and cancellations, for calls one after another and at once. Nothing waits,
// since each case has a clock of its own, which is why times are checked exactly. A case
// costs about a millisecond, so there are more of them than of other properties.
func TestPromise(t *testing.T) {
	for _, of := range []struct {
		name  string
		kinds []kind
		own   bool
	}{
		{"token", withToken, false},
		{"own token", slices.Concat(withToken, withoutToken), true},
		{"no token", withoutToken, false},
		{"read-only", readOnly, false},
		{"all", slices.Concat(withToken, withoutToken, readOnly), true},
	} {
		t.Run(of.name, func(t *testing.T) {
			t.Parallel()
			for range 5 { // each from another seed
				rapid.Check(t, func(rt *rapid.T) {
					p := drawPlan(rt, of.kinds, of.own)
					var w *world
					synctest.Test(t, func(*testing.T) { w = p.run() })
					if broken := w.check(); len(broken) > 0 {
						rt.Errorf("%s\n\n%s", strings.Join(broken, "\n"), w.story())
					}
				})
			}
		})
	}
}

// story tells what happened, for the reader of a failure.
func (w *world) story() string {
	var b strings.Builder
	for i, c := range w.calls {
		fmt.Fprintf(&b, "call %d: %s %s at %v, ended at %v: status %d, error %v; outcome %v (%s), token %q\n", i, c.kind.name, c.name,
			c.began.Sub(w.began), c.ended.Sub(w.began), c.status, c.err, c.info.Outcome, c.info.Reason, c.info.ClientToken)
		for _, a := range c.info.Attempts {
			fmt.Fprintf(&b, "  attempt %d at %v took %v: %v %d %s %v, signed %v, wait %v, nonce %.8s\n", a.Number, a.Start.Sub(w.began), a.Duration,
				a.Class, a.Status, a.Code, a.Err, a.SignedAt.Sub(w.began), a.Wait, a.Nonce)
		}
	}
	for _, a := range w.attempts {
		fmt.Fprintf(&b, "server %d: %s at %v: problem %q, fault %v, effect %v, replayed %v, status %d, key %s, nonce %.8s\n", a.Number, nameIn(a),
			a.Received.Sub(w.began), a.Problem, a.Fault, a.Effect, a.Replayed, a.Status, a.AccessKeyID, a.Nonce)
	}
	return b.String()
}

// check returns the promises that were broken.
func (w *world) check() []string {
	k := &checker{world: w}
	if w.open != 0 {
		k.broken("%d ends of connections were left open", w.open)
	}
	k.checkWire()
	for i, c := range w.calls {
		k.call = fmt.Sprintf("call %d, %s: ", i, c.kind.name)
		k.checkResult(c)
		k.checkAttempts(c)
		k.checkEffects(c)
		k.checkTime(c)
		k.checkEnd(c)
		k.checkClock(c)
	}
	return k.found
}

type checker struct {
	*world
	call  string
	found []string
}

func (k *checker) broken(format string, args ...any) {
	k.found = append(k.found, k.call+fmt.Sprintf(format, args...))
}

// succeeded reports whether the caller was given what the SDK takes for success. An
// envelope that says otherwise of itself is none.
func (c *madeCall) succeeded() bool {
	return c.err == nil && c.status/100 == 2 && !strings.Contains(c.body, `"Success":false`)
}

// checkWire checks what holds for all requests together.
func (k *checker) checkWire() {
	nonces := make(map[string]int)
	for _, a := range k.attempts {
		if a.Nonce != "" && nonces[a.Nonce] > 0 && a.Header.Get(copyHeader) == "" {
			k.broken("nonce %s is on the wire twice, in requests %d and %d", a.Nonce, nonces[a.Nonce], a.Number)
		}
		if a.Header.Get(copyHeader) == "" {
			nonces[a.Nonce] = a.Number
		}
		switch a.Problem {
		case "", "InvalidTimeStamp.Expired", "SignatureNonceUsed", "InvalidSecurityToken.Expired", "LastTokenProcessing",
			"IdempotentParameterMismatch", "IncompleteBody":
		default:
			k.broken("request %d was refused with %s", a.Number, a.Problem)
		}
	}
	tokens := make(map[string]*madeCall)
	for _, c := range k.calls {
		if c.token != "" || c.info.ClientToken == "" {
			continue
		}
		if other := tokens[c.info.ClientToken]; other != nil {
			k.broken("%s and %s have the same token", c.name, other.name)
		}
		tokens[c.info.ClientToken] = c
	}
}

// checkResult checks what the caller was given.
func (k *checker) checkResult(c *madeCall) {
	info, ok := retry.InfoOf(c.err)
	switch {
	case c.ends != 1:
		k.broken("CallEnd ran %d times", c.ends)
	case c.err != nil && (!ok || info.Outcome != c.info.Outcome || len(info.Attempts) != len(c.info.Attempts)):
		k.broken("the error tells %v; the Trace was told %v", info, c.info)
	case c.bodyErr != nil && (c.canceled.IsZero() || c.ended.Before(c.canceled)): // else nobody wants it
		k.broken("the body cannot be read: %v", c.bodyErr)
	case (c.info.Outcome == retry.Done) != c.succeeded():
		k.broken("outcome %v with status %d, body %s, error %v", c.info.Outcome, c.status, c.body, c.err)
	}
	if c.err != nil {
		for _, secret := range []string{"secret of", "security token of", "secret+of", "security+token", "Signature="} {
			if strings.Contains(c.err.Error(), secret) {
				k.broken("the error shows a secret: %v", c.err)
			}
		}
	}
	if c.token != "" && c.info.ClientToken != c.token && len(c.info.Attempts) > 0 ||
		c.token == "" && (c.kind.use == takes) != (c.info.ClientToken != "") {
		k.broken("token %q; the caller's is %q", c.info.ClientToken, c.token)
	}
	if c.resumes != nil && c.info.Outcome != retry.Done {
		k.broken("repeated when all is well it ends with %v: %s, %v", c.info.Outcome, c.body, c.err)
	}
}
