package retry

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"time"
)

// ownBase is a base transport that sends each attempt once. It is a type of its own
// because attempts may carry GetBody through it: a dead idle connection, to which
// nothing was written, is then replaced without a failed attempt.
type ownBase struct{ *http.Transport }

// dialer dials where nobody says how.
var dialer = &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}

// newBase makes a base with the settings of like, which is not changed; nil means those
// of net/http's default transport.
func newBase(like *http.Transport) *ownBase {
	if like == nil {
		like = &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: dialer.DialContext,
		}
	}
	t := like.Clone()
	t.DialContext = boundedDial(t)
	t.TLSHandshakeTimeout = cmp.Or(t.TLSHandshakeTimeout, 10*time.Second)
	t.IdleConnTimeout = cmp.Or(t.IdleConnTimeout, 90*time.Second)
	// One endpoint gets all the calls; net/http's default of 2 would keep dialling.
	t.MaxIdleConnsPerHost = cmp.Or(t.MaxIdleConnsPerHost, 32)
	// Over HTTP/2, net/http sends a refused stream's signed request again by itself.
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = nil // what http2.ConfigureTransport leaves there would still be used
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = nil
	}
	return &ownBase{t}
}

// boundedDial returns how a transport dials, under the connect timeout that a request may
// have. It is nil where only the deprecated Dial tells, which cannot be bounded.
func boundedDial(t *http.Transport) func(ctx context.Context, network, address string) (net.Conn, error) {
	dial := t.DialContext
	switch {
	//lint:ignore SA1019 the V2 SDK sets Dial
	case dial == nil && t.Dial != nil:
		return nil
	case dial == nil:
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if timeout := connectTimeoutIn(ctx); timeout != 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		return dial(ctx, network, address)
	}
}

// connectTimeoutIn returns the request's own, 0 if it has none.
func connectTimeoutIn(ctx context.Context) time.Duration {
	if c := callIn(ctx); c != nil {
		return c.above.connectTimeout
	}
	return 0
}
