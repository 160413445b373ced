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
	"regexp"
	"strings"
	"time"
)

// sdkConnectTimeout is the SDK's default.
const sdkConnectTimeout = 5 * time.Second

// sdkBase makes a base with a client's settings on top of those of the transport that
// it has, if any. Proxy and connect timeout are read anew for each connection, since the
// SDK would do so for each call.
func sdkBase(client SDKClient, current *http.Transport) *ownBase {
	if current == nil {
		current = &http.Transport{}
	}
	b := newBase(current)
	if b.DialContext == nil {
		b.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			timeout := cmp.Or(client.GetConnectTimeout(), sdkConnectTimeout)
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
	b.TLSClientConfig.InsecureSkipVerify = client.GetHTTPSInsecure()
	return b
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
