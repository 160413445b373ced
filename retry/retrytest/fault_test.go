package retrytest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// seen is what a client of net/http sees of a reply.
type seen struct {
	status   int    // 0: no reply
	err      error  // wrapped by that of the request or of the body
	length   int64  // Content-Length; -1: none
	chunked  bool   // HTTP/1.1 only
	half     bool   // a body that is no whole JSON object
	code     string // of the JSON body
	effects  int
	recorded int // Attempt.Status
}

func look(t *testing.T, srv *retrytest.Server, client *http.Client, base string) (got seen) {
	t.Helper()
	resp, err := client.Do(create("t").request(t, t.Context(), base))
	defer func() {
		got.effects = len(srv.Effects())
		got.recorded = last(t, srv).Status
	}()
	if err != nil {
		return seen{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	got = seen{status: resp.StatusCode, err: err, length: resp.ContentLength, chunked: len(resp.TransferEncoding) > 0, half: !json.Valid(body)}
	var fields struct{ Code string }
	json.Unmarshal(body, &fields)
	got.code = fields.Code
	return got
}

func TestFaults(t *testing.T) {
	const length = 84 // of {"RequestId":"<36>","ScalingGroupId":"asg-00000001"}
	busy := retrytest.Reply(503, "ServiceUnavailable", "")
	tests := []struct {
		fault retrytest.Fault
		want  seen
		h2err bool // over HTTP/2 the stream breaks, with an error of its own
	}{
		{retrytest.OK(), seen{status: 200, length: length, effects: 1, recorded: 200}, false},
		{retrytest.OK().AfterEffect(), seen{status: 200, length: length, effects: 1, recorded: 200}, false},
		{busy, seen{status: 503, length: 131, code: "ServiceUnavailable", recorded: 503}, false},
		{busy.AfterEffect(), seen{status: 503, length: 131, code: "ServiceUnavailable", effects: 1, recorded: 503}, false},
		{retrytest.Raw(502, "text/html", "<html>"), seen{status: 502, length: 6, half: true, recorded: 502}, false},
		{retrytest.Raw(200, "application/json", "").AfterEffect(), seen{status: 200, half: true, effects: 1, recorded: 200}, false},
		{retrytest.Raw(204, "", "").AfterEffect(), seen{status: 204, half: true, effects: 1, recorded: 204}, false},
		{retrytest.Reset(), seen{err: syscall.ECONNRESET}, true},
		{retrytest.Reset().AfterEffect(), seen{err: syscall.ECONNRESET, effects: 1}, true},
		{retrytest.Close(), seen{err: io.EOF}, true},
		{retrytest.Close().AfterEffect(), seen{err: io.EOF, effects: 1}, true},
		{retrytest.CutOff(), seen{status: 200, err: io.ErrUnexpectedEOF, length: length, half: true, effects: 1}, true},
		{retrytest.CutOffChunked(), seen{status: 200, err: io.ErrUnexpectedEOF, length: -1, chunked: true, half: true, effects: 1}, true},
		{retrytest.CutOffClose(), seen{status: 200, length: -1, half: true, effects: 1}, false},
	}
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			srv := newServer(t)
			srv.Script(tt.fault)
			got := look(t, srv, newClient(t), srv.URL)
			if err := got.err; errors.Is(err, tt.want.err) {
				got.err = tt.want.err
			}
			// The reply's HostId, and so its length, depends on the port.
			if got.code != "" && got.length > 100 {
				got.length = tt.want.length
			}
			if got != tt.want {
				t.Errorf("the client sees %+v\nwant %+v", got, tt.want)
			}
			if a := last(t, srv); a.Fault != tt.fault || a.Problem != "" {
				t.Errorf("recorded fault %v, problem %q", a.Fault, a.Problem)
			}
			if after := look(t, srv, newClient(t), srv.URL); after.status != 200 || after.effects != 1 {
				t.Errorf("after the script: %+v", after)
			}
		})
	}
	for _, tt := range tests {
		t.Run("HTTP2 "+tt.fault.String(), func(t *testing.T) {
			srv := newServer(t)
			srv.Script(tt.fault)
			other := httptest.NewUnstartedServer(srv)
			other.EnableHTTP2 = true
			other.StartTLS()
			defer other.Close()
			got := look(t, srv, other.Client(), other.URL)
			if (got.err != nil) != tt.h2err || got.status != tt.want.status || got.effects != tt.want.effects || got.half != tt.want.half || got.recorded != tt.want.recorded {
				t.Errorf("the client sees %+v\nwant something like %+v", got, tt.want)
			}
		})
	}
	for _, fault := range []retrytest.Fault{retrytest.Reset(), retrytest.Close(), retrytest.CutOffChunked()} {
		t.Run("TLS "+fault.String(), func(t *testing.T) {
			srv := newServer(t)
			srv.Script(fault)
			other := httptest.NewTLSServer(srv)
			defer other.Close()
			if got := look(t, srv, other.Client(), other.URL); got.err == nil {
				t.Errorf("the client sees %+v", got)
			}
		})
	}
}

