package retry

import (
	"fmt"
	"time"

	"github.com/aliretry/aliretry/internal/openapi/catalogue"
)

// CatalogueDate is the day to which the catalogue of operations goes: that on which the
// version of alibaba-cloud-sdk-go was released that it was compiled from.
const CatalogueDate = catalogue.Date

// Operation names an operation of an API and tells what is known of it: from the
// catalogue, see [Lookup], and from Policy.Operations. In the JSON form of an [Info] only
// the name remains.
type Operation struct {
	Product string `json:"product,omitempty"` // such as "Ess"; "" where it is not known
	Version string `json:"version"`           // such as "2014-08-28"
	// Action is such as "CreateScalingGroup". It is empty for a ROA request that does not
	// name it in the header x-acs-action and whose path is not known either.
	Action string `json:"action"`

	// Token is how the operation takes its client token.
	Token Token `json:"-"`
	// Safety is what a second run would do, its token aside.
	Safety Safety `json:"-"`
	// AttemptTimeout bounds one attempt of this operation. 0 means Policy.AttemptTimeout.
	AttemptTimeout time.Duration `json:"-"`
	// RetryableCodes are error codes on which this operation is repeated besides those
	// that every operation is: a 4xx that would be Rejected and has one of them is Busy.
	// They mean that nothing was done and that waiting may help, such as
	// "IncorrectStatus" or "OperationDenied.*", where the asterisk stands for any text and
	// can only be the last character. Under a 2xx, with a message, it is Unavailable, and
	// repeated only if that is safe. The catalogue has none.
	RetryableCodes []string `json:"-"`
}

// Token is how an operation takes its client token.
type Token uint8

const (
	// TokenUnknown: none is assigned; the caller's own is kept, and trusted. In
	// Policy.Operations it means what the catalogue says.
	TokenUnknown Token = iota
	// NoToken: the operation takes none.
	NoToken
	// TokenInQuery: parameter ClientToken of the query or, where an RPC request has its
	// Action in the form, of the form.
	TokenInQuery
	// TokenInForm: parameter ClientToken of the form, in the RPC style. A request that
	// cannot have a form, by its method or by another body, has it in the query.
	TokenInForm
	// LowerTokenInQuery: parameter clientToken of the query, as most operations of the ROA
	// style that take one spell it.
	LowerTokenInQuery
	tokens
)

var tokenNames = [tokens]string{"unknown", "none", "ClientToken", "ClientToken in the form", "clientToken"}

// String says it in words.
func (t Token) String() string {
	if t >= tokens {
		return fmt.Sprintf("Token(%d)", uint8(t))
	}
	return tokenNames[t]
}

// parameter returns the name of the token's parameter, "" if there is none.
func (t Token) parameter() string {
	switch t {
	case TokenInQuery, TokenInForm:
		return "ClientToken"
	case LowerTokenInQuery:
		return "clientToken"
	}
	return ""
}

// Safety is what a second run of an operation would do, apart from client tokens.
type Safety uint8

const (
	// SafetyUnknown counts as Unsafe. In Policy.Operations it means what the catalogue
	// says.
	SafetyUnknown Safety = iota
	// ReadOnly: it has no effect. Repeated freely, and its Outcome is never Unknown.
	ReadOnly
	// ReplaySafe: a second run adds nothing to the effect of the first, as with a PUT that
	// sets a value. Repeated freely.
	ReplaySafe
	// Unsafe: a second run may add an effect. Repeated under a client token, and else only
	// where the attempt before had none for certain.
	Unsafe
	safeties
)

var safetyNames = [safeties]string{"unknown", "read-only", "replay-safe", "unsafe"}

// String says it in words.
func (s Safety) String() string {
	if s >= safeties {
		return fmt.Sprintf("Safety(%d)", uint8(s))
	}
	return safetyNames[s]
}

// String returns the operation's name as "Ess 2014-08-28 CreateScalingGroup".
func (o Operation) String() string {
	name := o.Version
	if o.Product != "" {
		name = o.Product + " " + name
	}
	if o.Action != "" {
		name += " " + o.Action
	}
	return name
}

// Repeated reports whether calls of this operation are repeated after an attempt that may
// have had an effect, without a word from the caller: under a client token that it gets,
// or because a repetition cannot add one.
func (o Operation) Repeated() bool {
	return o.Safety == ReadOnly || o.Safety == ReplaySafe || o.Token.parameter() != ""
}

// Lookup returns what the catalogue knows of an operation, and whether it knows it. It
// has every operation of alibaba-cloud-sdk-go on [CatalogueDate]. Of one that it does not
// know, names that begin with Describe or List are ReadOnly, and all else is unknown.
//
// Some seventy pairs of version and action are shared by several products. Calls are told
// apart by their host; Lookup returns what holds for all of them, and no Product.
func Lookup(version, action string) (o Operation, known bool) {
	e, known := catalogue.Lookup(version, action, "")
	return fromEntry(version, action, e, known), known
}

func fromEntry(version, action string, e catalogue.Entry, known bool) Operation {
	o := Operation{Product: e.Product, Version: version, Action: action,
		Token: Token(e.Token), Safety: Safety(e.Safety), AttemptTimeout: e.Timeout}
	if !known && catalogue.IsRead(action) {
		o.Safety = ReadOnly
	}
	return o
}
