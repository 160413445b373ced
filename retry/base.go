package retry

import (
	"cmp"
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
