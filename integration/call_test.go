package integration

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"pgregory.net/rapid"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// result is what a caller has of a call, and what its Trace was told at the end.
type result struct {
	request  requests.AcsRequest
	response responses.AcsResponse
	err      error
	info     retry.Info
}

// call makes one call through a client of its own, as a new process would. Each fault
// befalls one attempt, in order; what comes after them is answered well.
func (o operation) call(t rapid.TB, srv *retrytest.Server, request requests.AcsRequest, faults []fault, opts ...retry.Option) result {
	t.Helper()
	for _, f := range faults {
		if f.arrives() {
			srv.Script(f.play)
		}
	}
	client := o.client(t)
	client.SetTransport(&http.Transport{DialContext: dialer(faults, &opts)})
	var ended []retry.Info
	opts = append(opts, func(t *retry.Transport) { t.Trace.CallEnd = func(i retry.Info) { ended = append(ended, i) } })
	wrapped, err := retry.Wrap(client, accessKey, opts...)
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
