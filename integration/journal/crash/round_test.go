package crash_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// round is some keys in a journal of their own, until all are settled.
type round struct {
	job
	*endpoint
	*books
}

var rounds atomic.Int32

// newRound begins a round, which ends with close.
func newRound(w world, keys int, faults func(retrytest.Attempt) retrytest.Fault) *round {
	r := &round{endpoint: newEndpoint(faults), books: newBooks()}
	// On a machine that is slow, a database keeps some waiting for longer than the end of a call may
	// take to be written, SQLite with its one lock first of all. They are told, and call again.
	r.job = job{World: w, Namespace: fmt.Sprintf("round %d", rounds.Add(1)), Host: r.host(), Workers: 3, Outages: true, Timeout: time.Minute}
	for n := range keys {
		r.Keys = append(r.Keys, fmt.Sprintf("%s, key %d", r.Namespace, n))
	}
	return r
}

// live is one life of a child. It reports whether it was killed with work left to do.
func (r *round) live(p plan) (killed bool, err error) {
	j := r.job
	j.Plan = p
	l, err := start(j, r.hear)
	if err != nil {
		return false, err
	}
	r.watch(l)
	l.goOn()
	if p.Point == anywhere {
		l.soon()
	}
	killed, err = l.end()
	r.watch(nil)
	left := r.left(r.Keys)
	if err == nil && !killed && left > 0 {
		err = fmt.Errorf("a child ended of itself, and %d keys are left", left)
	}
	return killed && left > 0, err
}

// verify makes a last call of each key, closes the endpoint, and returns what is known then. No
// request is under way any more that could have an effect.
func (r *round) verify(ctx context.Context) (*evidence, error) {
	e := &evidence{keys: r.Keys, told: r.told, notDone: r.notDone, calls: r.calls, outages: r.outages, open: r.open, sent: len(r.Attempts()), last: map[string]called{}}
	j := r.job
	j.Plan, j.Workers, j.Outages, j.Stream = plan{}, 1, false, ""
	l, err := start(j, func(c called) { e.last[c.Key] = c })
	if err != nil {
		return nil, err
	}
	l.goOn()
	if _, err := l.end(); err != nil {
		return nil, err
	}
	r.close()
	e.attempts, e.effects = r.Attempts(), r.Effects()
	e.records, err = r.World.records(ctx, r.Namespace)
	return e, err
}

// mustVerify fails the test if anything is wrong, and returns what there was.
func (r *round) mustVerify(t *testing.T) tally {
	t.Helper()
	e, err := r.verify(t.Context())
	if err != nil {
		t.Error(err)
		return tally{}
	}
	for _, text := range e.check() {
		t.Error(text)
	}
	return e.tally()
}
