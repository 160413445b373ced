package darabonba224

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/integration/darabonba/suite"
	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

func TestMain(m *testing.M) { suite.Main(m) }

// TestClient runs the tests of package suite with version 2.2 of the SDK.
func TestClient(t *testing.T) { suite.Run(t) }

// This version hands its read timeout on, and it bounds each attempt.
func TestReadTimeout(t *testing.T) { suite.ReadTimeout(t, true) }

// socksServer is a SOCKS5 proxy (RFC 1928) that takes one user and password (RFC 1929).
type socksServer struct {
	net.Listener
	served atomic.Int64
}

func newSOCKS(t *testing.T) *socksServer {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &socksServer{Listener: ln}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *socksServer) serve(here net.Conn) {
	defer here.Close()
	read := func(n int) []byte {
		b := make([]byte, n)
		if _, err := io.ReadFull(here, b); err != nil {
			return make([]byte, n)
		}
		return b
	}
	read(int(read(2)[1])) // the methods on offer
	_, _ = here.Write([]byte{5, 2})
	user := string(read(int(read(2)[1])))
	password := string(read(int(read(1)[0])))
	if user != "user" || password != "hush" {
		_, _ = here.Write([]byte{1, 1})
		return
	}
	_, _ = here.Write([]byte{1, 0})
	if head := read(4); head[1] != 1 || head[3] != 1 { // to connect, to an IPv4 address
		return
	}
	to := &net.TCPAddr{IP: read(4), Port: int(binary.BigEndian.Uint16(read(2)))}
	there, err := net.DialTCP("tcp", nil, to)
	if err != nil {
		return
	}
	defer there.Close()
	s.served.Add(1)
	_, _ = here.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	go func() { _, _ = io.Copy(there, here); _ = there.CloseWrite() }()
	_, _ = io.Copy(here, there)
}

// A SOCKS5 proxy comes as a function, which says nothing of where it leads: each attempt
// has a connection of its own, and none is left.
func TestSOCKS5(t *testing.T) {
	proxy := newSOCKS(t)
	srv := retrytest.NewServer()
	defer srv.Close()
	var open atomic.Int64
	closed := make(chan struct{}, 100)
	front := httptest.NewUnstartedServer(srv)
	front.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
			closed <- struct{}{}
		}
	}
	front.Start()
	defer front.Close()
	srv.Script(retrytest.Reset().AfterEffect(), retrytest.Reply(503, "ServiceUnavailable", "busy"))
	address := "socks5://user:hush@" + proxy.Addr().String()
	s := suite.New(t, front.Listener.Addr().String(), func(_ *retry.Transport, c *openapi.Config) {
		c.Socks5Proxy, c.Socks5NetWork = dara.String(address), dara.String("tcp")
	})
	body, err := suite.Create.Send(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	suite.Create.CheckOnce(t, srv, body, s.Ended[0])
	if n := proxy.served.Load(); n != 3 {
		t.Errorf("%d connections by the proxy; want one for each of 3 attempts", n)
	}
	for deadline := time.After(5 * time.Second); open.Load() > 0; {
		select {
		case <-closed:
		case <-deadline:
			t.Fatalf("%d connections are left", open.Load())
		}
	}

	_, err = suite.Create.Send(t.Context(), s, &dara.RuntimeOptions{Socks5Proxy: dara.String(strings.Replace(address, "hush", "hush-wrong", 1))})
	if i, ok := retry.InfoOf(err); !ok || i.Outcome != retry.NotDone || len(srv.Attempts()) != 3 || strings.Contains(err.Error(), "hush") {
		t.Errorf("with a wrong password: %v", err)
	}
}
