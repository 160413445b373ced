package integration

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"pgregory.net/rapid"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// result is what a program has of a call, and what its Trace was told at the end.
type result struct {
	request  requests.AcsRequest
	response responses.AcsResponse
	err      error
	info     retry.Info
}

// call makes one call through a wrapped client of its own, as a new process would.
// Each fault befalls one attempt, in order; what follows them is answered well.
func (o operation) call(t rapid.TB, srv *retrytest.Server, request requests.AcsRequest, faults []fault, opts ...retry.Option) result {
	t.Helper()
	for _, f := range faults {
		if f.arrives() {
			srv.Script(f.play)
		}
	}
	var ended []retry.Info
	road := &road{faults: faults}
	opts = append(slices.Clone(opts), func(t *retry.Transport) {
		road.transport = t
		t.Trace = &retry.Trace{
			AttemptStart: road.attemptStart,
			CallEnd:      func(i retry.Info) { ended = append(ended, i) },
		}
	})
	client := o.client(t)
	client.SetTransport(&http.Transport{DialContext: road.dial})
	wrapped, err := retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer wrapped.Transport.CloseIdleConnections()

	request.SetDomain(srv.Host)
	response, err := o.send(client, request)
	if len(ended) != 1 {
		t.Fatalf("Trace.CallEnd ran %d times; want once", len(ended))
	}
	return result{request, response, err, ended[0]}
}

// road leads from a client to the endpoint, but for the attempts that are refused: those
// find it closed.
type road struct {
	faults    []fault
	attempt   atomic.Int64 // the one under way, counted from 1
	transport *retry.Transport
}

func (r *road) refuses(attempt int64) bool {
	return int(attempt) <= len(r.faults) && !r.faults[attempt-1].arrives()
}

// attemptStart runs before the attempt asks for a connection. One that is to be refused
// must not find an open one.
func (r *road) attemptStart(a retry.Attempt) {
	r.attempt.Store(int64(a.Number))
	if r.refuses(int64(a.Number)) {
		r.transport.CloseIdleConnections()
	}
}

func (r *road) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if r.refuses(r.attempt.Load()) {
		address = closedPort().client.LocalAddr().String()
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// closedPort returns a connection whose client's end takes up a port: nobody can listen
// on it as long as the connection is there, and whoever dials it is refused. A port that
// was merely closed could become another test's endpoint.
var closedPort = sync.OnceValue(func() (kept struct {
	listener net.Listener
	client   net.Conn
}) {
	var err error
	if kept.listener, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
		kept.client, err = net.Dial("tcp", kept.listener.Addr().String())
	}
	if err != nil {
		panic(err)
	}
	return kept
})
