package retry

import (
	"fmt"
	"testing"
)

// The classes' effects, spelt out by hand from the class table: the oracle for the
// generated cases below.
var effectByClass = map[Class]string{
	Success: "done", NoResponse: "unknown", ServerError: "unknown", Unavailable: "unknown", InProgress: "unknown",
	Busy: "none", Throttled: "none", ClockSkew: "none", NonceUsed: "unknown", CredentialsExpired: "none",
	Mismatch: "unknown", Rejected: "none", Canceled: "unknown", Broken: "unknown",
}

// Every pair and triple of classes, in every order, with and without proof that the
// attempt was never written.
func TestOutcomeOfEverySequence(t *testing.T) {
	type step struct {
		class     Class
		unwritten bool
	}
	var steps []step
	for c := Success; c < classes; c++ {
		steps = append(steps, step{c, false})
		if c == NoResponse || c == Canceled || c == Broken {
			steps = append(steps, step{c, true})
		}
	}
	want := func(readOnly bool, seq []step) Outcome {
		done, unknown := false, false
		for _, s := range seq {
			switch effectByClass[s.class] {
			case "done":
				done = true
			case "unknown":
				unknown = unknown || !s.unwritten
			}
		}
		switch {
		case done:
			return Done
		case unknown && !readOnly:
			return Unknown
		}
		return NotDone
	}
	check := func(seq ...step) {
		for _, readOnly := range []bool{false, true} {
			effects := make([]effect, len(seq))
			for i, s := range seq {
				effects[i] = effectOf(s.class, s.unwritten)
			}
			if got, want := settle(readOnly, effects), want(readOnly, seq); got != want {
				t.Errorf("%v, read-only %v: %v, want %v", seq, readOnly, got, want)
			}
		}
	}
	check()
	for _, a := range steps {
		check(a)
		for _, b := range steps {
			check(a, b)
			for _, c := range steps {
				check(a, b, c)
			}
		}
	}
}

func TestNamesRoundTrip(t *testing.T) {
	for c := Success; c < classes; c++ {
		var back Class
		if err := back.UnmarshalText([]byte(c.String())); err != nil || back != c {
			t.Errorf("%v came back as %v, %v", c, back, err)
		}
	}
	for _, o := range []Outcome{Unknown, NotDone, Done} {
		var back Outcome
		if err := back.UnmarshalText([]byte(o.String())); err != nil || back != o {
			t.Errorf("%v came back as %v, %v", o, back, err)
		}
	}
	if new(Class).UnmarshalText([]byte("x")) == nil || new(Outcome).UnmarshalText([]byte("x")) == nil {
		t.Error("an unknown name is accepted")
	}
	if got := fmt.Sprint(Class(99), Outcome(99)); got != "Class(99) Outcome(99)" {
		t.Error(got)
	}
}
