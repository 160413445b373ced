package token_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aliretry/aliretry/token"
)

// beginBut and endBut are the rules with a mistake: what they return is changed.
func beginBut(mistake func(held *token.Record, r *token.Record, now time.Time)) rules {
	r := theRules
	r.begin = func(held *token.Record, i token.Intent, now time.Time) (token.Record, error) {
		record, err := token.Begin(held, i, now)
		if err == nil {
			mistake(held, &record, now)
		}
		return record, err
	}
	return r
}

func endBut(mistake func(held, ended *token.Record, result *token.Result)) rules {
	r := theRules
	r.end = func(held *token.Record, ended token.Record, result token.Result, now time.Time) (token.Record, bool) {
		if held == nil {
			return token.End(held, ended, result, now)
		}
		was := *held
		mistake(&was, &ended, &result)
		record, _ := token.End(&was, ended, result, now)
		return record, true
	}
	return r
}

// beginAsIf begins as if the record held were another.
func beginAsIf(change func(held *token.Record, i *token.Intent)) rules {
	r := theRules
	r.begin = func(held *token.Record, i token.Intent, now time.Time) (token.Record, error) {
		if held == nil {
			return token.Begin(held, i, now)
		}
		other := *held
		change(&other, &i)
		return token.Begin(&other, i, now)
	}
	return r
}

func repeated(held *token.Record) bool { return held != nil && held.State == token.Open }

// The model sees what is wrong: with a mistake in one of the rules, or in those that a holder
// keeps, something happens that may not be: mostly a second effect.
func TestModelSeesMistakes(t *testing.T) {
	two := setup{holders: 2, runs: 2, tries: 1}
	with := func(r rules, change ...func(*setup)) setup {
		s := two
		s.rules = r
		for _, c := range change {
			c(&s)
		}
		return s
	}
	forgetful := func(s *setup) { s.forgets = true }
	operated := func(s *setup) { s.words = 1 }
	sharing := func(s *setup) { s.own, s.keeps = shared, true }

	tests := []struct {
		mistake string
		setup
		want string
	}{
		{"an open call is repeated under a new token", with(beginBut(func(held, r *token.Record, _ time.Time) {
			if repeated(held) {
				r.Token = token.New()
			}
		})), twoEffects},
		{"an open call is taken for one that was not done", with(beginAsIf(func(held *token.Record, _ *token.Intent) {
			if held.State == token.Open {
				held.State = token.NotDone
			}
		})), twoEffects},
		{"a call that is done is begun anew", with(beginAsIf(func(held *token.Record, _ *token.Intent) { held.State = token.NotDone })), twoEffects},
		{"a call that is done is sent again", with(beginAsIf(func(held *token.Record, _ *token.Intent) { held.State = token.Open })), sentWhenDone},
		{"Begin does not count a repetition", with(beginBut(func(held, r *token.Record, _ time.Time) {
			if repeated(held) {
				r.Unsettled--
			}
		})), twoEffects},
		{"Begin does not count the first call", with(beginBut(func(held, r *token.Record, _ time.Time) {
			if !repeated(held) && r.State == token.Open {
				r.Unsettled--
			}
		})), leftOpen},
		{"Begin asks for no lifetime", with(beginAsIf(func(_ *token.Record, i *token.Intent) { i.Lifetime = 1000 * time.Hour }), forgetful), begunTooOld},
		{"Begin counts the lifetime from the last call", with(beginBut(func(_, r *token.Record, now time.Time) { r.Begun = now }), forgetful), twoOfOne},

		{"NotDone closes at once", with(endBut(func(held, _ *token.Record, _ *token.Result) { held.Unsettled = min(1, held.Unsettled) })), twoEffects},
		{"NotDone settles two calls", with(endBut(func(held, _ *token.Record, result *token.Result) {
			if result.State == token.NotDone && held.State == token.Open {
				held.Unsettled = max(1, held.Unsettled-1)
			}
		})), twoEffects},
		{"NotDone settles two calls, below zero", with(rules{token.Begin, func(held *token.Record, ended token.Record, result token.Result, now time.Time) (token.Record, bool) {
			r, changed := token.End(held, ended, result, now)
			if changed && r.State != token.Done {
				r.Unsettled--
			}
			return r, changed
		}}), miscounted},
		{"NotDone settles nothing", with(endBut(func(_, _ *token.Record, result *token.Result) {
			if result.State == token.NotDone {
				result.State = token.Open
			}
		})), leftOpen},
		{"what is not known counts as settled", with(endBut(func(_, _ *token.Record, result *token.Result) {
			if result.State == token.Open {
				result.State = token.NotDone
			}
		})), twoEffects},
		{"Done waits for the others", with(endBut(func(held, _ *token.Record, result *token.Result) {
			if result.State == token.Done && held.Unsettled > 1 {
				result.State = token.Open
			}
		})), noWayOn},
		{"Done is not final", with(endBut(func(held, _ *token.Record, result *token.Result) {
			if held.State == token.Done && result.State != token.Done {
				held.State, held.Unsettled = token.Open, 1
			}
		})), twoEffects},
		{"End asks for no generation", with(endBut(func(held, ended *token.Record, _ *token.Result) { ended.Generation = held.Generation }), operated, sharing), falselyNotDone},
		{"End asks for no token", with(endBut(func(held, ended *token.Record, _ *token.Result) { ended.Token = held.Token }), operated), twoEffects},

		{"a holder ends a call twice", with(theRules, func(s *setup) { s.endsTwice = true }), twoEffects},
		{"a refusal settles a doubt", with(theRules, func(s *setup) { s.forgivesDoubt, s.tries = true, 2 }), twoEffects},
		{"a holder sends a token that is too old", with(theRules, forgetful, func(s *setup) { s.sendsOld = true }), twoOfOne},
		{"a holder counts the lifetime from its own beginning", with(theRules, forgetful, func(s *setup) { s.countsAnew = true }), twoOfOne},
	}
	for _, tt := range tests {
		t.Run(tt.mistake, func(t *testing.T) {
			m := explore(tt.setup)
			if _, ok := m.broken[tt.want]; !ok {
				t.Fatalf("not seen in %d worlds: %s; but %v", len(m.found), tt.want, slices.Sorted(maps.Keys(m.broken)))
			}
			t.Log(m.story(tt.want))
		})
	}
}
