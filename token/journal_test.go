package token_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aliretry/aliretry/token"
)

func equal(a, b token.Record) bool { return reflect.DeepEqual(a, b) }

var someCall = token.Intent{Key: "key", Operation: "Ess 2014-08-28 CreateScalingGroup", Lifetime: 8 * time.Hour,
	Params: []token.Param{{Name: "MinSize", Value: "2"}, {Name: "Name", Value: "web-prod"}}}

func mustBegin(t *testing.T, held *token.Record, i token.Intent, now time.Time) token.Record {
	t.Helper()
	r, err := token.Begin(held, i, now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// heldAs returns someCall's record in a state.
func heldAs(t *testing.T, state token.State, reply string) *token.Record {
	r := mustBegin(t, nil, someCall, epoch)
	r.State = state
	if state == token.NotDone {
		r.Unsettled = 0
	}
	if reply != "" {
		r.Reply = []byte(reply)
	}
	return &r
}

func TestBeginNewGeneration(t *testing.T) {
	own, other := someCall, someCall
	own.Token = "own"
	other.Params, other.Operation = nil, "other"
	notDone := heldAs(t, token.NotDone, "")
	ownNotDone := mustBegin(t, nil, own, epoch)
	ownNotDone.State, ownNotDone.Unsettled = token.NotDone, 0

	now := epoch.Add(1000 * time.Hour) // no lifetime counts from one generation to the next
	tests := []struct {
		name       string
		held       *token.Record
		intent     token.Intent
		generation int64
	}{
		{"no record", nil, someCall, 1},
		{"no record, own token", nil, own, 1},
		{"NotDone", notDone, someCall, 2},
		{"NotDone, own token", notDone, own, 2},
		{"NotDone under an own token, the same again", &ownNotDone, own, 2},
		{"NotDone under an own token, none", &ownNotDone, someCall, 2},
		{"NotDone, another call", notDone, other, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mustBegin(t, tt.held, tt.intent, now)
			want := token.Record{Key: "key", Generation: tt.generation, Token: r.Token, Unsettled: 1,
				Operation: tt.intent.Operation, Print: r.Print, Begun: now}
			if !equal(r, want) {
				t.Errorf("got  %+v\nwant %+v", r, want)
			}
			switch err := token.Validate(r.Token); {
			case tt.intent.Token != "" && r.Token != tt.intent.Token:
				t.Errorf("token %q, want %q", r.Token, tt.intent.Token)
			case err != nil:
				t.Error(err)
			case tt.intent.Token == "" && tt.held != nil && r.Token == tt.held.Token:
				t.Error("the token is that of the generation before")
			}
			if again := mustBegin(t, &r, tt.intent, now); again.Token != r.Token {
				t.Error("the print is not that of the call")
			}
		})
	}
}

func TestBeginOnRecord(t *testing.T) {
	open, kept, lost := heldAs(t, token.Open, ""), heldAs(t, token.Done, "reply"), heldAs(t, token.Done, "")
	empty := heldAs(t, token.Done, "")
	empty.Reply = []byte{}
	same, other, another := someCall, someCall, someCall
	same.Token, other.Token = open.Token, "other"
	another.Params = []token.Param{{Name: "MinSize", Value: "3"}}
	renamed := someCall
	renamed.Operation = "other" // for people, and not compared
	both := another
	both.Token = "other"

	tests := []struct {
		name   string
		held   *token.Record
		intent token.Intent
		age    time.Duration
		want   error
	}{
		{"open", open, someCall, time.Minute, nil},
		{"open, its token", open, same, time.Minute, nil},
		{"open, another name of the operation", open, renamed, time.Minute, nil},
		{"open, just begun", open, someCall, 0, nil},
		{"open, exactly as old as it may be", open, someCall, 8 * time.Hour, nil},
		{"open, too old", open, someCall, 8*time.Hour + 1, token.ErrExpired},
		{"open, another token", open, other, time.Minute, token.ErrOtherToken},
		{"open, another token, too old", open, other, 9 * time.Hour, token.ErrOtherToken},
		{"open, another call", open, another, time.Minute, token.ErrOtherCall},
		{"open, another call, another token, too old", open, both, 9 * time.Hour, token.ErrOtherCall},
		{"done", kept, someCall, time.Minute, nil},
		{"done long ago", kept, someCall, 1000 * time.Hour, nil},
		{"done, with an empty reply", empty, someCall, time.Minute, nil},
		{"done, no reply", lost, someCall, time.Minute, token.ErrDoneNoReply},
		{"done, no reply, long ago", lost, someCall, 1000 * time.Hour, token.ErrDoneNoReply},
		{"done, another call", kept, another, time.Minute, token.ErrOtherCall},
		{"done, no reply, another call", lost, another, time.Minute, token.ErrOtherCall},
		{"done, another token", kept, other, time.Minute, token.ErrOtherToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := *tt.held
			before.Print.MACs = maps.Clone(before.Print.MACs)
			r, err := token.Begin(tt.held, tt.intent, epoch.Add(tt.age))
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			want := before
			want.Age = tt.age
			if tt.want == nil && tt.held.State == token.Open {
				want.Unsettled++
			}
			if !equal(r, want) {
				t.Errorf("got  %+v\nwant %+v", r, want)
			}
			if !equal(*tt.held, before) {
				t.Error("the record held has changed under its holder")
			}
		})
	}
}

