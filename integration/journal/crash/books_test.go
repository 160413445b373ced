package crash_test

import (
	"sync"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry"
)

// books are what callers were told, as their processes said it.
type books struct {
	mu      sync.Mutex
	changed chan struct{}       // closed with the next entry
	told    map[string][]string // by key, the IDs that calls were answered with
	settled map[string]bool     // keys whose call was answered, and recorded as done
	notDone map[string]string   // by token, the key whose call was said to have had no effect
	calls   int
	outages int // calls that the journal kept from being sent
	open    int // calls that were answered, and whose record stayed open
}

func newBooks() *books {
	return &books{changed: make(chan struct{}), told: map[string][]string{}, settled: map[string]bool{}, notDone: map[string]string{}}
}

// hear enters what a call came to.
func (b *books) hear(c called) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	switch {
	case c.ID != "":
		b.told[c.Key] = append(b.told[c.Key], c.ID)
		if c.Open {
			b.open++
		} else {
			b.settled[c.Key] = true
		}
	case c.Journal:
		b.outages++
	case c.Outcome == retry.NotDone && c.Token != "":
		b.notDone[c.Token] = c.Key
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// left is how many of the keys are not settled.
func (b *books) left(keys []string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		if !b.settled[key] {
			n++
		}
	}
	return n
}

// wait waits until the books fulfil a condition, which is asked after each entry.
func (b *books) wait(t testing.TB, what string, fulfilled func(*books) bool) {
	t.Helper()
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	for {
		b.mu.Lock()
		ok, changed := fulfilled(b), b.changed
		b.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			t.Fatalf("not in a minute: %s", what)
		}
	}
}
