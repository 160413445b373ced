package crash_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// TestHerd has many processes make the same calls at the same time. Each is answered, by the
// endpoint or the journal, and each call has one effect.
func TestHerd(t *testing.T) {
	const keys = 100
	processes := *herdSize
	for name, make := range map[string]func(*testing.T) world{
		"SQLite":     func(t *testing.T) world { return newSQLite(t, "wal") },
		"PostgreSQL": func(t *testing.T) world { return newPostgres(t) },
		"MySQL":      func(t *testing.T) world { return newMariaDB(t) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRound(make(t), keys, crowded())
			defer r.close()
			r.Timeout = 5 * time.Minute
			var herd []*life
			for n := range processes {
				j := r.job
				j.Workers, j.InOrder = 1, n%2 == 0 // half of them meet at every key
				l, err := start(j, r.hear)
				if err != nil {
					t.Fatal(err)
				}
				defer l.kill()
				herd = append(herd, l)
			}
			for _, l := range herd {
				select {
				case <-l.ready:
				case <-l.dead:
				}
			}
			for _, l := range herd {
				l.goOn()
			}
			for _, l := range herd {
				if _, err := l.end(); err != nil {
					t.Error(err)
				}
			}
			if n := len(r.Effects()); n != keys {
				t.Errorf("%d effects", n)
			}
			for _, key := range r.Keys {
				if n := len(r.told[key]); n < processes {
					t.Errorf("%q was answered %d times", key, n)
				}
			}
			seen := r.mustVerify(t)
			t.Log(seen)
			if seen.inProgress == 0 {
				t.Error("no two processes asked for the same at the same time")
			}
		})
	}
}

// crowded has the first attempt under a token, in one case of five, work so slowly that others
// ask for the same meanwhile, and in another use up a quota and lose its reply: for a while all
// others are refused then, which did nothing.
func crowded() func(retrytest.Attempt) retrytest.Fault {
	const most = 30 // refusals under a token
	var mu sync.Mutex
	seen, refusals := map[string]bool{}, map[string]int{}
	return func(a retrytest.Attempt) retrytest.Fault {
		mu.Lock()
		defer mu.Unlock()
		switch first := !seen[a.ClientToken]; {
		case first:
			seen[a.ClientToken] = true
			switch rand.IntN(5) {
			case 0:
				return retrytest.Hang().DuringEffect()
			case 1:
				refusals[a.ClientToken] = most
				return retrytest.Reset().AfterEffect()
			}
		case refusals[a.ClientToken] > 0:
			refusals[a.ClientToken]--
			return refused
		}
		return calm(a)
	}
}
