package retry_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// One attempt is one request on the wire. Each test here has a control that shows
// net/http doing otherwise, so that the test would notice if its fault did not happen.

// deadOnReuse is a server whose connections answer one request well; the second on
// the same connection is read whole, recorded, and the connection closed without a
// reply. To a client this is a keep-alive connection that died too late to tell whether
// the request was carried out.
type deadOnReuse struct {
	ln net.Listener

	mu       sync.Mutex
	requests []*http.Request
}

func newDeadOnReuse(t *testing.T) *deadOnReuse {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &deadOnReuse{ln: ln}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() { ln.Close(); conns.Wait() })
	return s
}

func (s *deadOnReuse) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for n := 0; n < 2; n++ {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		s.mu.Lock()
		s.requests = append(s.requests, req)
		s.mu.Unlock()
		if n == 0 {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"RequestId\":\"R\"}")
		}
	}
}

// seen returns how many requests arrived and how many different nonces they had.
func (s *deadOnReuse) seen() (requests, nonces int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	different := make(map[string]bool)
	for _, req := range s.requests {
		different[req.URL.Query().Get("SignatureNonce")] = true
	}
	return len(s.requests), len(different)
}

func (s *deadOnReuse) do(t *testing.T, rt http.RoundTripper, method, query string, header http.Header) error {
	t.Helper()
	req, _ := http.NewRequest(method, "http://"+s.ln.Addr().String()+query, nil)
	req.Method = method // "" means GET, and NewRequest would say so
	if header != nil {
		req.Header = header
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Body.Close()
}

// A dead keep-alive connection, with GET and POST, with and without the header
// by which net/http takes a POST for replayable.
func TestDeadKeepAlive(t *testing.T) {
	const describe = "/?Action=DescribeRegions&Version=2014-05-26&Format=JSON&SignatureNonce=n"
	const create = createQuery + "&SignatureNonce=n"
	idempotent := func() http.Header { return http.Header{"Idempotency-Key": {"k"}, "x-idempotency-key": {"k"}} }
	tests := map[string]struct {
		method, query string
		header        func() http.Header
		netHTTP       int // requests that net/http alone makes of two
	}{
		"GET":                          {"GET", describe, nil, 3},
		"GET by no method":             {"", describe, nil, 3},
		"POST":                         {"POST", create, nil, 2},
		"POST with an Idempotency-Key": {"POST", create, idempotent, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			header := func() http.Header {
				if tt.header == nil {
					return nil
				}
				return tt.header()
			}
			control := newDeadOnReuse(t)
			plain := &http.Transport{}
			defer plain.CloseIdleConnections()
			for range 2 {
				_ = control.do(t, plain, tt.method, tt.query, header())
			}
			if n, nonces := control.seen(); n != tt.netHTTP || nonces != 1 {
				t.Errorf("control: net/http sent %d requests with %d nonces, want %d with 1", n, nonces, tt.netHTTP)
			}

			server := newDeadOnReuse(t)
			tr := &retry.Transport{Credentials: static, Policy: quick}
			defer tr.CloseIdleConnections()
			attempts := 0
			tr.Trace = &retry.Trace{AttemptEnd: func(retry.Attempt) { attempts++ }}
			for i := range 2 {
				if err := server.do(t, tr, tt.method, tt.query, header()); err != nil {
					t.Fatalf("call %d: %v", i+1, err)
				}
			}
			n, nonces := server.seen()
			if n != 3 || attempts != 3 || nonces != 3 {
				t.Errorf("%d attempts made %d requests with %d nonces, want 3 of each", attempts, n, nonces)
			}
			for _, req := range server.requests {
				if req.Header.Get("Idempotency-Key") != "" || req.Header.Get("X-Idempotency-Key") != "" || req.TransferEncoding != nil {
					t.Errorf("on the wire: %v %v", req.Header, req.TransferEncoding)
				}
			}
		})
	}
}

