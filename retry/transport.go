package retry

import (
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/aliretry/aliretry/signer"
	"github.com/aliretry/aliretry/token"
)

// Transport is an http.RoundTripper that carries out one logical call in as many
// attempts as its Policy allows. It needs Credentials; every other zero field means
// its default. Fields must not change after first use. It is safe for concurrent use.
//
// RoundTrip takes requests of the RPC, ROA and ACS3 styles, signed already or not, and
// never changes them. It gives a call to an operation that takes a client token one (see
// [Lookup] and Policy.Operations), unless the request or its context ([WithToken]) has
// one already or it is a dry run. The token goes into what is sent, never into the
// caller's request, so sending one request twice makes two logical calls. A token that
// the caller has put into query, form or a JSON body, as ClientToken or clientToken, is
// kept and trusted, also for an operation that is not known, but not for one that is known
// to take none. Every attempt gets a new nonce, timestamp and signature.
//
// The operation of a ROA request, and of an ACS3 request to another path than "/", is
// found by method and path, and its header x-acs-action counts only for an operation that
// the catalogue does not have.
//
// It returns the API's answer, with a nil error, or an *[Error]. When attempts run out
// on an HTTP answer, that answer is returned. Only a 2xx that is no answer of the API,
// or one that holds an error code which the rules know, is an *[Error], since the SDK
// would take it for success. A body longer than Policy.MaxReply, or a stream of events,
// must be closed, and is not looked at: such a 2xx counts as Success, and as Unknown in
// [InfoOfResponse] once reading it has failed. No timeout of the Policy is on what is still
// to come of it. Every response but that of a first-attempt success carries its Info, see
// [InfoOf].
type Transport struct {
	// Base sends one attempt. Nil means a connection pool of the Transport's own, which
	// speaks HTTP/1.1 only and takes proxies from the environment. An *http.Transport
	// is not used itself: its settings are taken, at first use, for such a pool, since
	// over HTTP/2 net/http sends one signed request several times. Any other Base must
	// send each request once. What it reports through httptrace is believed when it
	// comes to proving that an attempt was never written.
	Base http.RoundTripper
	// Credentials sign each attempt; required.
	Credentials signer.Provider
	// Policy bounds attempts, time and memory.
	Policy Policy
	// Budget bounds the retries of all the Transport's calls together; nil means one of its
	// own, of the default size.
	Budget *Budget
	// Limiter is asked before every attempt; nil means none.
	Limiter Limiter
	// Journal keeps the tokens of calls under a key, see [WithKey]; nil means none. It belongs to
	// the account of the Credentials.
	Journal token.Journal
	// Trace is told what happens in every call; nil means none. See also [WithTrace].
	Trace *Trace

	random func() float64 // in [0, 1), for jitter; nil means math/rand
	own    struct {
		sync.Once
		base *ownBase
	}
	ownBudget Budget
	pools     pools // of calls that were handed a transport
	renewal   renewal
	clock     clock
}

var _ http.RoundTripper = (*Transport)(nil)

// RoundTrip implements [http.RoundTripper]. It reads the request's body to its end before
// anything else, as long as that takes.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.do(req, nil, above{})
}

func (t *Transport) do(req *http.Request, handed *http.Transport, up above) (*http.Response, error) {
	c, err := t.newCall(req, handed, up)
	defer c.close()
	if err != nil {
		return nil, c.refuse(err)
	}
	if c.keyed.isReplay() {
		return c.replay()
	}
	return c.run()
}

// CloseIdleConnections closes the Base's idle connections; http.Client looks for it.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
	t.pools.closeIdle()
}

func (t *Transport) base() http.RoundTripper {
	like, ok := t.Base.(*http.Transport)
	if !ok && t.Base != nil {
		return t.Base
	}
	t.own.Do(func() { t.own.base = newBase(like) })
	return t.own.base
}

func (t *Transport) budget() *Budget {
	if t.Budget != nil {
		return t.Budget
	}
	return &t.ownBudget
}

func (t *Transport) jitter() float64 {
	if t.random != nil {
		return t.random()
	}
	return rand.Float64()
}
