package retry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/signer"
	"github.com/aliretry/aliretry/token"
)

// newCall captures a request and settles all that stays the same in every attempt. It
// closes the caller's body on every path, and changes nothing else of the request.
// The call is never nil: with an error it holds what is known so far.
func (t *Transport) newCall(req *http.Request) (*call, error) {
	c := &call{t: t, caller: req.Context(), start: time.Now()}
	c.attempts = c.first[:0]
	c.traces = traces{t.Trace}
	c.traces[1], _ = c.caller.Value(traceKey{}).(*Trace)

	body, bodyErr := capture(req, orDefault(t.Policy.MaxBody, defaultMaxBody))
	if req.Response != nil {
		return c, c.redirected(req.Response)
	}
	var err error
	if c.policy, err = t.Policy.withDefaults(); err != nil {
		return c, err
	}
	if bodyErr != nil {
		return c, bodyErr
	}
	if req.URL == nil || req.URL.Host == "" || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return c, fmt.Errorf("%w: its URL is not one of http or https with a host", ErrRequest)
	}
	c.method = req.Method
	if c.method == "" {
		c.method = http.MethodGet
	}
	if c.request, err = openapi.Identify(req, body); err != nil {
		return c, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	c.wire = wireCopy(req)
	if body, err = c.assignToken(body); err != nil {
		return c, err
	}
	if err = c.checkCredentials(); err != nil {
		return c, err
	}
	if c.prepared, err = signer.Prepare(c.wire, body); err != nil {
		return c, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	c.end = c.policy.end(c.start, t.deadline(c.caller, c.start))
	c.ctx = context.WithValue(c.caller, callKey{}, c)
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
		return nil, fmt.Errorf("%w cannot be read: %w", ErrBody, err)
	case n > limit:
		return nil, fmt.Errorf("%w: it is longer than Policy.MaxBody, %d bytes", ErrBody, limit)
	case req.ContentLength > 0 && n != req.ContentLength:
		return nil, fmt.Errorf("%w: it has %d bytes, ContentLength says %d", ErrBody, n, req.ContentLength)
	}
	return buf.Bytes(), nil
}

// wireCopy returns what attempts are made of: the caller's request with headers of its
// own. The headers by which net/http would replay a signed request are left out.
func wireCopy(req *http.Request) *http.Request {
	wire := req.WithContext(req.Context())
	if wire.Header = req.Header.Clone(); wire.Header == nil {
		wire.Header = make(http.Header)
	}
	for key := range wire.Header {
		if strings.EqualFold(key, "Idempotency-Key") || strings.EqualFold(key, "X-Idempotency-Key") {
			delete(wire.Header, key)
		}
	}
	wire.Method = http.MethodGet
	if req.Method != "" {
		wire.Method = req.Method
	}
	wire.TransferEncoding = nil // the body has a length, whatever it had
	return wire
}

// assignToken settles the call's client token and whether the call is replay-safe. It
// returns the body to send: a token goes where Action stands, query or form.
func (c *call) assignToken(body []byte) ([]byte, error) {
	r := &c.request
	known, isKnown := openapi.Lookup(r.Version, r.Action)
	c.operation = Operation{known.Product, r.Version, r.Action}
	c.readOnly = isReadOnly(r.Action)
	_, vouched := c.caller.Value(replaySafeKey{}).(bool)
	dryRun, _ := r.Param("DryRun")
	c.replaySafe = c.readOnly || vouched || strings.EqualFold(dryRun, "true")

	own, err := requestToken(r)
	if err != nil {
		return nil, err
	}
	c.token = own
	given, _ := c.caller.Value(tokenKey{}).(*boundToken)
	switch {
	case given != nil:
		if err := token.Validate(given.token); err != nil {
			return nil, err
		}
		if own != "" && own != given.token {
			return nil, fmt.Errorf("%w: one in the request, another in its context", ErrTokenConflict)
		}
		if !given.bind(openapi.Fingerprint(r, c.wire.URL.Host)) {
			return nil, ErrTokenReused
		}
		c.token = given.token
	case own == "" && isKnown && known.Token != "" && !c.replaySafe:
		c.token = token.New()
	}
	if c.token == "" {
		return body, nil
	}
	c.replaySafe = true
	if own != "" {
		return body, nil
	}
	name := "ClientToken"
	if isKnown && known.Token != "" {
		name = known.Token
	}
	if r.System == openapi.Form {
		return []byte(openapi.SetParam(string(body), name, c.token)), nil
	}
	url := *c.wire.URL
	url.RawQuery = openapi.SetParam(url.RawQuery, name, c.token)
	c.wire.URL = &url
	return body, nil
}

// requestToken returns the caller's own token in a request, in either spelling; an
// empty one counts as none.
func requestToken(r *openapi.Request) (string, error) {
	own := ""
	for _, params := range [...][]openapi.Param{r.Query, r.Form} {
		for _, p := range params {
			switch {
			case p.Value == "" || p.Name != "ClientToken" && p.Name != "clientToken":
			case own != "" && own != p.Value:
				return "", fmt.Errorf("%w in one request", ErrTokenConflict)
			default:
				own = p.Value
			}
		}
	}
	if own == "" {
		return "", nil
	}
	return own, token.Validate(own)
}

// isReadOnly reports whether an operation has no effect to lose or to double, by its
// verb. In doubt it is a write.
func isReadOnly(action string) bool {
	return strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "List")
}

// checkCredentials refuses a call without credentials, or one that was signed for
// another account than a key that never changes.
func (c *call) checkCredentials() error {
	if c.t.Credentials == nil {
		return fmt.Errorf("%w: Transport.Credentials is nil", ErrCredentials)
	}
	fixed, ok := c.t.Credentials.(interface{ AccessKeyID() string })
	if !ok {
		return nil
	}
	if signed, _ := c.request.Param("AccessKeyId"); signed != "" && signed != fixed.AccessKeyID() {
		return fmt.Errorf("%w: %s, not %s", ErrAccount, signed, fixed.AccessKeyID())
	}
	return nil
}

// redirected refuses to follow a redirect, and keeps what is known of the call that was
// answered with it: nothing the caller sees later would tell.
func (c *call) redirected(by *http.Response) error {
	c.answered = &Info{Outcome: Unknown}
	if i, ok := InfoOfResponse(by); ok {
		c.answered = &i
	}
	return fmt.Errorf("%w: the call was answered with status %d", ErrRedirect, by.StatusCode)
}

// deadline returns that of the caller's context, or zero. The SDK gives every call
// one, by the read timeout of its http.Client, which Wrap has set so far off that it
// only marks "none".
func (t *Transport) deadline(ctx context.Context, now time.Time) time.Time {
	deadline, _ := ctx.Deadline()
	if left := deadline.Sub(now); t.sdkTimeout > 0 && left <= t.sdkTimeout && left > t.sdkTimeout-time.Minute {
		return time.Time{}
	}
	return deadline
}
