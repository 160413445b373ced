package retry_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// forwardProxy is a proxy that tunnels what is asked for by CONNECT, and passes on the rest.
type forwardProxy struct {
	*httptest.Server
	user    string // "": anybody may use it
	served  atomic.Int64
	tunnels sync.WaitGroup

	mu   sync.Mutex
	ends []net.Conn // of the tunnels
}

func newForwardProxy(t *testing.T, user string) *forwardProxy {
	t.Helper()
	p := &forwardProxy{user: user}
	p.Server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, end := range p.ends {
			end.Close()
		}
		p.tunnels.Wait()
	})
	return p
}

// address is the proxy's URL, with its user's name in it.
func (p *forwardProxy) address() string {
	u, _ := url.Parse(p.URL)
	if p.user != "" {
		u.User = url.UserPassword(p.user, "hush")
	}
	return u.String()
}

func (p *forwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	basic := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	if user, password, _ := basic.BasicAuth(); p.user != "" && (user != p.user || password != "hush") {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	p.served.Add(1)
	if r.Method != http.MethodConnect {
		(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}).ServeHTTP(w, r)
		return
	}
	there, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		there.Close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends = append(p.ends, here, there)
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	for _, way := range [][2]net.Conn{{here, there}, {there, here}} {
		p.tunnels.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			way[0].Close()
			way[1].Close()
		})
	}
}

// newTLSFront serves srv over TLS, and returns what trusts it.
func newTLSFront(t *testing.T, srv *retrytest.Server, config *tls.Config) (host string, trust *tls.Config) {
	t.Helper()
	front := httptest.NewUnstartedServer(srv)
	front.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of refused handshakes
	front.TLS = config
	front.StartTLS()
	t.Cleanup(func() { srv.Close(); front.Close() })
	return front.Listener.Addr().String(), front.Client().Transport.(*http.Transport).TLSClientConfig
}

// The client's proxies and those of the environment hold from the next attempt on, over TLS and
// without.
func TestWrapProxyChanges(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			srv := retrytest.NewServer()
			host, trust := newTLSFront(t, srv, nil)
			client, err := ess.NewClientWithOptions(region, sdk.NewConfig().WithHttpTransport(&http.Transport{TLSClientConfig: trust}), sdkKey)
			if err != nil {
				t.Fatal(err)
			}
			set, upper, lower, none := client.SetHttpsProxy, "HTTPS_PROXY", "https_proxy", "127.0.0.*,x"
			if scheme == "http" {
				set, upper, lower, host = client.SetHttpProxy, "HTTP_PROXY", "http_proxy", srv.Host
			}
			c := mustWrap(t, client)
			open, guarded := newForwardProxy(t, ""), newForwardProxy(t, "user")
			steps := []struct {
				name string
				do   func()
				want *forwardProxy
			}{
				{"none", func() {}, nil},
				{"set", func() { set(open.address()) }, open},
				{"another, with a password", func() { set(guarded.address()) }, guarded},
				{"NO_PROXY of the client", func() { client.SetNoProxy(none) }, nil},
				{"NO_PROXY for others", func() { client.SetNoProxy("*.example.com") }, guarded},
				{"environment, outranked", func() { t.Setenv(upper, open.address()) }, guarded},
				{"environment", func() { set("") }, open},
				{"NO_PROXY of the environment", func() { client.SetNoProxy(""); t.Setenv("NO_PROXY", none) }, nil},
				{"both in lower case", func() {
					t.Setenv(upper, "")
					t.Setenv("NO_PROXY", "")
					t.Setenv(lower, guarded.address())
					t.Setenv("no_proxy", "example.com")
				}, guarded},
				{"NO_PROXY in lower case", func() { t.Setenv("no_proxy", none) }, nil},
			}
			for _, step := range steps {
				step.do()
				before := map[*forwardProxy]int64{open: open.served.Load(), guarded: guarded.served.Load()}
				srv.Script(retrytest.Reply(503, "ServiceUnavailable", "x"))
				request := createRequest(srv)
				request.Scheme, request.Domain = scheme, host
				if _, err := client.CreateScalingGroup(request); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
				for proxy, n := range before {
					if used := proxy.served.Load() > n; used != (proxy == step.want) {
						t.Errorf("%s: the proxy for %q was used: %v", step.name, proxy.user, used)
					}
				}
				c.Transport.CloseIdleConnections() // so that a tunnel is dug, and counted, each time
			}
			if n := len(srv.Effects()); n != len(steps) {
				t.Errorf("%d effects of %d calls", n, len(steps))
			}
		})
	}
}
