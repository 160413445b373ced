package journal_test

import (
	"testing"

	"github.com/aliretry/aliretry/token"
	"github.com/aliretry/aliretry/token/sqljournal"
)

// endKeys is how many of their keys the children of TestProcesses end.
const endKeys = 10

// TestProcesses has many processes make the same calls at the same time: each key has one
// generation and one token, and every call is counted.
func TestProcesses(t *testing.T) {
	const processes, keys = 32, 100
	each(t, func(t *testing.T, w world) {
		var children []*process
		for range processes {
			children = append(children, start(t, job{w, "begin", keys}))
		}
		until(children, "started")
		until(children, "opened")
		tokens, counts := map[string]string{}, map[string]map[int]bool{}
		for _, line := range until(children, "all") {
			r := line.Record
			if tokens[r.Key] == "" {
				tokens[r.Key], counts[r.Key] = r.Token, map[int]bool{}
			}
			if r.Generation != 1 || r.Token != tokens[r.Key] || counts[r.Key][r.Unsettled] {
				t.Fatalf("%q has the token %s, and also: %+v", r.Key, tokens[r.Key], r)
			}
			counts[r.Key][r.Unsettled] = true
		}
		until(children, "ended")

		j := w.open(t, sqljournal.Options{})
		records := held(t, j)
		if len(records) != keys {
			t.Fatalf("%d records are held, of %d keys", len(records), keys)
		}
		var ended int
		for key, r := range records {
			if r.Token != tokens[key] || len(counts[key]) != processes {
				t.Errorf("%q has %d counts: %+v", key, len(counts[key]), r)
			}
			switch {
			case r.State == token.NotDone && r.Unsettled == 0:
				ended++
			case r.State != token.Open || r.Unsettled != processes:
				t.Errorf("after all: %+v", r)
			}
		}
		if ended != endKeys {
			t.Errorf("%d keys are not done, and %d were ended", ended, endKeys)
		}
		if r := begin(t, j, intent("key 0", "web")); r.Generation != 2 || r.Token == tokens["key 0"] {
			t.Errorf("the next generation: %+v", r)
		}
	})
}

// TestOpenAtOnce has many processes open a database that has no tables yet.
func TestOpenAtOnce(t *testing.T) {
	const processes = 16
	each(t, func(t *testing.T, w world) {
		var children []*process
		for range processes {
			children = append(children, start(t, job{World: w, Do: "open"}))
		}
		until(children, "started")
		until(children, "opened")
		for _, p := range children {
			if err := p.cmd.Wait(); err != nil {
				t.Error(err)
			}
		}
		begin(t, w.open(t, sqljournal.Options{}), intent("key", "web"))
	})
}

// TestKilledProcess kills processes in the middle of what they do. What they said they have
// begun is there, all that is there is whole, and nobody waits for their locks.
func TestKilledProcess(t *testing.T) {
	const processes, keys, lines = 6, 3, 20
	each(t, func(t *testing.T, w world) {
		j := w.open(t, sqljournal.Options{})
		begun := map[string]map[int64]string{}
		note := func(r token.Record) {
			if begun[r.Key] == nil {
				begun[r.Key] = map[int64]string{}
			}
			if before := begun[r.Key][r.Generation]; before != "" && before != r.Token {
				t.Errorf("%q had the token %s, and now %+v", r.Key, before, r)
			}
			begun[r.Key][r.Generation] = r.Token
		}
		var children []*process
		for range processes {
			children = append(children, start(t, job{w, "forever", keys}))
		}
		until(children, "started")
		until(children, "opened")
		for n, p := range children {
			for range lines + n { // one after the other, while the rest goes on
				note(p.hear().Record)
			}
			p.kill()
			for key, r := range held(t, j) {
				if r.Generation < 1 || token.Validate(r.Token) != nil || (r.State == token.NotDone) != (r.Unsettled == 0) || len(r.Print.MACs) != 2 {
					t.Errorf("%q: half a record: %+v", key, r)
				}
			}
			for k := range keys {
				note(begin(t, j, intent([]string{"key 0", "key 1", "key 2"}[k], "web")))
			}
		}
	})
}