// newHTTP2Server is a fake endpoint that would rather speak HTTP/2, and tells what it spoke.
func newHTTP2Server(t *testing.T) (*httptest.Server, <-chan string) {
	t.Helper()
	fake := retrytest.NewServer()
	protos := make(chan string, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protos <- r.Proto
		fake.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(func() { fake.Close(); server.Close() })
	return server, protos
}

func protoOver(t *testing.T, rt http.RoundTripper, url string, protos <-chan string) string {
	t.Helper()
	req, _ := http.NewRequest("POST", url+createQuery, nil)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return <-protos
}

// Over HTTP/2 a refused stream is sent again by net/http itself. Our base does
// not negotiate it.
func TestNoHTTP2(t *testing.T) {
	server, protos := newHTTP2Server(t)
	trust := server.Client().Transport.(*http.Transport).TLSClientConfig
	control := &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: true}
	defer control.CloseIdleConnections()
	if got := protoOver(t, control, server.URL, protos); got != "HTTP/2.0" {
		t.Fatalf("control: net/http speaks %s to this server, want HTTP/2.0", got)
	}
	client := newEss(t)
	client.GetConfig().HttpTransport = control
	client.SetTransport(control) // as the SDK's constructor does with that setting
	c := mustWrap(t, client)
	defer c.Transport.CloseIdleConnections()
	if got := protoOver(t, c.Transport, server.URL, protos); got != "HTTP/1.1" {
		t.Errorf("a wrapped client speaks %s", got)
	}
	if control.TLSClientConfig.NextProtos == nil || !control.ForceAttemptHTTP2 {
		t.Error("the client's own transport was written to")
	}
}

// http.Client would follow a redirect as a second logical call, and show the
// signed URL to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, elsewhere := range []bool{false, true} {
			name := http.StatusText(status)
			if elsewhere {
				name += " to another host"
			}
			t.Run(name, func(t *testing.T) {
				srv, other := retrytest.NewServer(), retrytest.NewServer()
				defer srv.Close()
				defer other.Close()
				target := srv.URL + createQuery
				if elsewhere {
					target = other.URL + createQuery
				}
				srv.Script(retrytest.Raw(status, "", "").AfterEffect().WithHeader("Location", target))
				ends := 0
				tr := &retry.Transport{Credentials: static, Policy: quick, Trace: &retry.Trace{CallEnd: func(retry.Info) { ends++ }}}
				defer tr.CloseIdleConnections()
				client := &http.Client{Transport: tr}
				_, err := client.Post(srv.URL+createQuery, "", nil)
				if !errors.Is(err, retry.ErrRedirect) {
					t.Fatalf("error %v, want ErrRedirect", err)
				}
				i, ok := retry.InfoOf(err)
				if !ok || i.Outcome != retry.Unknown || len(i.Attempts) != 1 || i.Attempts[0].Status != status || i.ClientToken == "" {
					t.Errorf("what is known of the call is lost: %+v", i)
				}
				if n := len(srv.Attempts()) + len(other.Attempts()); n != 1 || ends != 1 {
					t.Errorf("%d requests on the wire, %d calls ended", n, ends)
				}
			})
		}
	}
}

// A redirect that another transport answered with: its call is not known, and said so.
func TestForeignRedirect(t *testing.T) {
	ends := 0
	tr := &retry.Transport{Credentials: static, Trace: &retry.Trace{CallEnd: func(retry.Info) { ends++ }}}
	req, _ := http.NewRequest("POST", "http://h"+createQuery, nil)
	req.Response = &http.Response{StatusCode: 302}
	_, err := tr.RoundTrip(req)
	if i, ok := retry.InfoOf(err); !ok || i.Outcome != retry.Unknown || i.Reason == "" || ends != 1 {
		t.Errorf("%v: %+v, %d calls ended", err, i, ends)
	}
}

