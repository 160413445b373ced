package retry

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// wireWatch gathers from net/http's hooks what proves that an attempt was never
// written. The hooks run in goroutines of the base transport, also after RoundTrip has
// returned. A base that fires none proves nothing, but for our own, which always does:
// there, no hook means that net/http refused the request as it stood.
type wireWatch struct {
	hooks httptrace.ClientTrace
	own   bool

	askedConn, gotConn, wroteHeaders, wrote, failedWrite atomic.Bool
}

func newWireWatch(own bool) *wireWatch {
	w := &wireWatch{own: own}
	if !own {
		w.hooks.GetConn = func(string) { w.askedConn.Store(true) }
	}
	w.hooks.GotConn = func(httptrace.GotConnInfo) { w.gotConn.Store(true) }
	w.hooks.WroteHeaders = func() { w.wroteHeaders.Store(true) }
	w.hooks.WroteRequest = func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			w.wrote.Store(true)
		} else {
			w.failedWrite.Store(true)
		}
	}
	return w
}

// unwritten reports whether no server can have seen a whole request: no connection was
// ever had, or writing failed before the headers were done.
func (w *wireWatch) unwritten() bool {
	switch {
	case w.wroteHeaders.Load() || w.wrote.Load():
		return false
	case (w.askedConn.Load() || w.own) && !w.gotConn.Load():
		return true
	}
	return w.failedWrite.Load()
}

// emptyBody is a body of no bytes that net/http does not know to be empty.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

// sendOnce keeps net/http from sending an attempt twice by itself, with one nonce. On
// a reused connection that dies it replays a GET, HEAD, OPTIONS or TRACE unless there is
// a body that it cannot rewind; an empty one still goes out without any framing. A
// base that may speak HTTP/2 rewinds a body for a stream that was refused, so any but our
// own gets none to rewind; an empty one it still sends again, with the same nonce.
func sendOnce(req *http.Request, own bool) {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		if req.ContentLength == 0 {
			req.Body = emptyBody{}
		}
		req.GetBody = nil
	}
	if !own {
		req.GetBody = nil
	}
}
