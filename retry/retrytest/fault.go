package retrytest

import (
	"fmt"
	"net/http"
	"strings"
)

// Fault is what a [Server] does to one attempt in place of answering it well. The
// zero Fault, which is [OK], does nothing of the sort. Faults are values: they can be
// compared and used any number of times.
type Fault struct {
	kind              kind
	when              when
	status            int
	code, message     string // of a Reply
	contentType, body string // of a Raw
	header            string // lines "Key: value"
}

type kind int

const (
	none kind = iota
	reply
	raw
	reset
	closed
	hang
	cutOff
	cutOffChunked
	cutOffClose
)

// when tells whether the work is done before the fault strikes. It is after for none
// and the cut-off kinds, whose reply is the one that tells of the work.
type when int

const (
	after when = iota
	before
	during
)

// OK is no fault: the attempt is answered well.
func OK() Fault { return Fault{} }

// Reply answers with an error in the format that the request asks for: Code, Message,
// RequestId and HostId. It panics if the status is under 200 or over 999.
func Reply(status int, code, message string) Fault {
	return Fault{kind: reply, when: before, status: checkStatus(status), code: code, message: message}
}

// Raw answers with any bytes, such as the page of a proxy. An empty content type means
// that the reply has no Content-Type. It panics if the status is under 200 or over
// 999.
func Raw(status int, contentType, body string) Fault {
	return Fault{kind: raw, when: before, status: checkStatus(status), contentType: contentType, body: body}
}

func checkStatus(status int) int {
	if status < 200 || status > 999 {
		panic(fmt.Sprintf("retrytest: %d is not the status of a final reply", status))
	}
	return status
}

// Reset resets the TCP connection (over HTTP/2: the stream). On any other connection it
// calls SetLinger(0) before Close, or Close alone where there is no such method.
func Reset() Fault { return Fault{kind: reset, when: before} }

// Close closes the connection without a byte of reply.
func Close() Fault { return Fault{kind: closed, when: before} }

// Hang never replies. It ends when the client goes away or the server closes.
func Hang() Fault { return Fault{kind: hang, when: before} }

// CutOff sends the real reply with its Content-Length and closes the connection half
// way through the body. The effect is made.
func CutOff() Fault { return Fault{kind: cutOff} }

// CutOffChunked is CutOff with a chunked body, which ends in the middle of a chunk.
func CutOffChunked() Fault { return Fault{kind: cutOffChunked} }

// CutOffClose is CutOff with a body that has neither a length nor chunks: to the
// client half of it looks like the whole.
func CutOffClose() Fault { return Fault{kind: cutOffClose} }

// AfterEffect is the fault that strikes when the work is done and its result stored
// under the token. Without it nothing is done, and the token is not taken. A cut-off
// strikes then anyway.
func (f Fault) AfterEffect() Fault {
	f.when = after
	return f
}

// DuringEffect is the [Hang] that strikes while the work is under way: the token is
// taken, another attempt with it gets LastTokenProcessing, and the effect is made once
// the request ends because the client went away or the server closed. The token is
// taken by the time that [Server.Attempts] shows the fault. It panics on any other
// fault.
func (f Fault) DuringEffect() Fault {
	if f.kind != hang {
		panic("retrytest: only Hang can strike during the effect, not " + f.String())
	}
	f.when = during
	return f
}

// WithHeader is the fault whose reply carries the header, such as Retry-After, in
// place of any other with that key, also one that the server would send itself (Date,
// for example). [OK] takes headers too; a fault without a reply has no use for them.
func (f Fault) WithHeader(key, value string) Fault {
	f.header += http.CanonicalHeaderKey(key) + ": " + strings.NewReplacer("\r", " ", "\n", " ").Replace(value) + "\n"
	return f
}

func (f Fault) setHeader(h http.Header) {
	for line := range strings.Lines(f.header) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		h.Set(key, value)
	}
}

// String returns a few words for timelines, such as "500 InternalError after the
// effect".
func (f Fault) String() string {
	var s string
	switch f.kind {
	case none:
		s = "ok"
	case reply:
		s = fmt.Sprintf("%d %s", f.status, f.code)
	case raw:
		s = strings.TrimSpace(fmt.Sprintf("%d %s", f.status, f.contentType))
	case reset:
		s = "connection reset"
	case closed:
		s = "connection closed"
	case hang:
		s = "no reply"
	case cutOff:
		s = "reply cut off"
	case cutOffChunked:
		s = "chunked reply cut off"
	case cutOffClose:
		s = "unbounded reply cut off"
	}
	switch {
	case f.when == during:
		s += " during the effect"
	case f.when == after && f.kind > none && f.kind < cutOff:
		s += " after the effect"
	}
	for line := range strings.Lines(f.header) {
		s += " with " + strings.TrimSuffix(line, "\n")
	}
	return s
}
