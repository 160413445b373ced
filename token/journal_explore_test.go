package token_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aliretry/aliretry/token"
)

// What may never be. A model that goes by right rules has no world in which one of these holds.
const (
	twoEffects     = "the key's call has two effects"
	twoOfOne       = "one generation has two effects"
	tooEarly       = "a generation begins while an earlier one has its effect, or may have it yet"
	sentWhenDone   = "a call begins whose record is Done"
	begunTooOld    = "a call begins whose token is too old"
	doneChanged    = "a Done record changes"
	miscounted     = "Unsettled is negative, or a NotDone record has some"
	falselyNotDone = "a record is NotDone, and its call has its effect, or may have it yet"
	falselyDone    = "a record is Done, and its call has no effect"
	leftOpen       = "all went well, and the record does not say what became of the call"
	noWayOn        = "a holder whom nothing disturbs does not get the call done"
)

// model is a setup that is explored from its first world: all that it can become.
type model struct {
	setup
	book   *book
	found  []node // in the order of their distance from the first
	index  map[world]int32
	broken map[string]int32 // by what is broken, the nearest world in which it is
	taken  [len(steps)]int  // how often each step was
}

type node struct {
	world
	from int32
	step uint8
}

func explore(s setup) *model {
	m := &model{setup: s, book: newBook(s.rules), index: make(map[world]int32), broken: make(map[string]int32)}
	m.reach(-1, start, s.first())
	for i := 0; i < len(m.found); i++ {
		from := m.found[i].world
		m.successors(&from, func(step uint8, next world) { m.reach(int32(i), step, next) })
	}
	return m
}

func (m *model) reach(from int32, step uint8, w world) {
	m.taken[step]++
	if _, known := m.index[w]; !known {
		at := int32(len(m.found))
		m.index[w] = at
		m.found = append(m.found, node{w, from, step})
		m.check(at, m.wrong(&w))
	}
	if from >= 0 {
		// A world that is known may be reached by a step that may not be.
		if what := m.wrongStep(&m.found[from].world, step, &w); what != "" {
			if _, told := m.broken[what]; !told {
				m.found = append(m.found, node{w, from, step}) // for its story; it leads nowhere new
				m.check(int32(len(m.found)-1), what)
			}
		}
	}
}

func (m *model) check(at int32, what string) {
	if _, told := m.broken[what]; what != "" && !told {
		m.broken[what] = at
	}
}

// wrong returns what may not be of w, or "".
func (m *model) wrong(w *world) string {
	n, state, is := w.effects(), token.State(w.held.state), w.held.is
	resting := true
	for _, h := range w.holders {
		resting = resting && h.phase == idle
	}
	for _, c := range w.calls {
		if c.effects > 1 {
			return twoOfOne
		}
	}
	switch {
	case n > 1:
		return twoEffects
	case w.held.unsettled < 0, is && state == token.NotDone && w.held.unsettled != 0:
		return miscounted
	case is && state == token.NotDone && (n > 0 || w.anyMayHappen(&m.setup)):
		return falselyNotDone
	case is && state == token.Done && n == 0:
		return falselyDone
	case resting && !w.marred && (is && state == token.Open || (is && state == token.Done) != (n > 0)):
		return leftOpen
	case !m.wayOn(*w):
		return noWayOn
	}
	return ""
}

// wayOn reports whether one more holder gets the call done, if the server answers. It need not
// once the token is too old.
func (m *model) wayOn(w world) bool {
	record, send := m.book.begin(w.held, 0)
	if send {
		w.adopt(record)
		w.arrive(&m.setup, w.under)
		w.held = m.book.end(w.held, w.calls[w.under], token.Done)
	}
	if w.held.is && w.held.state == uint8(token.Open) && w.held.age > lifetime {
		return true
	}
	return w.held.is && w.held.state == uint8(token.Done) && w.effects() == 1
}

// wrongStep returns what may not be of a step, or "".
func (m *model) wrongStep(w *world, step uint8, next *world) string {
	done, begun := w.held.is && w.held.state == uint8(token.Done), step == begins || step == beginsUnawares
	switch {
	case done && begun:
		return sentWhenDone
	case begun && next.held.age > lifetime:
		return begunTooOld
	case done && step != operatorForgets && (!next.held.is || next.held.state != w.held.state || next.under != w.under):
		return doneChanged
	case next.begun > w.begun && (w.effects() > 0 || w.anyMayHappen(&m.setup)):
		return tooEarly
	}
	return ""
}

// story tells how a world came about.
func (m *model) story(what string) string {
	var lines []string
	for at := m.broken[what]; at >= 0; at = m.found[at].from {
		lines = append(lines, fmt.Sprintf("%-50s %v", steps[m.found[at].step], m.found[at].world))
	}
	lines = append(lines, what)
	slices.Reverse(lines)
	return strings.Join(lines, "\n\t")
}
