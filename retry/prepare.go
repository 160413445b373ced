package retry

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/internal/signing"
)

// newCall captures a request and settles all that stays the same in every attempt. It
// closes the caller's body on every path, and changes nothing else of the request.
// The call is never nil: with an error it holds what is known so far.
func (t *Transport) newCall(req *http.Request, handed *http.Transport, up above) (*call, error) {
	c := &call{t: t, caller: req.Context(), handed: handed, start: time.Now(), above: up}
	if !up.start.IsZero() {
		c.start = up.start
	}
	c.born = c.start
	c.attempts, c.effects = c.first.attempt[:0], c.first.effect[:0]
	c.hooks = hooksOf(t, c.caller)
	c.keyed = newUnderKey(c.caller)

	var policyErr error
	c.policy, policyErr = t.Policy.withDefaults()
	body, bodyErr := capture(req, c.policy.MaxBody)
	if req.Response != nil {
		return c, c.redirected(req.Response)
	}
	err := cmp.Or(policyErr, t.budget().validate(), bodyErr)
	if err == nil {
		err = validate(req)
	}
	if err == nil {
		err = c.makeWire(req)
	}
	if err != nil {
		return c, err
	}
	c.scratch = signing.NewScratch()
	if c.request, err = openapi.Identify(req, body, c.scratch.Params[:0]); err != nil {
		return c, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	var asked time.Duration
	if handed != nil {
		asked = max(0, handed.ResponseHeaderTimeout) // net/http takes a negative one for none
	}
	c.policy.AttemptTimeout = cmp.Or(up.readTimeout, c.policy.AttemptTimeout)
	c.resolve(asked)
	if c.readOnly || c.dryRun {
		c.keyed = nil
	}
	if err = c.checkLayers(req); err != nil {
		return c, err
	}
	if c.base, err = t.baseFor(req, handed); err != nil {
		return c, err
	}
	if c.base, err = t.verifying(c.base, up.insecure, req.URL.Scheme == "https"); err != nil {
		return c, err
	}
	if err = c.checkCredentials(); err != nil {
		return c, err
	}
	deadline, _ := c.caller.Deadline()
	c.end = c.policy.end(c.start, deadline)
	c.ctx.Context, c.ctx.call = c.caller, c
	theirs := body
	if body, err = c.assignToken(body); err != nil || c.keyed.isReplay() {
		return c, err
	}
	if c.prepared, err = signing.Prepare(c.wire, &c.request, body, c.scratch); err != nil {
		return c, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if given, _ := c.caller.Value(tokenKey{}).(*bound); given != nil && !given.bind(openapi.Fingerprint(openapi.Parts(&c.request, c.wire, theirs))) {
		return c, ErrTokenReused
	}
	return c, nil
}

// capture reads the request's body, up to limit bytes, and closes it.
func capture(req *http.Request, limit int64) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	defer req.Body.Close()
	if req.ContentLength > limit {
		return nil, fmt.Errorf("%w: its %d bytes are more than Policy.MaxBody, %d", ErrBody, req.ContentLength, limit)
	}
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(req.Body, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: it cannot be read: %w", ErrBody, Redact(err))
	case n > limit:
		return nil, fmt.Errorf("%w: it is longer than Policy.MaxBody, %d bytes", ErrBody, limit)
	case req.ContentLength > 0 && n != req.ContentLength:
		return nil, fmt.Errorf("%w: it has %d bytes, ContentLength says %d", ErrBody, n, req.ContentLength)
	}
	return buf.Bytes(), nil
}

// validate refuses what net/http would refuse as well, only later and without a type.
func validate(req *http.Request) error {
	if req.URL == nil || req.URL.Host == "" || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return fmt.Errorf("%w: its URL is not one of http or https with a host", ErrRequest)
	}
	if req.URL.Opaque != "" {
		return fmt.Errorf("%w: its URL is opaque", ErrRequest)
	}
	if strings.ContainsFunc(req.Method, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return fmt.Errorf("%w: its method is not one", ErrRequest)
	}
	return nil
}

// isHeaderName reports whether s can be a header's name (RFC 9110, section 5.6.2).
func isHeaderName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		case strings.IndexByte("!#$%&'*+.^_`|~", c) < 0:
			return false
		}
	}
	return s != ""
}

// makeWire sets what attempts are made of: the caller's request less the headers by which
// net/http would replay a signed request, send a second Host, or leave a compressed reply as
// it is. It refuses headers that net/http would refuse.
func (c *call) makeWire(req *http.Request) error {
	c.wire, c.scheme, c.host = req, req.URL.Scheme, req.URL.Host
	c.method = cmp.Or(req.Method, http.MethodGet) // as net/http reads it
	c.asIs = c.method == http.MethodHead
	unwanted := false
	for key, values := range req.Header {
		if !isHeaderName(key) {
			return fmt.Errorf("%w: a header's name is not one", ErrRequest)
		}
		for _, v := range values {
			if openapi.HasControl(v) {
				return fmt.Errorf("%w: header %s holds a control character", ErrRequest, key)
			}
		}
		switch {
		case isUnwanted(key, values):
			unwanted = true
		case isHeader(key, "Accept-Encoding"), isHeader(key, "Range"):
			c.asIs = true
		case isHeader(key, "x-acs-retry-attempts"):
			c.above.retried = true
		}
	}
	if unwanted || req.Header == nil || req.Method == "" || len(req.TransferEncoding) > 0 {
		c.changeWire(func(w *http.Request) {
			w.Method = c.method
			w.TransferEncoding = nil // the body has a length, whatever it had
			w.Header = make(http.Header, len(req.Header))
			maps.Copy(w.Header, req.Header)
			maps.DeleteFunc(w.Header, isUnwanted)
		})
	}
	return nil
}

// changeWire changes what attempts are made of, in a copy of its own.
func (c *call) changeWire(change func(*http.Request)) {
	w := *c.wire
	change(&w)
	c.wire = &w
}

func isUnwanted(key string, values []string) bool {
	return isHeader(key, "Host") || isHeader(key, "Idempotency-Key") || isHeader(key, "X-Idempotency-Key") ||
		isHeader(key, "Accept-Encoding") && !slices.Equal(values, []string{"identity"})
}

// isHeader compares header names: the SDKs do not write them in canonical form. Most differ in
// their length.
func isHeader(key, name string) bool { return len(key) == len(name) && strings.EqualFold(key, name) }

// redirected refuses to follow a redirect, and keeps what is known of the call that was
// answered with it: nothing the caller sees later would tell.
func (c *call) redirected(by *http.Response) error {
	if i, ok := InfoOfResponse(by); ok {
		c.answered = &i
	} else {
		c.answered = &Info{Outcome: Unknown, Reason: "it was answered with a redirect, by another transport"}
		c.hooks.callEnd(c.snapshot)
	}
	return fmt.Errorf("%w: the call was answered with status %d", ErrRedirect, by.StatusCode)
}
