package token_test

import (
	"testing"
	"time"

	"github.com/aliretry/aliretry/token"
)

func TestEnd(t *testing.T) {
	const open, notDone, done = token.Open, token.NotDone, token.Done
	reply := []byte("reply")
	now := epoch.Add(time.Minute)
	tests := []struct {
		name      string
		state     token.State
		unsettled int
		result    token.Result
		changed   bool
		want      token.State
		left      int
		reply     string
		ended     bool
	}{
		{"Done", open, 1, token.Result{State: done, Reply: reply}, true, done, 1, "reply", true},
		{"Done while others are not", open, 3, token.Result{State: done, Reply: reply}, true, done, 3, "reply", true},
		{"Done without its reply", open, 1, token.Result{State: done}, true, done, 1, "", true},
		{"Done twice", done, 1, token.Result{State: done, Reply: reply}, false, done, 1, "", false},
		{"NotDone, the last one", open, 1, token.Result{State: notDone}, true, notDone, 0, "", true},
		{"NotDone, one of two", open, 2, token.Result{State: notDone}, true, open, 1, "", false},
		{"NotDone, one of many", open, 7, token.Result{State: notDone}, true, open, 6, "", false},
		{"NotDone, and none begun", open, 0, token.Result{State: notDone}, false, open, 0, "", false},
		{"NotDone twice", notDone, 0, token.Result{State: notDone}, false, notDone, 0, "", false},
		{"NotDone after Done", done, 2, token.Result{State: notDone}, false, done, 2, "", false},
		{"NotDone with a reply", open, 1, token.Result{State: notDone, Reply: reply}, true, notDone, 0, "", true},
		{"not known", open, 1, token.Result{}, false, open, 1, "", false},
		{"not known after Done", done, 1, token.Result{}, false, done, 1, "", false},
		{"no such state", open, 1, token.Result{State: 7}, false, open, 1, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begun := *heldAs(t, open, "")
			held := begun
			held.State, held.Unsettled = tt.state, tt.unsettled
			before := held
			got, changed := token.End(&held, begun, tt.result, now)

			want := before
			want.State, want.Unsettled, want.Age = tt.want, tt.left, time.Minute
			if tt.reply != "" {
				want.Reply = []byte(tt.reply)
			}
			if tt.ended {
				want.Ended = now
			}
			if changed != tt.changed || !equal(got, want) {
				t.Errorf("got  %v %+v\nwant %v %+v", changed, got, tt.changed, want)
			}
			if !equal(held, before) {
				t.Error("the record held has changed under its holder")
			}
		})
	}
}

// What is ended is known by generation, token and beginning; with any of them another, it is
// another call. Under a token of the caller's own, the beginning alone tells a forgotten key's.
func TestEndOfAnother(t *testing.T) {
	held := *heldAs(t, token.Open, "")
	for name, change := range map[string]func(*token.Record){
		"an older generation": func(r *token.Record) { r.Generation-- },
		"a newer generation":  func(r *token.Record) { r.Generation++ },
		"another token":       func(r *token.Record) { r.Token = "other" },
		"another beginning":   func(r *token.Record) { r.Begun = r.Begun.Add(-time.Millisecond) },
		"nothing":             func(r *token.Record) { *r = token.Record{} },
	} {
		for _, state := range []token.State{token.Open, token.NotDone, token.Done} {
			ended := held
			change(&ended)
			if got, changed := token.End(&held, ended, token.Result{State: state}, epoch); changed || !equal(got, held) {
				t.Errorf("%s, %v: %v %+v, want what is held", name, state, changed, got)
			}
			if _, changed := token.End(nil, ended, token.Result{State: state}, epoch); changed {
				t.Errorf("%s, %v: no record is held, and it changes", name, state)
			}
		}
	}
}

func TestStateString(t *testing.T) {
	for s, want := range map[token.State]string{token.Open: "Open", token.NotDone: "NotDone", token.Done: "Done", 3: "State(3)", 255: "State(255)"} {
		if got := s.String(); got != want {
			t.Errorf("State %d is %q, want %q", uint8(s), got, want)
		}
	}
	if (token.Record{}).State != token.Open {
		t.Error("a record that says nothing is not Open")
	}
}
