package crash_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// slow is how long the endpoint works at what hangs, also when its client is gone.
const slow = 200 * time.Millisecond

// endpoint is the service: retrytest's, behind a handler with the points of the server's side.
type endpoint struct {
	*retrytest.Server
	http   *httptest.Server
	faults func(retrytest.Attempt) retrytest.Fault

	mu   sync.Mutex
	life *life // the child that dies here; nil if none does
}

// newEndpoint starts an endpoint. Faults are asked for each attempt at which nobody dies.
func newEndpoint(faults func(retrytest.Attempt) retrytest.Fault) *endpoint {
	e := &endpoint{Server: retrytest.NewHandler(), faults: faults}
	e.OnAttempt(e.choose)
	e.http = httptest.NewServer(http.HandlerFunc(e.serve))
	return e
}

func (e *endpoint) host() string { return strings.TrimPrefix(e.http.URL, "http://") }

func (e *endpoint) close() {
	e.Server.Close()
	e.http.Close()
}

// watch makes a child the one that dies here.
func (e *endpoint) watch(l *life) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.life = l
}

// pass has the child die if its plan says so, and reports whether it did.
func (e *endpoint) pass(p point) bool {
	e.mu.Lock()
	l := e.life
	e.mu.Unlock()
	return l != nil && l.pass(p)
}

func (e *endpoint) choose(a retrytest.Attempt) retrytest.Fault {
	switch {
	case a.Problem != "":
		return retrytest.OK()
	case e.pass(unworked):
		return retrytest.Reset()
	case e.pass(worked):
		// The work is done after its client's death: at once, or so slowly that the next child
		// asks meanwhile.
		if rand.IntN(2) == 0 {
			return retrytest.Hang().DuringEffect()
		}
		return retrytest.OK()
	}
	return e.faults(a)
}

func (e *endpoint) serve(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), slow)
	defer cancel()
	watched := &watchedWriter{ResponseWriter: w, endpoint: e}
	e.ServeHTTP(watched, r.WithContext(ctx))
	if watched.wrote {
		e.pass(replied)
	}
}

// watchedWriter is passed before a reply is written.
type watchedWriter struct {
	http.ResponseWriter
	endpoint *endpoint
	wrote    bool
}

func (w *watchedWriter) WriteHeader(status int) {
	w.endpoint.pass(beforeReply)
	w.wrote = true
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController find what is below.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// troubles are what can befall an attempt. After a refusal nothing was done under its attempt,
// and calls that end with one may become NotDone, and begin anew under another token.
var troubles = []retrytest.Fault{
	retrytest.Reset(), retrytest.Reset().AfterEffect(),
	retrytest.Close(), retrytest.Close().AfterEffect(),
	retrytest.CutOff(), retrytest.CutOffChunked(),
	retrytest.Hang(), retrytest.Hang().DuringEffect(), retrytest.Hang().AfterEffect(),
	retrytest.Reply(500, "InternalError", "The request processing has failed."), retrytest.Reply(500, "InternalError", "The request processing has failed.").AfterEffect(),
	retrytest.Reply(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
	retrytest.Reply(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.").AfterEffect(),
	retrytest.Reply(403, "LastTokenProcessing", "The last token request is processing."),
	retrytest.Raw(200, "text/html", "<html>Please log in.</html>"), retrytest.Raw(200, "text/html", "<html>Please log in.</html>").AfterEffect(),
	retrytest.Raw(502, "text/html", "<html>Bad gateway</html>"), retrytest.Raw(502, "text/html", "<html>Bad gateway</html>").AfterEffect(),
	throttled, throttled, refused, refused, refused, refused,
}

var (
	throttled = retrytest.Reply(400, "Throttling.User", "Request was denied due to user flow control.")
	refused   = retrytest.Reply(400, "QuotaExceeded.ScalingGroup", "The number of scaling groups has reached its quota.")
)

// troubled plays any fault at half of the attempts.
func troubled(retrytest.Attempt) retrytest.Fault {
	if n := rand.IntN(2 * len(troubles)); n < len(troubles) {
		return troubles[n]
	}
	return retrytest.OK()
}

// calm plays any fault at a tenth of the attempts.
func calm(a retrytest.Attempt) retrytest.Fault {
	if rand.IntN(5) > 0 {
		return retrytest.OK()
	}
	return troubled(a)
}