func TestHang(t *testing.T) {
	for name, tt := range map[string]struct {
		fault   retrytest.Fault
		effects int
	}{
		"before": {retrytest.Hang(), 0},
		"after":  {retrytest.Hang().AfterEffect(), 1},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			srv.OnAttempt(func(retrytest.Attempt) retrytest.Fault { cancel(); return tt.fault })
			_, err := newClient(t).Do(create("t").request(t, ctx, srv.URL))
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			srv.Close()
			if n := len(srv.Effects()); n != tt.effects {
				t.Errorf("%d effects; want %d", n, tt.effects)
			}
		})
	}
}

func TestFaultHeaders(t *testing.T) {
	srv := newServer(t)
	plain := retrytest.Reply(429, "Throttling.User", "slow down")
	hinted := plain.WithHeader("retry-after", "3")
	if plain == hinted || hinted != retrytest.Reply(429, "Throttling.User", "slow down").WithHeader("Retry-After", "3") {
		t.Error("copies of a fault share their headers, or equal faults differ")
	}
	srv.Script(plain, hinted, hinted.WithHeader("Retry-After", "4\r\nX: y"),
		retrytest.OK().WithHeader("Date", "Tue, 23 Feb 2016 12:46:24 GMT"), retrytest.Raw(200, "", "{}").WithHeader("X-A", "b: c"))
	for i, want := range []struct{ key, value string }{
		{"Retry-After", ""}, {"Retry-After", "3"}, {"Retry-After", "4  X: y"}, {"Date", "Tue, 23 Feb 2016 12:46:24 GMT"}, {"X-A", "b: c"},
	} {
		if got := create("").send(t, srv).header.Get(want.key); got != want.value {
			t.Errorf("step %d: %s: %q; want %q", i, want.key, got, want.value)
		}
	}
}

func TestFaultString(t *testing.T) {
	for want, fault := range map[string]retrytest.Fault{
		"ok":                                 {},
		"500 InternalError after the effect": retrytest.Reply(500, "InternalError", "m").AfterEffect(),
		"502 text/html":                      retrytest.Raw(502, "text/html", ""),
		"200":                                retrytest.Raw(200, "", ""),
		"connection reset":                   retrytest.Reset(),
		"connection closed after the effect": retrytest.Close().AfterEffect(),
		"no reply during the effect":         retrytest.Hang().DuringEffect(),
		"no reply":                           retrytest.Hang(),
		"reply cut off":                      retrytest.CutOff().AfterEffect(),
		"chunked reply cut off":              retrytest.CutOffChunked(),
		"unbounded reply cut off":            retrytest.CutOffClose(),
		"429 Throttling with Retry-After: 3 with X-A: a:": retrytest.Reply(429, "Throttling", "").WithHeader("Retry-After", "3").WithHeader("x-a", "a:"),
	} {
		if got := fault.String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

func TestMisuse(t *testing.T) {
	for name, f := range map[string]func(){
		"informational reply":   func() { retrytest.Reply(100, "", "") },
		"no status":             func() { retrytest.Raw(0, "", "") },
		"reset during":          func() { retrytest.Reset().DuringEffect() },
		"account without a key": func() { retrytest.NewServer(retrytest.Account{AccessKeyID: "id"}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
