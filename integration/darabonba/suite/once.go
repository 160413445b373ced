package suite

import (
	"context"
	"testing"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// fault is what befalls the first attempt of a call.
type fault struct {
	name  string
	play  retrytest.Fault
	class retry.Class
}

const page = "<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"

var (
	unavailable = fault{"503", retrytest.Reply(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."), retry.Unavailable}
	lost        = fault{"closed after the work", retrytest.Close().AfterEffect(), retry.NoResponse}
	htmlPage    = fault{"502 HTML", retrytest.Raw(502, "text/html", page), retry.ServerError}
	throttled   = fault{"400 Throttling", retrytest.Reply(400, "Throttling", "Request was denied due to request throttling."), retry.Throttled}
)

var faults = []fault{
	unavailable, lost, htmlPage, throttled,
	{"503 after the work", retrytest.Reply(503, "ServiceUnavailable", "busy").AfterEffect(), retry.Unavailable},
	{"500", retrytest.Reply(500, "InternalError", "The request processing has failed due to some unknown error."), retry.ServerError},
	{"500 after the work", retrytest.Reply(500, "InternalError", "x").AfterEffect(), retry.ServerError},
	{"429", retrytest.Reply(429, "TooManyRequests", "Too many requests."), retry.Throttled},
	{"reset", retrytest.Reset(), retry.NoResponse},
	{"200 cut short", retrytest.CutOff(), retry.NoResponse},
	{"200 cut short, chunked", retrytest.CutOffChunked(), retry.NoResponse},
	{"200 login page", retrytest.Raw(200, "text/html", page), retry.NoResponse},
	{"still running", retrytest.Reply(403, "LastTokenProcessing", "The last token request is processing."), retry.InProgress},
}

// A program that calls its client as ever gets the result of one effect, whatever
// befalls the first attempt.
func effectOnce(t *testing.T) {
	for _, c := range calls {
		for _, f := range faults {
			for _, ctx := range []context.Context{none, t.Context()} {
				name := c.name + "/" + f.name
				if ctx != none {
					name += ", context"
				}
				t.Run(name, func(t *testing.T) {
					srv := newServer(t)
					srv.Script(f.play)
					s := New(t, srv.Host)
					body, err := c.Send(ctx, s, nil)
					if err != nil {
						t.Fatal(err)
					}
					c.CheckOnce(t, srv, body, s.last(t))
					if i := s.last(t); len(i.Attempts) != 2 || i.Attempts[0].Class != f.class {
						t.Errorf("attempts %+v; want two, the first of class %v", i.Attempts, f.class)
					}
				})
			}
		}
	}
}
