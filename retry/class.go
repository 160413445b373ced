package retry

import "fmt"

// Class is what one attempt came to. The class table in the README says what follows
// from each. The zero Class is no class.
type Class uint8

const (
	_                  Class = iota
	Success                  // an answer of the API, which tells of no error
	NoResponse               // nothing that is an answer: refused, reset, timeout, cut off, a login page
	ServerError              // 500 and kin: it may have happened
	Unavailable              // 503: it may have happened
	InProgress               // the first request under this token is still running
	Busy                     // a 4xx that says "try it later"
	Throttled                // refused for load
	ClockSkew                // the timestamp was refused, and the clocks disagree
	NonceUsed                // the nonce was seen before: an earlier copy of the attempt may have run
	CredentialsExpired       // the security token has expired
	Mismatch                 // the token was used for a call with other parameters
	Rejected                 // the request is at fault, or something that waiting does not mend
	Canceled                 // the caller's context ended
	Broken                   // not worth repeating: a bad certificate, an unknown host, a redirect
	classes
)

var classNames = [classes]string{"Unclassified", "Success", "NoResponse", "ServerError", "Unavailable", "InProgress", "Busy",
	"Throttled", "ClockSkew", "NonceUsed", "CredentialsExpired", "Mismatch", "Rejected", "Canceled", "Broken"}

// String returns the class's name.
func (c Class) String() string {
	if c >= classes {
		return fmt.Sprintf("Class(%d)", uint8(c))
	}
	return classNames[c]
}

// MarshalText implements [encoding.TextMarshaler].
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *Class) UnmarshalText(text []byte) error {
	for i, name := range classNames {
		if name == string(text) {
			*c = Class(i)
			return nil
		}
	}
	return fmt.Errorf("no class is named %q", text)
}

// effect is what an attempt did on the server, as far as its class tells.
type effect uint8

const (
	effectUnknown effect = iota
	effectNone
	effectDone
)

// when tells on what condition a class is retried.
type when uint8

const (
	never when = iota
	ifReplaySafe
	ifReplaySafeOrUnwritten
	ifRenewed // fetching the credentials anew gave others
	always
)

// delayKind picks the backoff that a class waits by.
type delayKind uint8

const (
	noDelay delayKind = iota
	transientDelay
	busyDelay
	delayKinds
)

// price is how much a retry costs the budget.
type price uint8

const (
	free price = iota
	lowPrice
	fullPrice
	prices
)

// traits are what follows from a class.
type traits struct {
	effect  effect // where nothing proves that the attempt was never written
	retry   when
	delay   delayKind
	hint    bool // the server's hint is heard
	price   price
	healthy bool // an answer that shows no sign of overload
}

// classTable is the whole policy by class.
var classTable = [classes]traits{
	Success:            {effectDone, never, noDelay, false, free, true},
	NoResponse:         {effectUnknown, ifReplaySafeOrUnwritten, transientDelay, false, fullPrice, false},
	ServerError:        {effectUnknown, ifReplaySafe, transientDelay, false, fullPrice, false},
	Unavailable:        {effectUnknown, ifReplaySafe, busyDelay, true, fullPrice, false},
	InProgress:         {effectUnknown, always, busyDelay, false, lowPrice, false},
	Busy:               {effectNone, always, busyDelay, true, lowPrice, false},
	Throttled:          {effectNone, always, busyDelay, true, lowPrice, false},
	ClockSkew:          {effectNone, always, noDelay, false, free, true}, // the clock is set by the reply
	NonceUsed:          {effectUnknown, ifReplaySafe, noDelay, false, free, true},
	CredentialsExpired: {effectNone, ifRenewed, noDelay, false, free, true},
	Mismatch:           {effectUnknown, never, noDelay, false, free, true},
	Rejected:           {effectNone, never, noDelay, false, free, true},
	Canceled:           {effectUnknown, never, noDelay, false, free, false},
	Broken:             {effectUnknown, never, noDelay, false, free, false},
}
