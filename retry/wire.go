package retry

import (
	"net/http/httptrace"
	"sync/atomic"
)

// wireWatch gathers from net/http's hooks what proves that an attempt was never
// written. The hooks run in goroutines of the base transport, also after RoundTrip has
// returned. A base that fires none proves nothing, but for our own, which always does:
// there, no hook means that net/http refused the request as it stood.
type wireWatch struct {
	own bool

	askedConn, gotConn, wroteHeaders, wrote, failedWrite atomic.Bool
}

func (w *wireWatch) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { w.askedConn.Store(true) },
		GotConn:      func(httptrace.GotConnInfo) { w.gotConn.Store(true) },
		WroteHeaders: func() { w.wroteHeaders.Store(true) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				w.wrote.Store(true)
			} else {
				w.failedWrite.Store(true)
			}
		},
	}
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