// The error that http.Client makes above us quotes the signed URL, which Redact
// cuts; ours never has it.
func TestErrorsHoldNoSignature(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.Reset(), retrytest.Reset())
	tr := &retry.Transport{Credentials: static, Policy: retry.Policy{MaxAttempts: 2, Transient: quick.Transient}}
	defer tr.CloseIdleConnections()
	_, err := (&http.Client{Transport: tr}).Post(srv.URL+createQuery+"&Signature=S3cret", "", nil)
	var u *url.Error
	if !errors.As(err, &u) || !strings.Contains(err.Error(), "S3cret") {
		t.Fatalf("control: %v is no *url.Error with the signed URL", err)
	}
	clean := retry.Redact(err)
	for _, e := range []error{clean, u.Err} {
		if text := e.Error(); strings.Contains(text, "S3cret") || strings.Contains(text, "Signature") {
			t.Errorf("%v", text)
		}
	}
	if i, ok := retry.InfoOf(clean); !ok || len(i.Attempts) != 2 {
		t.Errorf("Redact lost the Info: %v, %v", i, ok)
	}
	// A base may itself be made of an http.Client.
	nested := &url.Error{Op: "Post", URL: "http://h/?Signature=S3cret", Err: &url.Error{Op: "Get", URL: "http://h/?Signature=S3cret", Err: io.EOF}}
	tr.Base = roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, nested })
	req, _ := http.NewRequest("POST", srv.URL+createQuery, nil)
	_, err = tr.RoundTrip(req)
	i, _ := retry.InfoOf(err)
	if !errors.Is(err, io.EOF) || strings.Contains(err.Error(), "S3cret") || strings.Contains(i.Attempts[0].Err.Error(), "S3cret") {
		t.Errorf("%v", err)
	}
}

// Nothing can have reached a port that nobody listens on, a name that does not exist or a
// server whose certificate is refused: the outcome is certain, also of a write without a
// token.
func TestNeverWritten(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := ln.Addr().String()
	ln.Close()
	fake := retrytest.NewServer()
	defer fake.Close()
	server := httptest.NewUnstartedServer(fake)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of the refused handshake
	server.StartTLS()
	defer server.Close()
	notFound := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
	}
	tests := map[string]struct {
		url      string
		base     http.RoundTripper
		class    retry.Class
		attempts int
	}{
		"refused":      {"http://" + refused, nil, retry.NoResponse, 2},
		"no such host": {"http://nowhere.invalid", &http.Transport{DialContext: notFound}, retry.Broken, 1},
		"certificate":  {server.URL, &http.Transport{TLSClientConfig: &tls.Config{}}, retry.Broken, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tr := &retry.Transport{Base: tt.base, Credentials: static, Policy: quick}
			tr.Policy.MaxAttempts = 2
			req, _ := http.NewRequest("POST", tt.url+"/?Action=DeleteScalingGroup&Version=2014-08-28", nil)
			_, err := tr.RoundTrip(req)
			i, _ := retry.InfoOf(err)
			if i.Outcome != retry.NotDone || len(i.Attempts) != tt.attempts || i.Attempts[0].Class != tt.class {
				t.Errorf("%v: %+v", err, i)
			}
		})
	}
}

// A caller may change its headers as soon as it has the reply, when net/http may still be
// writing the request.
func TestAttemptHasHeadersOfItsOwn(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	tr := &retry.Transport{Credentials: static}
	defer tr.CloseIdleConnections()
	req, _ := http.NewRequest("POST", srv.URL+"/?Action=CreateVpc&Version=2016-04-28&RegionId=cn-qingdao", nil)
	req.Header = http.Header{"Accept-Encoding": {"identity"}}
	resp, err := tr.RoundTrip(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	resp.Request.Header.Set("X-Attempt", "1")
	if len(req.Header) != 1 {
		t.Errorf("the caller's headers are the attempt's: %v", req.Header)
	}
}
