package retry

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// ErrBudget tells that the call was not repeated because the Transport's [Budget] was spent:
// too many of this program's own calls had failed lately. It is no answer of the server's.
// An [Error] wraps it beside the last cause; where an answer of the API was the last, a plain
// call of an SDK gives its own error, and Info.Reason tells.
var ErrBudget = errors.New("this program's own retry budget is spent")

// Budget bounds the retries of all calls that share it, so that a program does not add to
// the load of a service that is down. First attempts are never held up by it, and it is asked
// for nothing as long as they succeed. A Transport without one has one of its own; several
// Transports that call one service may share one. The zero value is a Budget of the default
// size. It is safe for concurrent use; Size must not change after first use.
//
// It is counted in tokens. A retry after NoResponse, ServerError or Unavailable costs 70; after
// InProgress, Busy and Throttled, which longer waits take the edge off, one; after any other
// class nothing. A retry that the API answers, if only by a refusal that is not about load, gets
// its tokens back. Every Success adds ten. A Budget in which nothing happens comes back to Size
// by itself: what is missing at one token in 4 s, so that it never stays empty, and what
// successes have added within minutes, so that a program's retries keep a proportion to what it
// does, not to how long it has run.
//
// A call that finds it spent ends with its last answer, and [Info].Reason says so. It holds
// that answer back for half a second to one, unless that would be half of the time left, or a
// loop around it would go round without a pause for as long as the outage lasts.
type Budget struct {
	// Size is how many tokens the Budget has at first and after a rest. 0 means 500, enough
	// for 7 retries at the full price, which is all that one call makes; below 70 there is none
	// at that price but after successes. It never holds more than a hundred times its Size. A
	// negative one ends every call with [ErrPolicy].
	Size int

	rules *budgetRules // nil means the default ones
	mu    sync.Mutex
	held  float64
	at    time.Time // when it held that; zero: never used
}

// Unlimited returns a Budget that allows every retry.
func Unlimited() *Budget { return &Budget{rules: &unlimited} }

// budgetRules are the numbers of a budget, in tokens.
type budgetRules struct {
	costs  [prices]float64
	earn   float64       // for a success
	refill float64       // a second, below its size
	forget time.Duration // in which all but 1/e of what is above its size goes
	most   float64       // in sizes
}

const defaultBudgetSize = 500

var (
	defaultBudget = budgetRules{
		costs: [prices]float64{lowPrice: 1, fullPrice: 70}, earn: 10, refill: 0.25, forget: 2 * time.Minute, most: 100,
	}
	unlimited budgetRules
)

func (b *Budget) validate() error {
	if b.Size < 0 {
		return fmt.Errorf("%w: Budget.Size is negative", ErrPolicy)
	}
	return nil
}

func (b *Budget) size() float64 {
	if b.Size == 0 {
		return defaultBudgetSize
	}
	return float64(b.Size)
}

// use brings the budget up to a moment, under its rules, and changes what it holds then.
func (b *Budget) use(now time.Time, change func(r *budgetRules, held float64) float64) {
	r := b.rules
	if r == nil {
		r = &defaultBudget
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	size := b.size()
	switch passed := now.Sub(b.at); {
	case b.at.IsZero():
		b.held, b.at = size, now
	case passed > 0: // calls that run side by side do not come in order
		b.held, b.at = r.drift(b.held, size, passed), now
	}
	b.held = min(change(r, b.held), size*r.most)
}

// drift is what becomes of tokens that nobody touches.
func (r *budgetRules) drift(held, size float64, passed time.Duration) float64 {
	if held <= size {
		return min(size, held+r.refill*passed.Seconds())
	}
	return size + (held-size)*math.Exp(-passed.Seconds()/r.forget.Seconds())
}

// purse is what one call has to do with its budget.
type purse struct {
	budget *Budget
	paid   float64 // for the attempt that is under way
}

// afford pays for a retry, and reports whether there was enough.
func (p *purse) afford(now time.Time, of price) (ok bool) {
	p.paid, ok = p.budget.spend(now, of)
	return ok
}

// answered takes notice of what the attempt came to.
func (p *purse) answered(now time.Time, class Class) { p.budget.answered(now, class, p.paid) }

// unsent takes back what was paid for an attempt that was not made.
func (p *purse) unsent(now time.Time) { p.budget.unspend(now, p.paid) }

// spend pays for a retry, and returns what it cost and whether it was there.
func (b *Budget) spend(now time.Time, p price) (cost float64, ok bool) {
	if b.rules == &unlimited || p == free {
		return 0, true
	}
	b.use(now, func(r *budgetRules, held float64) float64 {
		if held < r.costs[p] {
			return held
		}
		cost, ok = r.costs[p], true
		return held - cost
	})
	return cost, ok
}

// answered takes notice of what an attempt came to that had cost so much.
func (b *Budget) answered(now time.Time, class Class, cost float64) {
	t := classTable[class]
	if b.rules == &unlimited || !t.healthy || cost == 0 && class != Success {
		return
	}
	b.use(now, func(r *budgetRules, held float64) float64 {
		if class == Success {
			held += r.earn
		}
		return held + cost
	})
}

// unspend takes back what was paid for a retry that was never sent.
func (b *Budget) unspend(now time.Time, cost float64) {
	if cost > 0 {
		b.use(now, func(_ *budgetRules, held float64) float64 { return held + cost })
	}
}
