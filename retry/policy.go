package retry

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aliretry/aliretry/internal/openapi/catalogue"
)

// Policy says how long a call may last and how it is retried. Every zero field means
// its default; set fields before the Transport's first use. A negative field, or a Delay
// whose Base is over its Max, ends every call with [ErrPolicy].
type Policy struct {
	// MaxAttempts bounds the attempts of a call, the first included, and so does the
	// Transport's [Budget], which has to grow with it. 0 means 8, 1 turns retries off, and 600 is the most: each attempt is signed for a second later than
	// the one before, and servers refuse what is signed 15 minutes ahead.
	MaxAttempts int
	// CallTimeout bounds a call, all attempts and waits together. 0 means the deadline
	// of the caller's context or, where it has none, the longer of 2 minutes and twice
	// the attempt timeout plus 20 s. Where both are set, the earlier one counts.
	CallTimeout time.Duration
	// AttemptTimeout bounds one attempt, from dialling to the last byte of the reply.
	// 0 means the client's read timeout under Wrap, else what the SDK gives the operation
	// in its table of slow ones, else 10 s. It shrinks to what is left of the call.
	AttemptTimeout time.Duration
	// Transient is the backoff after NoResponse and ServerError: a random delay in
	// [0, ceiling). Its default ceiling grows from 100 ms to 30 s, fourfold each time.
	Transient Delay
	// Busy is the backoff after Unavailable, InProgress, Busy and Throttled: a random
	// delay in [ceiling/2, ceiling). Its default ceiling grows from 1 s to 30 s, threefold.
	Busy Delay
	// MaxReply bounds how much of a reply is held in memory, in bytes. A longer reply is
	// passed on as it arrives and not looked at. 0 means 4 MiB.
	MaxReply int64
	// MaxBody bounds the body of a request, in bytes: it is kept for the retries. A call
	// with a longer one fails before anything is sent. 0 means 32 MiB.
	MaxBody int64
	// TokenLifetime is how long after its first attempt a call may still send its client
	// token, by the wall clock. How long servers remember a token is not documented;
	// 0 means 8 hours.
	TokenLifetime time.Duration
	// Operations are what you know better than the catalogue: new operations, and codes
	// that are worth another attempt. Each goes for the calls that have its Version and
	// Action; with a Product, only for those of it, by the catalogue or by the host. Its
	// zero fields mean what the catalogue says, and so do those that [Lookup] gives of an
	// operation that it knows. The first that fits counts. A ROA request of a new operation names it in the header
	// x-acs-action; where that belongs to another path, Token and Safety are not heard.
	Operations []Operation
}

// Delay is the growth of a backoff: the ceiling of the first delay, and the largest.
// The ceiling grows from Base to Max by a factor of its own; jitter is taken below it, so
// that clients do not march in step at the maximum either. Where one of the two is zero it has its
// default, moved to the other's where it would lie on the wrong side.
type Delay struct{ Base, Max time.Duration }

// ErrPolicy is wrapped by the error of a call under a Policy that makes no sense, such
// as a negative timeout. Nothing is sent.
var ErrPolicy = errors.New("invalid policy")

// Defaults of Policy.
const (
	defaultMaxAttempts    = 8
	defaultCallTimeout    = 2 * time.Minute
	defaultAttemptTimeout = 10 * time.Second
	defaultMaxReply       = 4 << 20
	defaultMaxBody        = 32 << 20
	defaultTokenLifetime  = 8 * time.Hour

	maxMaxAttempts = 600

	maxBytes = math.MaxInt64 - 1 // one byte more is read to see whether a bound was met
)

var (
	defaultTransient = Delay{100 * time.Millisecond, 30 * time.Second}
	defaultBusy      = Delay{time.Second, 30 * time.Second}
)

// withDefaults fills in the zero fields and refuses what cannot be meant.
func (p Policy) withDefaults() (Policy, error) {
	p.MaxAttempts = cmp.Or(p.MaxAttempts, defaultMaxAttempts)
	p.Transient = p.Transient.withDefaults(defaultTransient)
	p.Busy = p.Busy.withDefaults(defaultBusy)
	p.MaxReply = min(cmp.Or(p.MaxReply, defaultMaxReply), maxBytes)
	p.MaxBody = min(cmp.Or(p.MaxBody, defaultMaxBody), maxBytes)
	p.TokenLifetime = cmp.Or(p.TokenLifetime, defaultTokenLifetime)
	switch {
	case p.MaxAttempts < 0, p.CallTimeout < 0, p.AttemptTimeout < 0, p.MaxReply < 0, p.MaxBody < 0, p.TokenLifetime < 0,
		p.Transient.Base < 0, p.Transient.Max < 0, p.Busy.Base < 0, p.Busy.Max < 0:
		return p, fmt.Errorf("%w: a field is negative", ErrPolicy)
	case p.MaxAttempts > maxMaxAttempts:
		return p, fmt.Errorf("%w: MaxAttempts is over %d", ErrPolicy, maxMaxAttempts)
	case p.Transient.Base > p.Transient.Max, p.Busy.Base > p.Busy.Max:
		return p, fmt.Errorf("%w: a delay's Base is over its Max", ErrPolicy)
	}
	for i := range p.Operations {
		if err := p.Operations[i].validate(); err != nil {
			return p, fmt.Errorf("%w: Operations[%d]: %w", ErrPolicy, i, err)
		}
	}
	return p, nil
}

// validate refuses what no call could mean.
func (o *Operation) validate() error {
	switch {
	case o.Version == "" || o.Action == "":
		return errors.New("it has no Version or no Action")
	case o.Token >= tokens || o.Safety >= safeties:
		return errors.New("its Token or Safety is none")
	case o.AttemptTimeout < 0:
		return errors.New("its AttemptTimeout is negative")
	}
	for _, code := range o.RetryableCodes {
		if i := strings.IndexByte(code, '*'); code == "" || i == 0 || i > 0 && i < len(code)-1 {
			return fmt.Errorf("retryable code %q: an asterisk stands at its end, behind some text, or not at all", code)
		}
	}
	return nil
}

// operation returns what the policy says of an operation that is called at a host, nil if
// nothing.
func (p *Policy) operation(o *Operation, host string) *Operation {
	for i := range p.Operations {
		u := &p.Operations[i]
		if u.Action == o.Action && u.Version == o.Version &&
			(u.Product == "" || strings.EqualFold(u.Product, o.Product) || catalogue.Serves(host, u.Product)) {
			return u
		}
	}
	return nil
}

// A Delay of which one field is given keeps its order: the other follows it where the
// default would lie on the wrong side.
func (d Delay) withDefaults(def Delay) Delay {
	switch {
	case d.Base == 0 && d.Max == 0:
		return def
	case d.Base == 0:
		d.Base = min(def.Base, d.Max)
	case d.Max == 0:
		d.Max = max(def.Max, d.Base)
	}
	return d
}

// end returns when a call that starts now must end: a little before the deadline of
// the caller's context, because http.Client and the V2 SDK replace our error by their
// own once it has passed.
func (p Policy) end(start, deadline time.Time) time.Time {
	timeout := p.CallTimeout
	if timeout == 0 {
		timeout = max(defaultCallTimeout, 2*p.AttemptTimeout+20*time.Second)
	}
	end := start.Add(timeout)
	if deadline.IsZero() {
		return end
	}
	margin := max(5*time.Millisecond, deadline.Sub(start)/100)
	if before := deadline.Add(-margin); p.CallTimeout == 0 || before.Before(end) {
		return before
	}
	return end
}
