package token

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Journal keeps, under a key of the caller's, which token the call of that key carries and
// what became of it, so that a program which dies between sending a request and reading its
// reply can go on with the same token when it comes back. A key names one intended call
// ("asg/web-prod/run-17"), not a resource. It must be safe for concurrent use, also by several
// processes, and [Begin] and [End] say what it does; package sqljournal keeps one in a database.
type Journal interface {
	// Begin records that a call is about to be made, before its first byte is sent. When it
	// returns, the record survives a crash. It returns the record as it is then: Open, and the
	// call carries its token; or Done, and nothing may be sent. With an error nothing may be
	// sent either; the record comes with those that it is the reason of.
	Begin(ctx context.Context, intent Intent) (Record, error)
	// End records what became of a call that Begin returned the record for, and returns the
	// record as it is then. After an error that comes without one nobody knows whether it did; it
	// is not to be repeated, since a call that is counted as ended twice would hide another that
	// has not.
	End(ctx context.Context, record Record, result Result) (Record, error)
}

// Errors that Begin wraps. Nothing is sent after one of them.
var (
	// ErrExpired: the record is open, and older than the lifetime of a client token: the
	// server may have forgotten the token, and would do the work a second time.
	ErrExpired = errors.New("the key's client token is too old to be sent again")
	// ErrDoneNoReply: the key's call is done, and its reply was not kept.
	ErrDoneNoReply = errors.New("the key's call is done already, and its reply was not kept")
	// ErrOtherCall: the key's call, which is open or done, has another operation or other
	// parameters. The error names them.
	ErrOtherCall = errors.New("the key belongs to another call")
	// ErrOtherToken: the key's call, which is open or done, has another client token than the
	// caller's own.
	ErrOtherToken = errors.New("the key's call carries another client token")
	// ErrKey: the key cannot be one.
	ErrKey = errors.New("unusable key")
)

// State is what is known of a key's call. The zero value is Open.
type State uint8

const (
	// Open: it may have had its effect, or may yet have it.
	Open State = iota
	// NotDone: it had none, for certain, and the next call under the key is a new one.
	NotDone
	// Done: it had its effect, and no other call is made under the key.
	Done
	states
)

var stateNames = [states]string{"Open", "NotDone", "Done"}

// String returns the state's name.
func (s State) String() string {
	if s >= states {
		return fmt.Sprintf("State(%d)", uint8(s))
	}
	return stateNames[s]
}

// Intent is a call that is about to be made.
type Intent struct {
	Key       string
	Operation string        // such as "Ess 2014-08-28 CreateScalingGroup"; for people, and not compared
	Params    []Param       // what makes it this call and no other; never stored
	Token     string        // the caller's own client token; "" lets the journal choose
	Lifetime  time.Duration // for how long after the first Begin its token may be sent
}

// Result is what became of a call.
type Result struct {
	State State  // Open if that is not known
	Reply []byte // of one that is Done
}

// Record is what a journal holds under a key.
type Record struct {
	Key        string
	Generation int64 // counts the calls under the key, from 1; what is repeated is one call
	Token      string
	State      State
	Unsettled  int // calls begun under the token and not ended with NotDone
	Operation  string
	Print      Fingerprint
	Begun      time.Time     // by the journal's clock: the generation's first Begin; a journal keeps all of it that it returns
	Ended      time.Time     // when it became NotDone or Done
	Age        time.Duration // since Begun, when the journal returned it
	Reply      []byte        // of a Done one, if it was kept
}

// MaxKey is the longest key, in bytes.
const MaxKey = 255

// ValidateKey reports whether key can be one: 1 to [MaxKey] bytes of UTF-8 without control
// characters, which every database takes. Keys are told apart byte by byte. The error wraps
// [ErrKey].
func ValidateKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("%w: it is empty", ErrKey)
	case len(key) > MaxKey:
		return fmt.Errorf("%w: it has %d bytes, and %d is the most", ErrKey, len(key), MaxKey)
	case strings.ContainsFunc(key, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }):
		return fmt.Errorf("%w: it has a control character, or is not UTF-8", ErrKey)
	}
	return nil
}

// Begin is the rule by which a journal begins a call: from the record that it holds under
// the key, nil if there is none, and the time by its own clock, it makes the record to hold and
// to return. If there is an error, the record held stays as it is; it is returned where it is the
// reason. A journal calls it while nobody else can change the record.
//
//   - No record, or NotDone: a new generation with a new token.
//   - Open, and the same call: the same token, and one more unsettled.
//   - Done, and the same call: as it is, with its reply, or [ErrDoneNoReply].
//   - Open or Done, and another call: [ErrOtherCall]; or another token of the caller's own:
//     [ErrOtherToken].
//   - Open, and older than the token's lifetime: [ErrExpired].
func Begin(held *Record, i Intent, now time.Time) (Record, error) {
	if err := ValidateKey(i.Key); err != nil {
		return Record{}, err
	}
	if i.Token != "" {
		if err := Validate(i.Token); err != nil {
			return Record{}, err
		}
	}
	if held == nil || held.State == NotDone {
		r := Record{Key: i.Key, Generation: 1, Token: i.Token, Unsettled: 1, Operation: i.Operation, Print: newFingerprint(i.Params), Begun: now}
		if held != nil {
			r.Generation = held.Generation + 1
		}
		if r.Token == "" {
			r.Token = New()
		}
		return r, nil
	}
	r := *held
	r.Age = max(0, now.Sub(r.Begun))
	if others := r.Print.differ(i.Params); len(others) > 0 {
		return r, fmt.Errorf("%w: they differ in %s", ErrOtherCall, listed(others))
	}
	switch {
	case i.Token != "" && i.Token != r.Token:
		return r, ErrOtherToken
	case r.State == Done && r.Reply == nil:
		return r, ErrDoneNoReply
	case r.State == Done:
		return r, nil
	case r.Age > i.Lifetime:
		return r, fmt.Errorf("%w: it was first sent %v ago", ErrExpired, r.Age.Round(time.Second))
	}
	r.Unsettled++
	return r, nil
}

func listed(names []string) string {
	const most = 10
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// End is the rule by which a journal ends a call that was begun as ended: from the record that it
// holds under the key, nil if there is none, it makes the record to hold. It returns false if
// nothing changes, also because the key has gone over to another generation since.
//
//   - Done: the record is Done, for good.
//   - NotDone: one less is unsettled, and with none left the record is NotDone.
//   - Open, that is, not known: as it is.
func End(held *Record, ended Record, result Result, now time.Time) (Record, bool) {
	if held == nil {
		return ended, false
	}
	r := *held
	r.Age = max(0, now.Sub(r.Begun))
	// A forgotten key begins with the first generation again, under the same token if that is the
	// caller's own.
	if r.Generation != ended.Generation || r.Token != ended.Token || !r.Begun.Equal(ended.Begun) || r.State == Done {
		return r, false
	}
	switch {
	case result.State == Done:
		r.State, r.Reply, r.Ended = Done, result.Reply, now
	case result.State == NotDone && r.State == Open && r.Unsettled > 0:
		if r.Unsettled--; r.Unsettled == 0 {
			r.State, r.Ended = NotDone, now
		}
	default:
		return r, false
	}
	return r, true
}
