package retry

import (
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
)

// above is what stands over a call, as far as its way to the Transport tells.
type above struct {
	tried          bool          // the call may be a repetition by the SDK
	autoRetry      bool          // the SDK would repeat the call when it fails
	retried        bool          // by the V2 SDK, whose request says so
	readTimeout    time.Duration // that the request brought along; 0 if it did not
	start          time.Time     // of the call; zero if it starts now
	connectTimeout time.Duration // the request's; 0 if it has none
	insecure       *bool         // the request's HTTPSInsecure; nil if it says nothing
	reads          bool          // the reply to its end, and ends the call then
	private        bool          // its request was made for this call, and nobody changes it
}

// sdkRoad leads from the http.Client of a wrapped client to its Transport. What takes
// another road, as DoAction does, is not repeated by the SDK.
type sdkRoad struct {
	*Transport
	config         *sdk.Config
	attemptTimeout bool        // an Option has set it, and outranks what requests ask for
	tried          atomic.Bool // a call failed during which AutoRetry was switched on
}

// RoundTrip implements [http.RoundTripper]. The SDK gives its requests no context: a deadline
// is that of its http.Client, and so the request's read timeout.
func (r *sdkRoad) RoundTrip(req *http.Request) (*http.Response, error) {
	up := above{autoRetry: r.config.AutoRetry, private: true}
	if deadline, ok := req.Context().Deadline(); ok && !r.attemptTimeout {
		up.readTimeout = max(0, time.Until(deadline))
	}
	if !up.autoRetry {
		r.tried.Store(false)
	}
	up.tried = up.autoRetry && r.tried.Load()
	resp, err := r.do(req, nil, up)
	if !up.autoRetry && r.config.AutoRetry && (err != nil || resp.StatusCode >= 500) {
		r.tried.Store(true) // the SDK looks at it now, and tries again
	}
	return resp, err
}

// checkLayers refuses a call that is one of several by which another layer carries out its
// own.
func (c *call) checkLayers(req *http.Request) error {
	if c.request.Action == "" {
		c.path = req.URL.EscapedPath()
	}
	switch outer := callIn(c.caller); {
	case c.above.autoRetry:
		if c.above.tried {
			c.followsAnother()
		}
		return fmt.Errorf("%w: AutoRetry of the client's Config is on", ErrLayered)
	case outer != nil && !outer.ctx.over.Load() && outer.isSameAs(c):
		// The other Transport learns that this attempt has not been written.
		if trace := httptrace.ContextClientTrace(c.caller); trace != nil && trace.GetConn != nil {
			trace.GetConn(req.URL.Host)
		}
		return fmt.Errorf("%w: this is an attempt of another Transport", ErrLayered)
	case c.above.retried:
		c.followsAnother()
		return fmt.Errorf("%w: the SDK's RetryOptions are set, and this is a repeated try", ErrLayered)
	}
	return nil
}

// followsAnother makes the outcome that of a call whose try before this one was a call of ours
// that nothing here leads to.
func (c *call) followsAnother() {
	c.answered = &Info{Operation: c.operation, Reason: "an earlier try may have had an effect"}
	if c.readOnly {
		c.answered.Outcome = NotDone
	}
	c.hooks.callEnd(c.snapshot)
}

// isSameAs reports whether an attempt of c has come back as a call: what a base asks of
// another operation for its own ends, under the attempt's context, is not that.
func (c *call) isSameAs(other *call) bool {
	return c.request.Version == other.request.Version && c.request.Action == other.request.Action &&
		(c.request.Action != "" || c.method == other.method && c.path == other.path)
}
