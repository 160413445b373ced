package crash_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// TestRestartedDatabase kills the database server and starts it again while processes make
// calls. Some are not sent, others not recorded, which their callers are told; they are made
// again under the same keys, half of which all processes share.
func TestRestartedDatabase(t *testing.T) {
	for name, make := range map[string]func(testing.TB) world{"PostgreSQL": newPostgres, "MySQL": newMariaDB} {
		t.Run(name, func(t *testing.T) { restart(t, make(t)) })
	}
}

func restart(t *testing.T, w world) {
	const processes = 4
	var armed atomic.Bool
	down := make(chan struct{}, 1)
	r := newRound(w, 0, func(a retrytest.Attempt) retrytest.Fault {
		if armed.CompareAndSwap(true, false) { // its call is recorded as begun, and will be answered
			w.server.Kill()
			down <- struct{}{}
			return retrytest.OK()
		}
		return calm(a)
	})
	defer r.close()
	r.Workers, r.Outages, r.Timeout = 2, true, 10*time.Minute
	var children []*life
	for n := range processes {
		j := r.job
		j.Stream = fmt.Sprintf("child %d", n)
		l, err := start(j, r.hear)
		if err != nil {
			t.Fatal(err)
		}
		defer l.kill()
		l.goOn()
		children = append(children, l)
	}

	for n := range *restarts {
		settled := r.progress(t, 0)
		r.books.mu.Lock()
		outages, open := r.outages, r.open
		r.books.mu.Unlock()
		armed.Store(true)
		<-down
		if n%2 == 0 { // else the journal may bridge the gap
			r.wait(t, "a call that was not sent, and one that was not recorded", func(b *books) bool { return b.outages > outages && b.open > open })
		}
		if err := w.server.Start(); err != nil {
			t.Fatal(err)
		}
		r.progress(t, settled)
	}
	for _, l := range children {
		l.stop()
	}
	for _, l := range children {
		if killed, err := l.end(); killed || err != nil {
			t.Errorf("killed %t: %v", killed, err)
		}
	}
	for key := range r.told {
		r.Keys = append(r.Keys, key)
	}
	slices.Sort(r.Keys)
	if n := r.left(r.Keys); n > 0 {
		t.Errorf("%d keys are left", n)
	}
	seen := r.mustVerify(t)
	t.Logf("%d restarts: %v", *restarts, seen)
}

// progress waits until the children have settled some more keys, and returns how many are.
func (b *books) progress(t *testing.T, since int) (settled int) {
	b.wait(t, "progress", func(b *books) bool {
		settled = len(b.settled)
		return settled >= since+20
	})
	return settled
}
