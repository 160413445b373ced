package journal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// TestOperate does what an operator does, in a journal of more records than one page has.
func TestOperate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		const each = 150
		j, elsewhere := w.open(t, sqljournal.Options{Namespace: "a"}), w.open(t, sqljournal.Options{Namespace: "b"})
		for n := range 3 * each {
			i := intent(fmt.Sprintf("key %03d", n), "web")
			r := begin(t, j, i)
			if state := token.State(n % 3); state != token.Open {
				end(t, j, r, token.Result{State: state})
			}
		}
		end(t, elsewhere, begin(t, elsewhere, intent("key 001", "web")), token.Result{State: token.NotDone})
		count := func(want int, states ...token.State) {
			t.Helper()
			if got := len(held(t, j, states...)); got != want {
				t.Errorf("%d records are %v, want %d", got, states, want)
			}
		}
		count(3 * each)
		count(each, token.Open)
		count(2*each, token.Done, token.NotDone)
		for r, err := range j.List(soon(t)) { // the loop may leave, and may change what it sees
			if err != nil || r.Key != "key 000" {
				t.Errorf("the first is %q, %v", r.Key, err)
			}
			if err := j.Forget(soon(t), r); err != nil {
				t.Error(err)
			}
			break
		}

		seen := held(t, j) // as the operator sees it
		resolve := func(key string, state token.State, want error) {
			t.Helper()
			r := seen[key]
			r.Key = key
			if err := j.Resolve(soon(t), r, state); !errors.Is(err, want) || (want == nil) != (err == nil) {
				t.Errorf("%s as %v: %v", key, state, err)
			}
		}
		begin(t, j, intent("key 003", "web"))
		resolve("key 003", token.NotDone, sqljournal.ErrChanged) // of the call that was begun meanwhile he knows nothing
		seen = held(t, j)
		resolve("key 003", token.NotDone, nil)
		resolve("key 003", token.NotDone, nil)
		if r := held(t, j)["key 003"]; r.State != token.NotDone || r.Unsettled != 0 || r.Ended.IsZero() {
			t.Errorf("resolved: %+v", r)
		}
		if r := begin(t, j, intent("key 003", "another")); r.Generation != 2 {
			t.Errorf("begun after it: %+v", r)
		}
		resolve("key 003", token.NotDone, sqljournal.ErrChanged) // it is another generation
		resolve("key 003", token.Done, sqljournal.ErrChanged)
		if err := j.Forget(soon(t), seen["key 003"]); !errors.Is(err, sqljournal.ErrChanged) {
			t.Errorf("forgotten as another generation: %v", err)
		}
		seen = held(t, j)
		resolve("key 003", token.NotDone, nil)
		resolve("key 003", token.Done, nil)
		resolve("key 003", token.NotDone, sqljournal.ErrDone)
		if err := j.Forget(soon(t), seen["key 003"]); !errors.Is(err, sqljournal.ErrChanged) {
			t.Errorf("forgotten as open, and it is done: %v", err)
		}
		resolve("key 006", token.Done, nil)
		resolve("key 006", token.Done, nil)
		if _, err := j.Begin(soon(t), intent("key 006", "web")); !errors.Is(err, token.ErrDoneNoReply) {
			t.Errorf("begun after Done: %v", err)
		}
		resolve("key 000", token.Done, sqljournal.ErrNoRecord)
		resolve("never", token.Done, sqljournal.ErrNoRecord)
		if err := j.Resolve(soon(t), seen["key 006"], token.Open); err == nil {
			t.Error("resolved as Open")
		}
		if err := j.Forget(soon(t), token.Record{Key: "key 000"}); !errors.Is(err, sqljournal.ErrNoRecord) {
			t.Errorf("forgotten twice: %v", err)
		}
		if r := begin(t, j, intent("key 000", "web")); r.Generation != 1 || r.Unsettled != 1 {
			t.Errorf("begun after Forget: %+v", r)
		}

		purge := func(older time.Duration, want int64) {
			t.Helper()
			if n, err := j.Purge(soon(t), older); err != nil || n != want {
				t.Errorf("%d were purged, want %d: %v", n, want, err)
			}
		}
		purge(time.Hour, 0)
		hourAgo := time.Now().Add(-2 * time.Hour).UnixMilli()
		execute(t, w, fmt.Sprintf("UPDATE aliretry_journal SET begun = %d, ended = CASE WHEN ended IS NULL THEN NULL ELSE %d END", hourAgo, hourAgo))
		end(t, j, begin(t, j, intent("new", "web")), token.Result{State: token.Done})
		purge(time.Hour, 2*each+2)
		count(each-2, token.Open)
		count(1, token.Done)
		count(each - 1)
		if len(held(t, elsewhere)) != 1 {
			t.Error("another namespace's records were purged")
		}
		if r := held(t, j)["key 009"]; r.Age < 2*time.Hour || r.Age > 3*time.Hour {
			t.Errorf("its age is %v", r.Age)
		}
		if _, err := j.Purge(soon(t), -1); err == nil {
			t.Error("what ends in the future was purged")
		}
		done, cancel := context.WithCancel(context.Background())
		cancel()
		for _, err := range j.List(done) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("List of a context that has ended: %v", err)
			}
		}
	})
}
