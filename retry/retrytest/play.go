package retrytest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// play answers the attempt, or plays its fault.
func (s *Server) play(w http.ResponseWriter, r *http.Request, x *exchange) {
	a, f := &x.attempt, x.fault
	if x.refusal != nil {
		p := x.refusal
		if p.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", strings.Join(a.methods(), ", "))
		}
		contentType, body := renderError(a.json(), x.requestID, a.Host, p.code, p.message)
		setHeader(w, x, contentType, x.requestID)
		s.send(w, a.Number, p.status, body)
		return
	}
	switch f.kind {
	case reply:
		contentType, body := renderError(a.json(), x.requestID, a.Host, f.code, f.message)
		setHeader(w, x, contentType, x.requestID)
		f.setHeader(w.Header())
		s.send(w, a.Number, f.status, body)
	case raw:
		setHeader(w, x, f.contentType, x.requestID)
		f.setHeader(w.Header())
		s.send(w, a.Number, f.status, []byte(f.body))
	case reset:
		resetConn(w)
	case closed:
		takeConn(w).Close()
	case hang:
		s.hang(r.Context(), x)
	default:
		contentType, body := x.work.result.render(a.json(), a.Action)
		setHeader(w, x, contentType, x.work.result.requestID)
		f.setHeader(w.Header())
		if f.kind == none {
			s.send(w, a.Number, http.StatusOK, body)
			return
		}
		cut(w, f.kind, body)
	}
}

// setHeader sets the headers that every reply has.
func setHeader(w http.ResponseWriter, x *exchange, contentType, requestID string) {
	h := w.Header()
	h.Set("Date", x.date.UTC().Format(http.TimeFormat))
	h.Set("X-Acs-Request-Id", requestID)
	h["Content-Type"] = nil // net/http is not to guess one
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
}

// send writes a whole reply. The record is there before the first byte leaves, so
// that a client which has the reply finds it.
func (s *Server) send(w http.ResponseWriter, number, status int, body []byte) {
	s.setStatus(number, status)
	bodyless := status == http.StatusNoContent || status == http.StatusNotModified
	if !bodyless && w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	var err error
	if !bodyless {
		_, err = w.Write(body)
	}
	if err == nil {
		err = flush(w)
	}
	if err != nil {
		s.setStatus(number, 0)
	}
}

func (s *Server) setStatus(number, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[number-1].Status = status
}

func flush(w http.ResponseWriter) error {
	err := http.NewResponseController(w).Flush()
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// hang waits until the client goes away or the server closes, then does the work
// that was under way.
func (s *Server) hang(ctx context.Context, x *exchange) {
	s.mu.Lock()
	if !s.closed {
		s.hung.Add(1)
		defer s.hung.Done()
	}
	s.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-s.closing:
	}
	if x.fault.when == during {
		s.mu.Lock()
		if !x.work.done {
			s.finish(x)
		}
		s.mu.Unlock()
	}
	panic(http.ErrAbortHandler)
}

// cut sends half of a reply.
func cut(w http.ResponseWriter, kind kind, body []byte) {
	half := body[:len(body)/2]
	switch kind {
	case cutOff:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	case cutOffClose:
		w.Header().Set("Transfer-Encoding", "identity") // net/http: no length, no chunks
	case cutOffChunked:
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			break // HTTP/2: a body without a length that breaks off
		}
		defer conn.Close()
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		w.Header().Set("Transfer-Encoding", "chunked")
		fmt.Fprintf(buffered, "HTTP/1.1 200 OK\r\n")
		w.Header().Write(buffered)
		fmt.Fprintf(buffered, "\r\n%x\r\n%s", len(body), half)
		buffered.Flush()
		return
	}
	w.WriteHeader(http.StatusOK)
	w.Write(half)
	flush(w)
	if kind != cutOffClose {
		panic(http.ErrAbortHandler)
	}
}

// takeConn takes the connection over. Where that is impossible, as in HTTP/2, it ends
// the attempt without a reply.
func takeConn(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return conn
}

func resetConn(w http.ResponseWriter) {
	conn := takeConn(w)
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if t, ok := conn.(interface{ SetLinger(sec int) error }); ok { // *net.TCPConn, or one in memory that plays it
		t.SetLinger(0)
	}
	conn.Close()
}
