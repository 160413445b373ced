package retry

import "fmt"

// Outcome is what is known of a logical call's effect once it has ended. The zero value
// is Unknown.
type Outcome uint8

const (
	// Unknown: there may be an effect. To learn more, repeat the call with the same
	// client token and the same parameters, or look for the resource.
	Unknown Outcome = iota
	// NotDone: no attempt of this call had an effect, for certain. What was sent under the
	// same token before, by the call that a [WithToken] resumes for instance, may have had one.
	NotDone
	// Done: the API accepted the call and its effect is there, once. It does not say
	// that the resource is ready for use.
	Done
)

var outcomeNames = [...]string{"Unknown", "NotDone", "Done"}

// String returns the outcome's name.
func (o Outcome) String() string {
	if int(o) >= len(outcomeNames) {
		return fmt.Sprintf("Outcome(%d)", uint8(o))
	}
	return outcomeNames[o]
}

// MarshalText implements [encoding.TextMarshaler].
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, name := range outcomeNames {
		if name == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("no outcome is named %q", text)
}

// settle is the outcome rule over the effects of all attempts, in any order. Only a
// success settles an unclear attempt: a later refusal proves nothing, since quota, name
// and permission are checked before the token is.
func settle(readOnly bool, effects []effect) Outcome {
	outcome := NotDone
	for _, e := range effects {
		switch {
		case e == effectDone:
			return Done
		case e == effectUnknown && !readOnly:
			outcome = Unknown
		}
	}
	return outcome
}
