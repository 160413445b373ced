package retry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
)

// reply is what an attempt brought, beyond what its Attempt tells.
type reply struct {
	class     Class
	effect    effect
	unwritten bool // proven: no server can have seen it whole
	fault     openapi.Fault
	err       error // why there is no whole reply
	resp      *http.Response
	memory    bytes.Reader // the body, once it was read
	rest      *streamBody  // of a reply that is not held in memory
	ended     time.Time    // the attempt, with the reply read
	at        time.Time    // the same by the servers' clock, as far as it is known
}

var errNoReply = errors.New("the base transport returned neither a response nor an error")

// read takes the response's body into memory, and closes it. A body over max bytes, or
// a stream of events, stays open and is passed on as it arrives.
func (r *reply) read(e *evidence, req *http.Request, max int64) error {
	resp := r.resp
	if resp == nil {
		return errNoReply
	}
	if resp.Header == nil {
		resp.Header = make(http.Header)
	}
	resp.Request = req // where InfoOfResponse looks; a base may have put another there
	e.status, e.header, e.received = resp.StatusCode, resp.Header, time.Now()
	e.roundTrip = e.received.Sub(e.sent)
	switch {
	case resp.Body == nil:
		resp.Body = http.NoBody
		return nil
	case resp.StatusCode < 200: // a switched protocol's body is the connection, which has no end
		_ = resp.Body.Close()
		resp.Body = http.NoBody
		return nil
	}
	unpack(resp, e.method)
	if resp.StatusCode/100 == 2 && strings.HasPrefix(strings.ToLower(resp.Header.Get("Content-Type")), "text/event-stream") {
		r.pass(e, nil)
		return nil
	}
	var err error
	if e.body, err = readAll(resp.Body, resp.ContentLength, max); int64(len(e.body)) > max && err == nil {
		r.pass(e, e.body)
		return nil
	}
	_ = resp.Body.Close()
	r.memory.Reset(e.body)
	resp.Body = io.NopCloser(&r.memory)
	return err
}

// readAll reads a body of the length announced, -1 if none is, to its end, or until there
// are more than max bytes.
func readAll(body io.Reader, length, max int64) ([]byte, error) {
	room := int64(512)
	if 0 <= length && length <= max {
		room = min(length, 1<<20) + 1 // for the end to be found without more
	}
	buf := make([]byte, 0, room)
	for {
		n, err := body.Read(buf[len(buf):min(int64(cap(buf)), max+1)])
		buf = buf[:len(buf)+n]
		switch {
		case err == io.EOF:
			return buf, nil
		case err != nil, int64(len(buf)) > max:
			return buf, err
		case len(buf) == cap(buf):
			buf = slices.Grow(buf, int(min(int64(len(buf)), max+1-int64(len(buf)))))
		}
	}
}

// pass leaves the rest of the body to the caller.
func (r *reply) pass(e *evidence, head []byte) {
	e.streamed = true
	r.rest = &streamBody{Reader: io.MultiReader(bytes.NewReader(head), r.resp.Body), body: r.resp.Body}
	r.resp.Body = r.rest
}

// streamBody is a body that goes on arriving after the attempt was classed. Closing it
// ends the attempt's context.
type streamBody struct {
	io.Reader
	body   io.Closer
	call   *call
	cancel context.CancelCauseFunc
}

// Read takes back what the reply's beginning promised if the reply breaks off, and tells so to
// whoever reads: an SDK keeps nothing else of the reply then.
func (s *streamBody) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF && s.call != nil {
		s.call.broken.Store(true)
		err = &Error{Info: s.call.snapshot(), Err: Redact(err)}
	}
	if err == io.EOF && s.call != nil {
		s.call.settleRecord()
	}
	return n, err
}

func (s *streamBody) Close() error {
	if s.cancel != nil {
		s.cancel(nil)
	}
	return s.body.Close()
}

// isAnswer reports whether the response can be handed to the caller as it is. A 2xx
// that is not the API's success cannot: the SDK would take it for one.
func (r *reply) isAnswer() bool {
	if r.resp == nil || r.class == NoResponse || r.class == Canceled {
		return false
	}
	return r.resp.StatusCode >= 300 || r.class == Success || r.fault.Refused
}

// cause is the attempt's failure as an error.
func (r *reply) cause() error {
	if r.err != nil {
		return r.err
	}
	return &answerError{r.resp.StatusCode, r.fault.Code, r.fault.Message}
}

func (r *reply) hint() time.Duration {
	if r.resp == nil {
		return 0
	}
	return hintOf(r.resp.Header, r.at)
}

// discard lets go of a response that nobody will read. What is held in memory was read
// to its end and closed already.
func (r *reply) discard() {
	if r.rest != nil {
		_ = r.rest.Close()
	}
}
