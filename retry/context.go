package retry

import (
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"sync/atomic"
)

type (
	tokenKey      struct{}
	keyKey        struct{}
	traceKey      struct{}
	replaySafeKey struct{}
	callKey       struct{}
)

// WithToken returns a context that gives its call the client token t, for instance to
// resume a call whose outcome stayed Unknown: the same operation with the same
// parameters. The request must carry no other token. The context serves that one
// logical call, however often it is repeated; a call with another operation or other
// parameters is refused with [ErrTokenReused], a t that is no valid token with an error of
// package token, and an operation that is known to take none with [ErrNoToken]. One that
// is not known gets t as the parameter ClientToken of the query, beside its Action if that
// is in the form, and is then repeated as if it took one: the caller vouches for it.
func WithToken(ctx context.Context, t string) context.Context {
	return context.WithValue(ctx, tokenKey{}, &bound{to: t})
}

// WithKey returns a context whose call is made once under key, also across crashes: the
// Transport's Journal records, before the first byte is sent, which client token the call of
// that key carries, and afterwards what became of it. A program that comes back and makes the
// call under the same key goes on with the same token or, if it is done, gets the reply that the
// Journal kept, or [token.ErrDoneNoReply], and nothing is sent. After NotDone the next call under
// the key is a new one.
//
// A key names one intended call ("asg/web-prod/run-17"), not a resource; see
// [token.ValidateKey] for what it may be. The context serves that one call, as with [WithToken]; a
// call with another operation or other parameters is refused with [token.ErrOtherCall], by the
// Journal also in another process. Without a Journal it is refused with [ErrNoJournal], and an
// operation that is known to take no client token with [ErrNoToken]; one that is not known is
// taken to have one, as with WithToken. A call that only reads, or a dry run, does not look at
// the key.
//
// The Outcome of a call under a key is the key's: NotDone only if no other call under it is open.
// To write down what became of it may take up to 5 s after the context has ended.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyKey{}, &bound{to: key})
}

// bound is a token or a key that remembers the first call it served.
type bound struct {
	to string

	mu    sync.Mutex
	known bool
	call  [sha256.Size]byte
}

// bind reports whether a call of this fingerprint may be served.
func (b *bound) bind(call [sha256.Size]byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.known {
		b.known, b.call = true, call
	}
	return b.call == call
}

// WithTrace returns a context whose calls tell trace what happens, besides the
// Transport's own Trace.
func WithTrace(ctx context.Context, trace *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, trace)
}

// WithReplaySafe returns a context whose calls are repeated also after an attempt that
// may have had an effect, although they carry no client token: the caller vouches that
// a second effect does no harm, as with an operation that sets a value.
func WithReplaySafe(ctx context.Context) context.Context {
	return context.WithValue(ctx, replaySafeKey{}, true)
}

// foreignContext hides from a credentials provider what a context says about our call:
// the provider may make calls of its own through a Transport.
type foreignContext struct{ context.Context }

func (c foreignContext) Value(key any) any {
	switch key.(type) {
	case tokenKey, keyKey, traceKey, replaySafeKey, callKey:
		return nil
	}
	return c.Context.Value(key)
}

// callContext is a caller's context with a call in it.
type callContext struct {
	context.Context
	call *call
	over atomic.Bool // the call has ended, and the context lives on with its response
}

func (c *callContext) Value(key any) any {
	switch key.(type) {
	case callKey:
		return c.call
	case tokenKey, keyKey, traceKey, replaySafeKey: // said of this call, not of what its base asks for its own ends
		return nil
	}
	return c.Context.Value(key)
}

// callOf returns the call that sent req as an attempt, or nil.
func callOf(req *http.Request) *call { return callIn(req.Context()) }

func callIn(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}
