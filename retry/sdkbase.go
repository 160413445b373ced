package retry

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
)

// sdkConnectTimeout is the SDK's default.
const sdkConnectTimeout = 5 * time.Second

// sdkBase is the base of a wrapped client, with the client's settings on top of those of the
// transport that it has, if any. The client's are read anew for each attempt. The
// transport's are a copy, since other clients that share it write to it.
type sdkBase struct {
	client SDKClient
	// A connection to a server that was never verified must not serve a client that has
	// come to want it verified, so each has a pool of its own.
	verifying, insecure *ownBase
}

func newSDKBase(client SDKClient, current *http.Transport) *sdkBase {
	if current == nil {
		current = &http.Transport{}
	}
	return &sdkBase{client, sdkPool(client, current, false), sdkPool(client, current, true)}
}

// attemptBase returns the base for an attempt that begins, and has the dialler of a wrapped
// client's know the connect timeout.
func (c *call) attemptBase() http.RoundTripper {
	if b, ok := c.t.Base.(*sdkBase); ok {
		c.clientConnectTimeout.Store(int64(b.client.GetConnectTimeout()))
	}
	if b, ok := c.base.(*sdkBase); ok {
		return b.now()
	}
	return c.base
}

// now returns the base for an attempt that begins.
func (b *sdkBase) now() *ownBase {
	if b.client.GetHTTPSInsecure() {
		return b.insecure
	}
	return b.verifying
}

// RoundTrip implements [http.RoundTripper].
func (b *sdkBase) RoundTrip(req *http.Request) (*http.Response, error) { return b.now().RoundTrip(req) }

// CloseIdleConnections closes those of both pools.
func (b *sdkBase) CloseIdleConnections() {
	b.verifying.CloseIdleConnections()
	b.insecure.CloseIdleConnections()
}

func sdkPool(client SDKClient, current *http.Transport, insecure bool) *ownBase {
	b := newBase(current)
	if current.DialContext == nil || isSDKDialer(current.DialContext) {
		b.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			timeout := sdkConnectTimeout
			if c := callIn(ctx); c != nil {
				timeout = cmp.Or(c.above.connectTimeout, time.Duration(c.clientConnectTimeout.Load()), timeout)
			}
			return (&net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}).DialContext(ctx, network, address)
		}
	}
	otherwise := b.Proxy
	b.Proxy = func(req *http.Request) (*url.URL, error) {
		proxy, err := proxyFor(client, req.URL)
		if proxy == nil && err == nil && otherwise != nil {
			return otherwise(req)
		}
		return proxy, err
	}
	if b.TLSClientConfig == nil {
		b.TLSClientConfig = &tls.Config{}
	}
	// The client's word alone counts, as in the SDK: a transport that the SDK has used
	// holds that of its last request.
	b.TLSClientConfig.InsecureSkipVerify = insecure
	return b
}

// verifying returns the base for a call whose request may say whether certificates are
// verified. A connection that was made without must not serve one that asks for it.
func (t *Transport) verifying(base http.RoundTripper, insecure *bool, overTLS bool) (http.RoundTripper, error) {
	of, ours := base.(*sdkBase)
	switch own, _ := base.(*ownBase); {
	case insecure == nil:
		return base, nil
	case ours && *insecure:
		base = of.insecure
	case ours:
		base = of.verifying
	case own != nil:
		base = t.pools.verifying(own, *insecure)
	}
	own, _ := base.(*ownBase)
	if overTLS && (own == nil || own.DialTLS != nil || own.DialTLSContext != nil) {
		return nil, fmt.Errorf("%w: its HTTPSInsecure cannot be told to the Base", ErrRequest)
	}
	return base, nil
}

// isSDKDialer reports whether a dialer is what the SDK leaves in each transport that it has
// used, with the connect timeout of that client and that request in it.
func isSDKDialer(dial any) bool {
	f := runtime.FuncForPC(reflect.ValueOf(dial).Pointer())
	return f != nil && strings.HasPrefix(f.Name(), reflect.TypeFor[sdk.Client]().PkgPath()+".")
}

// proxyFor follows the SDK: the client's setting outranks the environment, and each
// entry of NO_PROXY is a regular expression that the host may match anywhere.
func proxyFor(client SDKClient, u *url.URL) (*url.URL, error) {
	proxy := cmp.Or(client.GetHttpProxy(), os.Getenv("HTTP_PROXY"), os.Getenv("http_proxy"))
	if u.Scheme == "https" {
		proxy = cmp.Or(client.GetHttpsProxy(), os.Getenv("HTTPS_PROXY"), os.Getenv("https_proxy"))
	}
	if proxy == "" {
		return nil, nil
	}
	if none := cmp.Or(client.GetNoProxy(), os.Getenv("NO_PROXY"), os.Getenv("no_proxy")); none != "" {
		for pattern := range strings.SplitSeq(none, ",") {
			if strings.HasPrefix(pattern, "*") {
				pattern = "." + pattern
			}
			if match, err := regexp.MatchString(pattern, u.Host); err != nil {
				return nil, fmt.Errorf("%w: NO_PROXY: %w", errProxy, err)
			} else if match {
				return nil, nil
			}
		}
	}
	parsed, err := url.Parse(proxy)
	if err != nil {
		return nil, fmt.Errorf("%w: the proxy is no URL", errProxy) // the cause quotes its password
	}
	return parsed, nil
}

// errProxy is a proxy setting that no attempt can get past.
var errProxy = errors.New("client's proxy setting")
