package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/aliretry/aliretry/benchmarks/client"
)

// table is a group of rows that do the same work. The first is what the others are
// measured by.
type table struct {
	title, note string
	rows        []row
}

type row struct {
	name string
	do   func() error
}

// newTables makes every table. end is to be called when they are measured.
func newTables() (tables []table, end func(), err error) {
	loopback, end := newLoopback()
	calls := []struct {
		table
		at      client.Endpoint
		clients []client.Client
	}{
		{table{title: "V1 SDK, over a stub"}, client.Stub, []client.Client{client.V1, client.V1Wrapped, client.V1DoAction}},
		{table{title: "V1 SDK, over a connection on this machine"}, loopback, []client.Client{client.V1, client.V1Wrapped, client.V1DoAction}},
		{table{title: "V2 SDK, over a stub"}, client.Stub, []client.Client{client.V2, client.V2Transport}},
		{table{title: "net/http, over a stub",
			note: "Measured with the V1 SDK's signature of the request, but for the last row: a server takes a signature once, so each call needs\n" +
				"one. retry.Transport makes its own, for every attempt; the others send the one that they are given in every attempt."},
			client.Stub, []client.Client{client.NetHTTP, client.RetryableHTTP, client.FailsafeHTTP, client.Azcore, client.TransportSigned, client.Transport}},
		{table{title: "Another cloud's SDK, over a stub",
			note: "For reference: another call, GetCallerIdentity without parameters, and another signature."},
			client.StubAWS, []client.Client{client.AWSWithoutRetry, client.AWS}},
	}
	for _, c := range calls {
		for _, of := range c.clients {
			r, err := newRow(of, c.at)
			if err != nil {
				end()
				return nil, nil, err
			}
			c.rows = append(c.rows, r)
		}
		tables = append(tables, c.table)
	}
	signatures, err := newSignatureTables()
	if err != nil {
		end()
		return nil, nil, err
	}
	return append(tables, signatures...), end, nil
}

func newRow(c client.Client, at client.Endpoint) (row, error) {
	call, err := c.New(at)
	return row{c.Name, func() error {
		id, err := call(context.Background())
		if err == nil && id != client.ID {
			err = fmt.Errorf("%s: the reply told of %q", c.Name, id)
		}
		return err
	}}, err
}

// newLoopback starts a server that does nothing but answer.
func newLoopback() (e client.Endpoint, end func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		io.WriteString(w, client.Reply)
	}))
	return client.Endpoint{Host: strings.TrimPrefix(server.URL, "http://")}, server.Close
}
