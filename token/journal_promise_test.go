package token_test

import (
	"flag"
	"testing"
	"time"
)

var deep = flag.Bool("deep", false, "explore larger models of the journal's rules")

// Every order of the steps of a few holders, a server, a network, a journal and an operator is
// tried, with a crash after each step, and in no world is anything wrong. A key's call that is
// made by several processes, over and over, has one effect.
func TestJournalKeepsItsPromises(t *testing.T) {
	tests := []struct {
		name string
		setup
		least int // worlds, lest the model have become one in which little happens
		deep  bool
	}{
		{"two holders", setup{holders: 2, runs: 2, tries: 2}, 3_000, false},
		{"three holders", setup{holders: 3, runs: 2, tries: 2}, 50_000, false},
		{"three holders that come back twice", setup{holders: 3, runs: 3, tries: 1}, 50_000, false},
		{"their token", setup{holders: 3, runs: 2, tries: 2, own: shared}, 50_000, false},
		{"a token each", setup{holders: 3, runs: 2, tries: 2, own: each}, 20_000, false},
		{"two holders, forgetful server", setup{holders: 2, runs: 2, tries: 2, forgets: true}, 10_000, false},
		{"three holders, forgetful server", setup{holders: 3, runs: 2, tries: 2, forgets: true}, 200_000, false},
		{"their token, forgetful server", setup{holders: 2, runs: 3, tries: 1, own: shared, forgets: true}, 10_000, false},
		{"truthful operator", setup{holders: 2, runs: 2, tries: 2, words: 2}, 40_000, false},
		{"truthful operator, three holders", setup{holders: 3, runs: 2, tries: 1, words: 1}, 50_000, false},
		{"truthful operator, their token", setup{holders: 2, runs: 2, tries: 2, words: 2, own: shared, keeps: true}, 10_000, false},
		{"truthful operator, forgetful server", setup{holders: 2, runs: 2, tries: 1, words: 2, forgets: true}, 50_000, false},

		{"three holders, nine runs", setup{holders: 3, runs: 3, tries: 2}, 300_000, true},
		{"eight runs, forgetful server", setup{holders: 2, runs: 4, tries: 2, forgets: true}, 300_000, true},
		{"two words, three holders", setup{holders: 3, runs: 2, tries: 1, words: 2}, 300_000, true},
		{"two words, three holders, forgetful server", setup{holders: 3, runs: 2, tries: 1, words: 2, forgets: true}, 5_000_000, true},
	}
	for _, tt := range tests {
		if tt.deep && !*deep {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			tt.rules = theRules
			m := explore(tt.setup)
			for what := range m.broken {
				t.Error(m.story(what))
			}
			if len(m.found) < tt.least {
				t.Errorf("%d worlds, want %d or more", len(m.found), tt.least)
			}
			steps := 0
			for _, n := range m.taken {
				steps += n
			}
			t.Logf("%d worlds, %d steps, %v", len(m.found), steps, time.Since(began).Round(time.Millisecond))
		})
	}
}

// What the promises are about does happen in the models: every step is taken, and the worlds
// in which much has gone wrong are among those that were looked at.
func TestModelIsOfSomething(t *testing.T) {
	m := explore(setup{rules: theRules, holders: 2, runs: 2, tries: 2, forgets: true, words: 1})
	for step, name := range steps {
		if m.taken[step] == 0 {
			t.Errorf("never: %s", name)
		}
	}
	seen := make(map[string]bool)
	for _, n := range m.found {
		h, last := n.held, n.holders[maxHolders-1] // the one that has come farthest in a run
		for what, is := range map[string]bool{
			"Open":                             h.state == 0 && h.is,
			"NotDone":                          h.state == 1,
			"Done":                             h.state == 2,
			"too old":                          h.state == 0 && h.age > lifetime,
			"four unsettled":                   h.unsettled == 4,
			"four generations":                 h.gen == 4,
			"an effect that nobody knows of":   h.state == 0 && n.effects() == 1 && last.phase == idle,
			"a stray after all have stopped":   last == holder{} && n.calls[0].stray > 0,
			"a late End of another generation": last.phase == ready && last.tries == 0 && n.calls[last.call].gen < h.gen,
		} {
			seen[what] = seen[what] || is
		}
	}
	for what, is := range seen {
		if !is {
			t.Errorf("never: %s", what)
		}
	}
}
