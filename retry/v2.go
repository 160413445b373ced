package retry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Call is [Transport.RoundTrip] for the V2 SDK: it makes a Transport the HttpClient of a
// darabonba-openapi Config, as which it serves RPC and ROA operations, with a context or
// without. The keys that the SDK's client has sign what comes here, and are replaced: the
// Transport signs each attempt with its own Credentials, by the same algorithm.
//
// Where Base is nil, handed, which the SDK makes anew for each call, is not used itself:
// calls whose handed transports have equal proxy, TLS and pool settings share one
// connection pool, and the 16 pools used last are kept. A connection is dialled by the
// DialContext of the call that needs it, so calls through different local addresses need a
// Transport each. Functions cannot be compared: with any other of them, such as the Dial of
// a SOCKS5 proxy, each call has a connection of its own. A ResponseHeaderTimeout, which is the
// SDK's read timeout as of version 2.2, is the attempt timeout unless Policy.AttemptTimeout
// is set. handed may be nil.
//
// The SDK's own retry, which would send another logical call, must stay off: leave
// RetryOptions unset. As of version 2.2.4 a repeated try is refused with [ErrLayered]; older
// ones do not tell. At the end of its context the SDK replaces an *[Error] by the context's;
// a [Trace] learns what is known all the same.
//
// An answer that leaves the Outcome Unknown is an *[Error], since the SDK's own errors have no
// room for an [Info]. So is one that the SDK would misread: a redirect, which it takes for
// success, and an error without JSON, of which it keeps not even the status.
func (t *Transport) Call(req *http.Request, handed *http.Transport) (*http.Response, error) {
	resp, err := t.do(forEndpoint(req), handed, above{})
	if err != nil {
		return nil, err
	}
	c := callOf(resp.Request)
	if n := len(c.attempts); n == 0 || c.attempts[n-1].Class == Success || c.snapshot().Outcome == NotDone && legible(resp) {
		return resp, nil
	}
	_ = resp.Body.Close()
	return nil, &Error{Info: c.snapshot(), Err: c.lastAnswer(), stopErr: c.stopErr}
}

// forEndpoint returns the request without what the SDK means for a proxy: through a tunnel
// the endpoint would be shown the proxy's password. The proxy gets it from net/http.
func forEndpoint(req *http.Request) *http.Request {
	const key = "Proxy-Authorization"
	if req.URL == nil || req.URL.Scheme != "https" || len(req.Header[key]) == 0 {
		return req
	}
	req = req.WithContext(req.Context())
	req.Header = req.Header.Clone()
	delete(req.Header, key)
	return req
}

// legible reports whether the SDK takes an answer for what it is. Any status but 4xx and
// 5xx it takes for success, a redirect too. Of those two it wants JSON or what it takes for
// XML, and has a syntax error without the status where there is a page.
func legible(resp *http.Response) bool {
	switch {
	case resp.StatusCode/100 == 2:
		return true
	case resp.StatusCode < 400 || resp.StatusCode > 599:
		return false
	case resp.Header.Get("Content-Type") == "text/xml;charset=utf-8":
		return true
	}
	if _, long := resp.Body.(*streamBody); long { // cannot be read twice
		return strings.Contains(strings.ToLower(resp.Header.Get("Content-Type")), "json")
	}
	body, err := io.ReadAll(resp.Body) // from memory
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var members map[string]json.RawMessage
	return err == nil && json.Unmarshal(body, &members) == nil && members != nil
}

// baseFor returns the base for a call that was handed a transport.
func (t *Transport) baseFor(req *http.Request, handed *http.Transport) (http.RoundTripper, error) {
	if handed == nil || t.Base != nil {
		return t.base(), nil
	}
	var proxy *url.URL
	if handed.Proxy != nil {
		var err error
		if proxy, err = handed.Proxy(req); err != nil {
			return nil, fmt.Errorf("%w: %w", errProxy, Redact(err))
		}
	}
	s, comparable := settingsOf(handed, proxy)
	if comparable {
		return t.pools.get(s, handed, proxy), nil
	}
	like := likeHanded(handed, proxy)
	like.DisableKeepAlives = true // nobody else could use them
	return newBase(like), nil
}
