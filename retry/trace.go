package retry

import (
	"context"
	"net/http"

	"github.com/aliretry/aliretry/internal/openapi"
)

// Trace is a set of hooks, each optional, that tell what happens in a call. They run in
// the call's goroutine, one after another, and should return quickly. A Trace may be
// shared by many calls and is then used from many goroutines at once; what belongs to one
// call is kept by the hooks that Call returns.
//
// The values given hold no secrets, and stay valid after the hook has returned.
type Trace struct {
	// Call runs first in every call, with the caller's context, and returns hooks for
	// that call alone, which run after those beside it; nil means none. Their own Call is
	// not asked.
	Call func(context.Context) *Trace
	// CallStart runs when the operation and the client token of a call are settled and
	// nothing has been sent.
	CallStart func(Info)
	// AttemptStart runs before each attempt, which so far has its Number, Nonce,
	// SignedAt and Start.
	AttemptStart func(Attempt)
	// Header runs behind AttemptStart and may put headers for this attempt into the map,
	// such as traceparent. What the request has already stays, and names that begin with
	// x-acs-, or that change what HTTP makes of the request, are passed over.
	Header func(Attempt, http.Header)
	// AttemptEnd runs after each attempt and is given all of it, Wait included: what
	// follows has been decided.
	AttemptEnd func(Attempt)
	// Wait runs before each delay that another attempt follows, which is the attempt's Wait.
	Wait func(Attempt)
	// CallEnd runs once for every call, also for one that was refused unsent.
	CallEnd func(Info)
}

// JoinTraces returns a Trace that runs the hooks of all the traces given, in that order. A
// nil one has none.
func JoinTraces(traces ...*Trace) *Trace {
	ts := make(hooks, 0, len(traces))
	for _, t := range traces {
		if t != nil {
			ts = append(ts, t)
		}
	}
	return &Trace{
		Call: func(ctx context.Context) *Trace {
			var own []*Trace
			for _, t := range ts {
				if t.Call != nil {
					own = append(own, t.Call(ctx))
				}
			}
			return JoinTraces(own...)
		},
		CallStart:    func(i Info) { ts.callStart(func() Info { return i }) },
		AttemptStart: ts.attemptStart,
		Header:       ts.header,
		AttemptEnd:   ts.attemptEnd,
		Wait:         ts.wait,
		CallEnd:      func(i Info) { ts.callEnd(func() Info { return i }) },
	}
}

// hooks are the traces of one call.
type hooks []*Trace

// hooksOf returns the Transport's and the context's, and what these have for this call.
func hooksOf(t *Transport, ctx context.Context) (hs hooks) {
	of, _ := ctx.Value(traceKey{}).(*Trace)
	for _, t := range [...]*Trace{t.Trace, of} {
		if t == nil {
			continue
		}
		hs = append(hs, t)
		if t.Call != nil {
			if own := t.Call(ctx); own != nil {
				hs = append(hs, own)
			}
		}
	}
	return hs
}

func (hs hooks) callStart(info func() Info) {
	for _, t := range hs {
		if t.CallStart != nil {
			t.CallStart(info())
		}
	}
}

func (hs hooks) attemptStart(a Attempt) {
	for _, t := range hs {
		if t.AttemptStart != nil {
			t.AttemptStart(a)
		}
	}
}

func (hs hooks) header(a Attempt, h http.Header) {
	for _, t := range hs {
		if t.Header != nil {
			t.Header(a, h)
		}
	}
}

func (hs hooks) attemptEnd(a Attempt) {
	for _, t := range hs {
		if t.AttemptEnd != nil {
			t.AttemptEnd(a)
		}
	}
}

func (hs hooks) wait(a Attempt) {
	for _, t := range hs {
		if t.Wait != nil {
			t.Wait(a)
		}
	}
}

func (hs hooks) callEnd(info func() Info) {
	for _, t := range hs {
		if t.CallEnd != nil {
			t.CallEnd(info())
		}
	}
}

// addTo puts the hooks' headers into those of an attempt.
func (hs hooks) addTo(h http.Header, a Attempt) {
	if len(hs) == 0 {
		return
	}
	added := make(http.Header)
	hs.header(a, added)
	for key, values := range added {
		if mayAdd(h, key, values) {
			h[key] = values
		}
	}
}

// mayAdd reports whether a header changes neither the request nor how it is sent.
func mayAdd(h http.Header, key string, values []string) bool {
	switch http.CanonicalHeaderKey(key) {
	case "Accept", "Authorization", "Connection", "Cookie", "Date", "Expect", "Host", "Idempotency-Key", "Keep-Alive", "Range", "Te",
		"Trailer", "Transfer-Encoding", "Upgrade", "User-Agent", "X-Http-Method", "X-Http-Method-Override", "X-Idempotency-Key", "X-Method-Override":
		return false
	}
	for _, prefix := range [...]string{"x-acs-", "accept-", "content-", "if-", "proxy-"} {
		if openapi.HasPrefixFold(key, prefix) {
			return false
		}
	}
	if !isHeaderName(key) {
		return false
	}
	for _, value := range values {
		if openapi.HasControl(value) {
			return false
		}
	}
	for name := range h {
		if isHeader(name, key) {
			return false
		}
	}
	return true
}
