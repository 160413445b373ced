package retry

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"time"
)

// settings are those of a handed transport that tell one connection pool from another.
type settings struct {
	proxy                                              [sha256.Size]byte // it may hold a password
	maxIdleConns, maxIdleConnsPerHost, maxConnsPerHost int
	idleConn, tlsHandshake, expectContinue             time.Duration
	disableKeepAlives, disableCompression              bool
	maxResponseHeaderBytes                             int64
	writeBufferSize, readBufferSize                    int

	insecure               bool
	serverName             string
	minVersion, maxVersion uint16
	certificates           [sha256.Size]byte
	roots                  *x509.CertPool // compared by what is in it
}

// settingsOf returns the settings of a transport with that proxy, and false if there are
// some that cannot be compared.
func settingsOf(handed *http.Transport, proxy *url.URL) (s settings, ok bool) {
	//lint:ignore SA1019 the V2 SDK sets Dial
	if handed.Dial != nil || handed.DialTLS != nil || handed.DialTLSContext != nil ||
		handed.GetProxyConnectHeader != nil || handed.OnProxyConnectResponse != nil || len(handed.ProxyConnectHeader) > 0 {
		return s, false
	}
	s = settings{
		maxIdleConns: handed.MaxIdleConns, maxIdleConnsPerHost: handed.MaxIdleConnsPerHost, maxConnsPerHost: handed.MaxConnsPerHost,
		idleConn: handed.IdleConnTimeout, tlsHandshake: handed.TLSHandshakeTimeout, expectContinue: handed.ExpectContinueTimeout,
		disableKeepAlives: handed.DisableKeepAlives, disableCompression: handed.DisableCompression,
		maxResponseHeaderBytes: handed.MaxResponseHeaderBytes,
		writeBufferSize:        handed.WriteBufferSize, readBufferSize: handed.ReadBufferSize,
	}
	if proxy != nil {
		s.proxy = sha256.Sum256([]byte(proxy.String()))
	}
	return s, s.readTLS(handed.TLSClientConfig)
}

// readTLS takes over what can be compared of a TLS configuration, and reports whether this
// is all that it has.
func (s *settings) readTLS(config *tls.Config) bool {
	if config == nil {
		return true
	}
	s.insecure, s.serverName = config.InsecureSkipVerify, config.ServerName
	s.minVersion, s.maxVersion = config.MinVersion, config.MaxVersion
	s.roots = config.RootCAs
	digest := sha256.New()
	for _, certificate := range config.Certificates {
		fmt.Fprintf(digest, "%d: ", len(certificate.Certificate))
		for _, der := range certificate.Certificate {
			fmt.Fprintf(digest, "%d ", len(der))
			digest.Write(der)
		}
	}
	digest.Sum(s.certificates[:0])

	rest := config.Clone()
	rest.InsecureSkipVerify, rest.ServerName, rest.MinVersion, rest.MaxVersion = false, "", 0, 0
	rest.RootCAs, rest.Certificates, rest.NextProtos = nil, nil, nil
	return reflect.ValueOf(rest).Elem().IsZero()
}

func (s settings) equal(other settings) bool {
	roots := s.roots == other.roots || s.roots != nil && other.roots != nil && s.roots.Equal(other.roots)
	s.roots, other.roots = nil, nil
	return roots && s == other
}

// maxPools bounds the connection pools of one Transport.
const maxPools = 16

// pools are bases by the settings of the transports that were handed in, the one used last
// first.
type pools struct {
	mu   sync.Mutex
	list []pool

	otherwise *ownBase // like the Transport's own, but for whether it verifies certificates
}

type pool struct {
	settings settings
	base     *ownBase
}

// get returns the base for transports of such settings, of which handed is one.
func (p *pools) get(s settings, handed *http.Transport, proxy *url.URL) *ownBase {
	p.mu.Lock()
	i := slices.IndexFunc(p.list, func(known pool) bool { return known.settings.equal(s) })
	var dropped *ownBase
	if i < 0 {
		if i = len(p.list); i < maxPools {
			p.list = append(p.list, pool{})
		} else {
			i--
			dropped = p.list[i].base
		}
		p.list[i] = pool{s, poolFor(handed, proxy)}
	}
	used := p.list[i]
	copy(p.list[1:], p.list[:i])
	p.list[0] = used
	p.mu.Unlock()
	if dropped != nil {
		dropped.CloseIdleConnections()
	}
	return used.base
}

// poolFor makes a base that dials as the transport does that was handed to the call which
// needs a connection.
func poolFor(handed *http.Transport, proxy *url.URL) *ownBase {
	like := likeHanded(handed, proxy)
	like.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if c := callIn(ctx); c != nil && c.handed.DialContext != nil {
			return c.handed.DialContext(ctx, network, address)
		}
		return dialer.DialContext(ctx, network, address)
	}
	return newBase(like)
}

// verifying returns the Transport's own base, or one like it, that verifies certificates or
// not.
func (p *pools) verifying(own *ownBase, insecure bool) *ownBase {
	config := own.TLSClientConfig
	if insecure == (config != nil && config.InsecureSkipVerify) {
		return own
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.otherwise == nil {
		p.otherwise = newBase(own.Transport)
		if config == nil {
			p.otherwise.TLSClientConfig = &tls.Config{}
		}
		p.otherwise.TLSClientConfig.InsecureSkipVerify = insecure
	}
	return p.otherwise
}

func (p *pools) closeIdle() {
	p.mu.Lock()
	list := slices.Clone(p.list)
	if p.otherwise != nil {
		list = append(list, pool{base: p.otherwise})
	}
	p.mu.Unlock()
	for _, known := range list {
		known.base.CloseIdleConnections()
	}
}

// likeHanded returns a transport with the settings of one that was handed in.
func likeHanded(handed *http.Transport, proxy *url.URL) *http.Transport {
	like := handed.Clone()
	like.ResponseHeaderTimeout = 0 // it is the attempt timeout
	like.Proxy = http.ProxyURL(proxy)
	return like
}
