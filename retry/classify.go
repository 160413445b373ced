package retry

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
)

// evidence is all that an attempt left to judge it by.
type evidence struct {
	request    *openapi.Request
	method     string
	replaySafe bool
	retryable  []string // codes that the user takes for Busy

	callerErr error // the caller's context, if it has ended
	err       error // of Base, or of reading the body
	status    int   // 0: no reply
	header    http.Header
	body      []byte
	streamed  bool // the body goes on behind these bytes
	sent      time.Time
	received  time.Time     // the reply's headers
	roundTrip time.Duration // between the two
	ahead     time.Duration // how far the attempt took the servers' clock to be ahead of ours
}

// skewed reports whether the servers' clock lies far from the one that the attempt was
// signed by.
func (e *evidence) skewed() bool {
	return e.clock().from(e.ahead) >= skewThreshold
}

// clock reads the servers' clock off the reply.
func (e *evidence) clock() reading { return readClock(e.header, e.received, e.roundTrip) }

// classify is the class table's first column: what happened in one attempt.
func classify(e *evidence) (Class, openapi.Fault) {
	switch {
	case e.callerErr != nil && e.err != nil:
		return Canceled, openapi.Fault{}
	case e.err != nil && e.status == 0 && isBroken(e.err):
		return Broken, openapi.Fault{}
	case e.err != nil && e.status/100 == 5:
		// The status line stands, and what the body would have said changes nothing.
		f := openapi.ReadFault(e.body)
		return classifyReply(e, f), f
	case e.err != nil:
		return NoResponse, openapi.Fault{}
	case e.status/100 == 2:
		return classifyAnswer(e)
	case e.status < 400, e.status == http.StatusProxyAuthRequired:
		return Broken, openapi.Fault{}
	}
	f := openapi.ReadFault(e.body)
	if (f.Cut && !e.streamed || len(e.body) > 0 && isPacked(e.header)) && e.status/100 == 4 {
		return NoResponse, f
	}
	return classifyReply(e, f), f
}

// classifyReply classes an error reply by the rules, by its status, and what these reject
// by what the user knows of the operation.
func classifyReply(e *evidence, f openapi.Fault) Class {
	class := classifyKnown(e, f)
	if class == Rejected && e.status/100 == 4 && isAmong(f.Code, e.retryable) {
		return Busy
	}
	return class
}

// isAmong reports whether a code is one of those listed, where "Code.*" stands for all
// that begin alike. Services spell a code in capitals or not.
func isAmong(code string, list []string) bool {
	for _, want := range list {
		prefix, open := strings.CutSuffix(want, "*")
		if strings.EqualFold(code, want) || open && len(code) >= len(prefix) && strings.EqualFold(code[:len(prefix)], prefix) {
			return true
		}
	}
	return false
}

func classifyKnown(e *evidence, f openapi.Fault) Class {
	if class, ok := classByRule(e, f); ok {
		return class
	}
	switch {
	case e.status == http.StatusNotImplemented, e.status == http.StatusHTTPVersionNotSupported:
		return Rejected
	case e.status == http.StatusServiceUnavailable:
		return Unavailable
	case e.status >= 500, e.status == http.StatusRequestTimeout:
		return ServerError
	}
	return Rejected
}

// classifyAnswer tells the API's own answer from whatever else comes with a 2xx.
func classifyAnswer(e *evidence) (Class, openapi.Fault) {
	switch {
	case e.streamed, e.method == http.MethodHead,
		e.status == http.StatusNoContent, e.status == http.StatusResetContent:
		return Success, openapi.Fault{}
	case e.request.ByPath:
		if len(e.body) > 0 && isPacked(e.header) || !isROAAnswer(e.header.Get("Content-Type"), e.body) {
			return NoResponse, openapi.Fault{}
		}
	case !openapi.IsAnswer(e.request.Format, e.body),
		e.request.Format != "JSON" && openapi.IsHTML(e.header.Get("Content-Type"), e.body):
		return NoResponse, openapi.Fault{}
	}
	if !openapi.MayBeFault(e.body) {
		return Success, openapi.Fault{}
	}
	f := openapi.ReadAnswer(e.body)
	if f.Code != "" {
		class, ok := classByRule(e, f)
		if retry := classTable[class].retry; ok && (retry == always || retry == ifRenewed) && !e.replaySafe {
			return Broken, f // under a 2xx, a code alone is not enough to repeat what must not happen twice
		}
		if ok && class != Rejected {
			return class, f
		}
		if (f.Refused || f.Message != "") && isAmong(f.Code, e.retryable) {
			return Unavailable, f
		}
		if ok {
			return class, f
		}
	}
	// An envelope of a code that we do not know and a message: the API's word, though
	// not a success. A code without a message may be what was asked for.
	if f.Refused = f.Refused || f.Code != "" && f.Message != ""; f.Refused {
		return Broken, f
	}
	return Success, f
}

// isROAAnswer reports whether a body can be that of an API in the ROA style: anything that
// is not a page, since some operations answer with text or nothing. What says that it is
// JSON or XML has to be, or it was cut off where neither a length nor a chunk could tell.
func isROAAnswer(contentType string, body []byte) bool {
	if openapi.IsHTML(contentType, body) {
		return false
	}
	media, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	media = strings.TrimSpace(media)
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	switch {
	case len(body) == 0:
		return true
	case media == "application/json", media == "text/json", strings.HasSuffix(media, "+json"), media == "" && (body[0] == '{' || body[0] == '['):
		return json.Valid(body)
	case media == "application/xml", media == "text/xml", strings.HasSuffix(media, "+xml"):
		return openapi.IsAnswer("XML", body)
	}
	return true
}

// isBroken reports whether a network error is one that the next attempt would meet
// again. Everything else that goes wrong on the way may pass.
func isBroken(err error) bool {
	var (
		dns       *net.DNSError
		cert      *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	return errors.Is(err, errProxy) || errors.Is(err, ErrLayered) || errors.As(err, &dns) && dns.IsNotFound ||
		errors.As(err, &cert) || errors.As(err, &authority) || errors.As(err, &hostname) || errors.As(err, &invalid)
}

// effectOf is the class table's second column.
func effectOf(class Class, unwritten bool) effect {
	switch class {
	case NoResponse, Canceled, Broken:
		if unwritten {
			return effectNone
		}
	}
	return classTable[class].effect
}

// isTimeout reports whether err says that time ran out, by whichever clock.
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}
