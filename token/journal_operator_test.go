package token_test

import (
	"testing"
	"time"

	"github.com/aliretry/aliretry/token"
)

// resolved is what an operator makes of a record.
func resolved(r token.Record, state token.State) *token.Record {
	r.State = state
	if state == token.NotDone {
		r.Unsettled = 0
	}
	return &r
}

// A call that ends after an operator has had his say changes nothing that is another's.
func TestLateEnd(t *testing.T) {
	intent := token.Intent{Key: "key", Lifetime: time.Hour}
	begin := func(held *token.Record, own string) *token.Record {
		intent.Token = own
		r, err := token.Begin(held, intent, epoch)
		if err != nil {
			t.Fatal(err)
		}
		return &r
	}
	first := begin(nil, "")
	own := begin(nil, "own")
	done := token.Result{State: token.Done, Reply: []byte("reply")}

	tests := []struct {
		name   string
		held   *token.Record
		ended  *token.Record
		result token.Result
		want   bool // changes it
	}{
		{"forgotten", nil, first, done, false},
		{"forgotten, and begun anew, Done", begin(nil, ""), first, done, false},
		{"forgotten, and begun anew, NotDone", begin(nil, ""), first, token.Result{State: token.NotDone}, false},
		{"forgotten, and begun anew under an own token", begin(nil, "own"), first, done, false},
		{"another generation, Done", begin(resolved(*first, token.NotDone), ""), first, done, false},
		{"another generation, NotDone", begin(resolved(*first, token.NotDone), ""), first, token.Result{State: token.NotDone}, false},
		{"another generation under the same token, Done", begin(resolved(*own, token.NotDone), "own"), own, done, false},
		{"another generation under the same token, NotDone", begin(resolved(*own, token.NotDone), "own"), own, token.Result{State: token.NotDone}, false},
		{"resolved Done, Done", resolved(*first, token.Done), first, done, false},
		{"resolved Done, NotDone", resolved(*first, token.Done), first, token.Result{State: token.NotDone}, false},
		{"resolved NotDone, NotDone", resolved(*first, token.NotDone), first, token.Result{State: token.NotDone}, false},
		{"resolved NotDone, not known", resolved(*first, token.NotDone), first, token.Result{}, false},
		// The operator was wrong, and the call knows better.
		{"resolved NotDone, Done", resolved(*first, token.NotDone), first, done, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, changed := token.End(tt.held, *tt.ended, tt.result, epoch)
			if changed != tt.want {
				t.Fatalf("changed: %v, want %v", changed, tt.want)
			}
			if tt.held != nil && !changed && !equal(got, *tt.held) {
				t.Errorf("returned %+v, want what is held, %+v", got, *tt.held)
			}
			if changed && got.State != token.Done {
				t.Errorf("%v, want Done", got.State)
			}
		})
	}
}

// An operator who says what is not so can make a second effect, as he would without a journal.
// More than that he cannot: what is Done stays Done and is not sent again, the count is right,
// and under one token there is one effect.
func TestOperatorWhoIsWrong(t *testing.T) {
	m := explore(setup{rules: theRules, holders: 2, runs: 2, tries: 1, words: 2, lies: true})
	if _, ok := m.broken[twoEffects]; !ok {
		t.Error("the model does not see the second effect")
	}
	for _, what := range []string{twoOfOne, sentWhenDone, doneChanged, miscounted} {
		if _, ok := m.broken[what]; ok {
			t.Error(m.story(what))
		}
	}
	t.Logf("%d worlds; %s", len(m.found), m.story(twoEffects))
}
