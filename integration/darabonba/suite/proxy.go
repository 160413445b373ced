package suite

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/retry"
)

// proxy is a forward proxy that wants a password: requests pass it one by one, TLS in
// tunnels.
type proxy struct {
	*httptest.Server
	address           *string // with the password
	requests, tunnels atomic.Int64
}

func newProxy(t testing.TB) *proxy {
	p := &proxy{}
	forward := &httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: &http.Transport{DisableKeepAlives: true}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:hush"))
		switch {
		case r.Header.Get("Proxy-Authorization") != want:
			w.WriteHeader(http.StatusProxyAuthRequired)
		case r.Method == http.MethodConnect:
			p.tunnels.Add(1)
			tunnel(w, r.Host)
		default:
			p.requests.Add(1)
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(p.Close)
	p.address = dara.String("http://user:hush@" + p.Listener.Addr().String())
	return p
}

func tunnel(w http.ResponseWriter, host string) {
	there, err := net.Dial("tcp", host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		there.Close()
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(there, here); there.Close() }()
	go func() { _, _ = io.Copy(here, there); here.Close() }()
}

// Every attempt of a call goes by the proxy that the call names, and nothing of the
// proxy's password goes further.
func throughProxy(t *testing.T) {
	for name, tt := range map[string]struct{ plain, attempts int64 }{"HTTP": {3, 3}, "TLS": {0, 3}} {
		t.Run(name, func(t *testing.T) {
			srv, p := newServer(t), newProxy(t)
			srv.Script(unavailable.play, throttled.play)
			f := newFront(t, srv)
			runtime := &dara.RuntimeOptions{}
			s := New(t, f.host, func(_ *retry.Transport, config *openapi.Config) {
				if name == "HTTP" {
					f.Start()
					runtime.HttpProxy = p.address
				} else {
					f.StartTLS()
					overTLS(nil, config)
					config.HttpsProxy, config.Ca = p.address, asPEM("CERTIFICATE", f.Certificate().Raw)
				}
			})
			body, err := Create.Send(none, s, runtime)
			if err != nil {
				t.Fatal(err)
			}
			Create.CheckOnce(t, srv, body, s.last(t))
			if requests, tunnels := p.requests.Load(), p.tunnels.Load(); requests != tt.plain || tunnels > 1 || requests == 0 && tunnels == 0 {
				t.Errorf("%d requests and %d tunnels by the proxy", requests, tunnels)
			}
			for _, a := range srv.Attempts() {
				if a.Header.Get("Proxy-Authorization") != "" {
					t.Errorf("attempt %d shows the endpoint the proxy's password", a.Number)
				}
			}

			wrong := dara.String(strings.Replace(*p.address, "hush", "hush-wrong", 1))
			s.Client.HttpsProxy = wrong
			_, err = Create.Send(none, s, &dara.RuntimeOptions{HttpProxy: wrong})
			if err == nil || s.last(t).Outcome == retry.Done || len(srv.Attempts()) != 3 {
				t.Fatalf("with a wrong password: %v", err)
			}
			checkSecrets(t, err, s.last(t))
		})
	}
}

// A call's proxy is not the next one's.
func proxyDoesNotStay(t *testing.T) {
	srv, one, two := newServer(t), newProxy(t), newProxy(t)
	s := New(t, srv.Host)
	by := func(p *proxy) *dara.RuntimeOptions {
		if p == nil {
			return nil
		}
		return &dara.RuntimeOptions{HttpProxy: p.address}
	}
	for i, step := range []struct {
		by       *proxy
		one, two int64
	}{{nil, 0, 0}, {one, 1, 0}, {nil, 1, 0}, {two, 1, 1}, {one, 2, 1}, {nil, 2, 1}} {
		if _, err := Create.Send(none, s, by(step.by)); err != nil {
			t.Fatal(err)
		}
		if a, b, all := one.requests.Load(), two.requests.Load(), len(srv.Attempts()); a != step.one || b != step.two || all != i+1 {
			t.Errorf("step %d: %d and %d requests by the proxies, %d in all", i+1, a, b, all)
		}
	}
}
