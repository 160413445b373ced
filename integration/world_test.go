package integration

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// world is where a plan happens: a client, a network in memory and a server. It is made,
// and ends, within one bubble of testing/synctest.
type world struct {
	plan    plan
	began   time.Time
	network *network
	server  *retrytest.Server
	http    *http.Server
	tr      *retry.Transport
	ahead   atomic.Int64 // the server's clock
	calm    atomic.Bool  // nothing befalls anybody any more

	mu       sync.Mutex
	requests int
	left     map[string][]befall
	sessions int // begun so far

	calls    []*madeCall
	attempts []retrytest.Attempt // seen by the server, in order
	effects  []retrytest.Effect
	settled  []retrytest.Effect // before anything was resumed
	open     int                // ends of connections that were left
}

// madeCall is one logical call and what its caller has of it.
type madeCall struct {
	plannedCall
	resumes      *madeCall // what it repeats after everything else; nil for a call of the plan
	began, ended time.Time
	canceled     time.Time // when its caller went away; zero if never
	ends         int       // how often CallEnd ran
	info         retry.Info
	status       int
	body         string
	err, bodyErr error
}

// run plays the plan to its end.
func (p plan) run() *world {
	w := &world{plan: p, began: time.Now(), network: newNetwork(p.network), left: make(map[string][]befall)}
	w.server = retrytest.NewHandler(w.accounts()...)
	w.server.SetClock(func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) })
	w.server.OnAttempt(w.befall)
	w.server.IgnoreTokens("DeleteScalingGroup")
	w.server.IgnoreTokens("CreateCluster")
	w.http = &http.Server{Handler: w, ErrorLog: log.New(io.Discard, "", 0)}
	var serving, running sync.WaitGroup
	serving.Go(func() { _ = w.http.Serve(w.network) })

	base := w.transport()
	w.tr = &retry.Transport{Credentials: w.provider(), Policy: p.policy, Budget: retry.Unlimited()}
	if p.budget > 0 {
		w.tr.Budget = &retry.Budget{Size: p.budget}
	}
	switch p.base {
	case ownPool:
		w.tr.Base = base
	case usersBase:
		w.tr.Base = unknown{base}
	}
	for _, change := range p.clock {
		if change.at == 0 {
			w.ahead.Store(int64(change.ahead))
			continue
		}
		time.AfterFunc(change.at, func() { w.ahead.Store(int64(change.ahead)) })
	}
	for _, at := range p.renewals {
		time.AfterFunc(at, w.renewSession)
	}
	for _, c := range p.calls {
		w.left[c.name] = append(w.left[c.name], c.befalls...)
		w.calls = append(w.calls, &madeCall{plannedCall: c})
	}
	for _, c := range w.calls {
		running.Go(func() {
			time.Sleep(c.start)
			w.make(c)
		})
	}
	running.Wait()
	w.tr.CloseIdleConnections()
	time.Sleep(time.Minute) // what is on its way arrives; an idle connection would live longer
	w.open = w.network.connections()
	time.Sleep(4 * time.Minute) // the last session has begun, and any provider has it
	w.calm.Store(true)
	w.network.calm()
	w.settled = w.server.Effects()
	w.resume(base)

	base.CloseIdleConnections()
	w.server.Close()
	w.http.Close()
	serving.Wait()
	w.attempts, w.effects = w.server.Attempts(), w.server.Effects()
	return w
}

// resume lets another process repeat every call that nobody knows the outcome of, where a
// token makes that safe. Under the key of another account it would not be.
func (w *world) resume(base *http.Transport) {
	if w.plan.keys == otherAccount || w.plan.keys == oneSession && len(w.plan.renewals) > 0 {
		return
	}
	w.tr = &retry.Transport{Base: unknown{base}, Credentials: w.provider(), Budget: retry.Unlimited()}
	for _, c := range w.calls {
		if c.info.Outcome != retry.Unknown || c.info.ClientToken == "" || !c.protected() || w.sharesToken(c) {
			continue
		}
		again := &madeCall{plannedCall: c.plannedCall, resumes: c}
		again.token, again.inContext = c.info.ClientToken, true
		again.timeout, again.cancel = 0, 0
		w.calls = append(w.calls, again)
		w.make(again)
	}
}

// make makes one call.
func (w *world) make(c *madeCall) {
	ctx := context.Background()
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	if c.cancel > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		canceling := time.AfterFunc(c.cancel, cancel)
		defer canceling.Stop()
		c.canceled = time.Now().Add(c.cancel)
	}
	ctx = retry.WithTrace(c.context(ctx), &retry.Trace{CallEnd: func(i retry.Info) { c.ends, c.info = c.ends+1, i }})
	c.began = time.Now()
	send := w.tr.RoundTrip
	if w.tr.Base == nil {
		send = func(req *http.Request) (*http.Response, error) { return w.tr.Call(req, w.transport()) }
	}
	resp, err := send(c.request(ctx))
	c.ended, c.err = time.Now(), err
	if err == nil {
		body, err := io.ReadAll(resp.Body)
		c.status, c.body, c.bodyErr = resp.StatusCode, string(body), errors.Join(err, resp.Body.Close())
	}
}

// sharesToken reports whether the call's token may belong to a call for another thing.
func (w *world) sharesToken(c *madeCall) bool {
	return slices.ContainsFunc(w.plan.calls, func(other plannedCall) bool { return other.token == c.info.ClientToken && other.name != c.name })
}

// copyHeader marks a request that the network made.
const copyHeader = "X-Copy"

// ServeHTTP is the network's last yard, which may deliver a request twice.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	doubled := 0
	if w.requests < len(w.plan.copies) && !w.calm.Load() {
		doubled = w.plan.copies[w.requests]
	}
	w.requests++
	w.mu.Unlock()
	if doubled == 0 {
		w.server.ServeHTTP(rw, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	whole := func() io.ReadCloser { return io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err})) }
	again := r.Clone(r.Context())
	r.Body, again.Body = whole(), whole()
	again.Header.Set(copyHeader, "yes")
	deliver := func() {
		defer func() { _ = recover() }() // it has no connection to break
		w.server.ServeHTTP(httptest.NewRecorder(), again)
	}
	if doubled == 2 {
		deliver()
	} else {
		defer deliver()
	}
	w.server.ServeHTTP(rw, r)
}

// failing is a body's end: with an error if there is one.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

// befall takes the next of the thing's faults and lets its time pass.
func (w *world) befall(a retrytest.Attempt) retrytest.Fault {
	name := nameIn(a)
	w.mu.Lock()
	var b befall
	if left := w.left[name]; len(left) > 0 && !w.calm.Load() {
		b, w.left[name] = left[0], left[1:]
	}
	w.mu.Unlock()
	if a.Header.Get(copyHeader) == "" { // a connection's next request waits for both
		time.Sleep(b.takes)
	}
	return b.fault
}

func nameIn(a retrytest.Attempt) string {
	if a.Form.Has("Name") {
		return a.Form.Get("Name")
	}
	return a.Query.Get("Name")
}

func (w *world) transport() *http.Transport { return &http.Transport{DialContext: w.network.dial} }

// unknown hides from the Transport what its Base is.
type unknown struct{ transport *http.Transport }

func (u unknown) RoundTrip(req *http.Request) (*http.Response, error) {
	return u.transport.RoundTrip(req)
}
func (u unknown) CloseIdleConnections() { u.transport.CloseIdleConnections() }
