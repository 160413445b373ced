package token_test

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/aliretry/aliretry/token"
)

// A world is one state of the model: a record in a journal, a server, the network, and holders
// that make the key's call, each step of which may come at any time or be the last. It holds
// what they know and, so that the promises can be checked, what only an onlooker knows. Equal
// worlds compare equal: tokens are numbers, and holders, which do not differ, are kept in order.
type world struct {
	held    held
	under   uint8 // the call that held is the record of
	begun   uint8 // calls begun
	words   uint8 // of the operator that are left
	marred  bool  // a crash, a doubt or an error: nobody owes that the record is closed
	calls   [maxCalls]call
	holders [maxHolders]holder
}

const (
	maxCalls   = 10 // one for each run of the holders, and one for the onlooker's
	maxHolders = 3
	lifetime   = 1 // of a token: it is young, then exactly as old as it may be, then too old
)

// held is a journal's record, as far as the rules look at it.
type held struct {
	is              bool
	gen, tok, state uint8
	unsettled       int8
	age             uint8 // up to lifetime+1
}

// call is a generation as the onlooker sees it. One that is begun after the operator forgot
// the record is another, whatever its number.
type call struct {
	gen, tok, age uint8
	stray         uint8 // for how long requests that nobody waits for may still arrive; 0 if there are none
	effects       uint8
	past          bool // begun before the operator forgot the record
}

const (
	idle     = iota // between two runs, or stopped for good
	ready           // has begun, and may send or end
	waiting         // has a request under way
	answered        // with success
)

type holder struct {
	phase, runs, tries uint8 // with those left
	own                uint8 // its own token; 0 if the journal is to choose
	call               uint8
	age                uint8 // of the token, by its record
	doubt              bool  // an attempt may have had an effect
}

// setup is what a model is to have.
type setup struct {
	rules                rules
	holders, runs, tries uint8
	forgets              bool  // the server forgets tokens once they are too old, and time passes
	own                  owner // of the tokens
	words                uint8 // how often the operator may resolve or forget
	keeps                bool  // the operator never forgets
	lies                 bool  // the operator says what is not so

	// What no holder does.
	endsTwice, forgivesDoubt, sendsOld, countsAnew bool
}

type owner uint8

const (
	journals owner = iota
	shared         // all holders have the same token of their own
	each           // each has another
)

func (s setup) first() world {
	w := world{words: s.words}
	for i := range s.holders {
		h := holder{runs: s.runs}
		switch s.own {
		case shared:
			h.own = 1
		case each:
			h.own = 1 + i
		}
		w.holders[i] = h
	}
	w.order()
	return w
}

func (w *world) order() {
	slices.SortFunc(w.holders[:], func(a, b holder) int {
		flag := map[bool]uint8{true: 1}
		x := [...]uint8{a.phase, a.runs, a.tries, a.own, a.call, a.age, flag[a.doubt]}
		y := [...]uint8{b.phase, b.runs, b.tries, b.own, b.call, b.age, flag[b.doubt]}
		return bytes.Compare(x[:], y[:])
	})
}

// effects are those that the key's call had, in all generations.
func (w *world) effects() (n uint8) {
	for _, c := range w.calls {
		if !c.past {
			n += c.effects
		}
	}
	return n
}

// mayHappen reports whether a call may yet have an effect: a request is under way, or can be sent.
func (w *world) mayHappen(s *setup, call uint8) bool {
	if w.calls[call].stray > 0 {
		return true
	}
	for _, h := range w.holders {
		if h.call == call && (h.phase == ready && h.canSend(s) || h.phase == waiting && h.age <= lifetime) {
			return true
		}
	}
	return false
}

func (w *world) anyMayHappen(s *setup) bool {
	for i := range w.begun {
		if w.mayHappen(s, i) {
			return true
		}
	}
	return false
}

func (h holder) canSend(s *setup) bool { return h.tries > 0 && (h.age <= lifetime || s.sendsOld) }

// arrive is the server's part: it does the work unless it remembers the call's token.
func (w *world) arrive(s *setup, call uint8) {
	for _, c := range w.calls {
		if c.tok == w.calls[call].tok && c.effects > 0 && (!s.forgets || c.age <= lifetime) {
			return
		}
	}
	w.calls[call].effects = min(2, w.calls[call].effects+1)
}

// adopt makes r the record held, and tells whether it is that of a new call.
func (w *world) adopt(r held) bool {
	fresh := !w.held.is || r.gen != w.held.gen || r.tok != w.held.tok
	if fresh {
		w.under = w.begun
		w.begun++
		if r.tok == newToken {
			r.tok = maxHolders + w.begun
		}
		w.calls[w.under] = call{gen: r.gen, tok: r.tok}
	}
	w.held = r
	return fresh
}

// stop ends a holder's run.
func (h *holder) stop() { *h = holder{phase: idle, runs: h.runs - 1, own: h.own} }

func (w world) String() string {
	var b bytes.Buffer
	b.WriteString("no record")
	if w.held.is {
		b.Reset()
		fmt.Fprintf(&b, "%v, generation %d, token %d, %d unsettled", token.State(w.held.state), w.held.gen, w.held.tok, w.held.unsettled)
	}
	for i, c := range w.calls[:w.begun] {
		fmt.Fprintf(&b, "; call %d: token %d of age %d, %d effects", i, c.tok, c.age, c.effects)
		if c.stray > 0 {
			b.WriteString(", a stray")
		}
	}
	for _, h := range w.holders {
		if h.phase != idle {
			fmt.Fprintf(&b, "; a holder of call %d %s", h.call, [...]string{"", "ready", "waiting", "answered"}[h.phase])
		}
	}
	return b.String()
}
