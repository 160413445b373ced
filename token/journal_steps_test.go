package token_test

import "github.com/aliretry/aliretry/token"

// Each step is atomic. A crash leaves whatever the holder has under way to itself; the holder
// may come back as a new run. A commit that takes effect only after its error was seen is the
// step of a holder that was slow, and one that never does is a step not taken.
const (
	start = iota
	begins
	beginsUnawares
	isTurnedAway
	sends
	succeeds
	losesReply
	isRefused
	givesUp
	crashes
	ends
	endsInVain
	strayArrives
	strayIsLost
	timePasses
	operatorResolvesDone
	operatorResolvesNotDone
	operatorForgets
)

var steps = [...]string{"", "a holder begins", "a holder begins, and sees an error", "a holder is turned away", "a holder sends",
	"the server answers with success", "the server does the work, and the reply is lost", "the server refuses", "a holder waits no longer",
	"a holder crashes", "a holder ends", "a holder ends, which is not written", "a stray request arrives", "a stray request is lost", "time passes",
	"the operator resolves Done", "the operator resolves NotDone", "the operator forgets"}

// successors calls yield with every world that w can become next.
func (m *model) successors(w *world, yield func(step uint8, next world)) {
	for i := range w.holders {
		if i > 0 && w.holders[i] == w.holders[i-1] {
			continue // what one of the two can do, the other can
		}
		m.holderSteps(w, i, yield)
	}
	for i, c := range w.calls[:w.begun] {
		if c.stray == 0 {
			continue
		}
		// The stray stays: there may be several. If the server refuses it instead, nothing changes.
		next := *w
		next.arrive(&m.setup, uint8(i))
		yield(strayArrives, next)
		next = *w
		next.calls[i].stray = 0
		yield(strayIsLost, next)
	}
	if m.forgets {
		yield(timePasses, older(*w))
	}
	if w.words > 0 && w.held.is {
		m.operatorSteps(w, yield)
	}
}

func (m *model) holderSteps(w *world, i int, yield func(uint8, world)) {
	now := w.holders[i]
	// do yields the world in which change has been made.
	do := func(step uint8, change func(next *world, h *holder)) {
		next := *w
		change(&next, &next.holders[i])
		next.order()
		yield(step, next)
	}
	doubt := func(_ *world, h *holder) { h.phase, h.doubt = ready, true }
	stray := func(next *world) { // no request is under way for longer than its token may be sent
		if now.age <= lifetime {
			next.calls[now.call].stray = max(next.calls[now.call].stray, lifetime+1-now.age)
		}
	}
	end := func(next *world, how token.State) {
		next.held = m.book.end(next.held, next.calls[now.call], how)
	}
	how := token.NotDone
	switch {
	case now.phase == answered:
		how = token.Done
	case now.doubt && !m.forgivesDoubt:
		how = token.Open
	}

	if now.phase == idle {
		if now.runs == 0 {
			return
		}
		record, send := m.book.begin(w.held, now.own)
		if !send {
			do(isTurnedAway, func(next *world, h *holder) { next.held = record; h.stop() })
			return
		}
		do(begins, func(next *world, h *holder) {
			next.adopt(record)
			*h = holder{phase: ready, runs: h.runs, tries: m.tries, own: h.own, call: next.under}
			if !m.countsAnew {
				h.age = record.age
			}
		})
		do(beginsUnawares, func(next *world, h *holder) { next.adopt(record); next.marred = true; h.stop() })
		return
	}
	do(crashes, func(next *world, h *holder) {
		if now.phase == waiting {
			stray(next)
		}
		next.marred = true
		h.stop()
	})
	if now.phase == waiting {
		if now.age <= lifetime || m.sendsOld {
			do(succeeds, func(next *world, h *holder) { next.arrive(&m.setup, now.call); h.phase = answered })
			do(losesReply, func(next *world, h *holder) { next.arrive(&m.setup, now.call); doubt(next, h) })
			// Also under a token that it knows: quotas and names are checked before it.
			do(isRefused, func(_ *world, h *holder) { h.phase = ready })
		}
		do(givesUp, func(next *world, h *holder) { stray(next); doubt(next, h) })
		return
	}
	if now.phase == ready && now.canSend(&m.setup) {
		do(sends, func(_ *world, h *holder) { h.phase = waiting; h.tries-- })
	}
	do(ends, func(next *world, h *holder) {
		end(next, how)
		if m.endsTwice {
			end(next, how)
		}
		next.marred = next.marred || now.doubt
		h.stop()
	})
	do(endsInVain, func(next *world, h *holder) { next.marred = true; h.stop() })
}

// The operator who tells the truth says NotDone only if there is no effect and can be none, and
// forgets only what is over, be it to have it done once more.
func (m *model) operatorSteps(w *world, yield func(uint8, world)) {
	over := !w.anyMayHappen(&m.setup)
	say := func(step uint8, change func(next *world)) {
		next := *w
		change(&next)
		next.words--
		yield(step, next)
	}
	if w.held.state == uint8(token.Open) {
		if m.lies || w.effects() > 0 {
			say(operatorResolvesDone, func(next *world) { next.held.state = uint8(token.Done) })
		}
		if m.lies || w.effects() == 0 && over {
			say(operatorResolvesNotDone, func(next *world) { next.held.state, next.held.unsettled = uint8(token.NotDone), 0 })
		}
	}
	if !m.keeps && (m.lies || over) {
		say(operatorForgets, func(next *world) {
			next.held = held{}
			for i := range next.calls[:next.begun] {
				next.calls[i].past = !m.lies // the liar's call is still meant to be one
			}
		})
	}
}

// older returns w a little later. All ages end at the first that is too old.
func older(w world) world {
	age := func(a *uint8) { *a = min(lifetime+1, *a+1) }
	if w.held.is {
		age(&w.held.age)
	}
	for i := range w.calls[:w.begun] {
		age(&w.calls[i].age)
		w.calls[i].stray -= min(1, w.calls[i].stray)
	}
	for i := range w.holders {
		if w.holders[i].phase != idle {
			age(&w.holders[i].age)
		}
	}
	w.order()
	return w
}