// A clock that was set back makes no token older, and none younger than it was first.
func TestBeginClockSetBack(t *testing.T) {
	r := mustBegin(t, heldAs(t, token.Open, ""), someCall, epoch.Add(-time.Hour))
	if r.Age != 0 || !r.Begun.Equal(epoch) {
		t.Errorf("age %v, begun %v; want 0 and %v", r.Age, r.Begun, epoch)
	}
}

func TestBeginRefusesIntent(t *testing.T) {
	for name, want := range map[string]error{"key": token.ErrKey, "token": token.ErrNotASCII} {
		i := someCall
		if name == "key" {
			i.Key = ""
		} else {
			i.Token = "tökn"
		}
		for _, held := range []*token.Record{nil, heldAs(t, token.Open, ""), heldAs(t, token.NotDone, ""), heldAs(t, token.Done, "reply")} {
			if r, err := token.Begin(held, i, epoch); !errors.Is(err, want) || r.State == token.Done {
				t.Errorf("bad %s: record %+v, error %v, want %v", name, r, err, want)
			}
		}
	}
}

func TestOtherCallIsNamed(t *testing.T) {
	many := func(n int, value string) (params []token.Param) {
		for i := range n {
			params = append(params, token.Param{Name: fmt.Sprintf("Param%02d", n-i), Value: value})
		}
		return params
	}
	tests := []struct {
		name         string
		first, later []token.Param
		want         string
	}{
		{"changed", []token.Param{{Name: "A", Value: "secret1"}, {Name: "B", Value: "secret2"}}, []token.Param{{Name: "A", Value: "secret1"}, {Name: "B", Value: "secret3"}}, "differ in B"},
		{"missing", []token.Param{{Name: "A", Value: "secret1"}, {Name: "B", Value: "secret2"}}, []token.Param{{Name: "A", Value: "secret1"}}, "differ in B"},
		{"more", []token.Param{{Name: "A", Value: "secret1"}}, []token.Param{{Name: "A", Value: "secret1"}, {Name: "B", Value: "secret2"}}, "differ in B"},
		{"all, in order", []token.Param{{Name: "C", Value: "secret1"}, {Name: "A", Value: "secret1"}}, []token.Param{{Name: "B", Value: "secret2"}, {Name: "A", Value: "secret2"}}, "differ in A, B, C"},
		{"ten", many(10, "secret1"), many(10, "secret2"), "differ in Param01, Param02, Param03, Param04, Param05, Param06, Param07, Param08, Param09, Param10"},
		{"eleven", many(11, "secret1"), many(11, "secret2"), "Param09, Param10 and 1 more"},
		{"a hundred", many(100, "secret1"), nil, "Param09, Param10 and 90 more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			held := mustBegin(t, nil, token.Intent{Key: "key", Params: tt.first}, epoch)
			_, err := token.Begin(&held, token.Intent{Key: "key", Params: tt.later}, epoch)
			if !errors.Is(err, token.ErrOtherCall) || !strings.HasSuffix(err.Error(), tt.want) {
				t.Errorf("error %v, want one that ends with %q", err, tt.want)
			}
			if text := fmt.Sprintf("%v %+v", err, held); strings.Contains(text, "secret") {
				t.Errorf("a value is shown: %s", text)
			}
		})
	}
}
