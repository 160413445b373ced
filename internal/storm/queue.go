package storm

import "time"

// action is what happens at an event.
type action uint8

const (
	begin  action = iota // a loop of a client begins a call
	send                 // a call sends an attempt
	answer               // an attempt ends
	finish               // a caller learns the end of a call
	actions
)

// event is something to come. Whom is a client for begin, else a call's record.
type event struct {
	at     time.Duration
	order  uint32
	whom   int32
	action action
}

// before orders events by time, and those of the same moment as they were pushed: a run does not
// depend on how they are kept.
func (e *event) before(f *event) bool {
	return e.at < f.at || e.at == f.at && e.order < f.order
}

// queue keeps events in order. Most follow those of their own kind: replies come back as requests
// were sent, and many delays are fixed. These only stand in a row. The heaps hold the others, and
// so are small, though a million calls may be under way.
type queue struct {
	rows   [actions]row
	heaps  [actions]heap
	pushed uint32
}

func (q *queue) push(at time.Duration, a action, whom int32) {
	e := event{at, q.pushed, whom, a}
	q.pushed++
	if !q.rows[a].push(e) {
		q.heaps[a].push(e)
	}
}

// next returns the next event, which is good until the next push, nil if there is none.
func (q *queue) next() (next *event) {
	for a := range actions {
		if r := &q.rows[a]; r.first < len(r.events) && (next == nil || r.events[r.first].before(next)) {
			next = &r.events[r.first]
		}
		if h := q.heaps[a]; len(h) > 0 && (next == nil || h[0].before(next)) {
			next = &h[0]
		}
	}
	return next
}

// drop removes the event that next has returned.
func (q *queue) drop(next *event) {
	if h := q.heaps[next.action]; len(h) > 0 && next == &h[0] {
		q.heaps[next.action].drop()
	} else {
		q.rows[next.action].drop()
	}
}

// row holds events that were pushed in their order.
type row struct {
	events []event
	first  int
}

func (r *row) push(e event) bool {
	n := len(r.events)
	if r.first < n && e.at < r.events[n-1].at {
		return false
	}
	if n == cap(r.events) && r.first > n/2 {
		r.events = r.events[:copy(r.events, r.events[r.first:])]
		r.first = 0
	}
	r.events = append(r.events, e)
	return true
}

func (r *row) drop() {
	if r.first++; r.first == len(r.events) {
		r.events, r.first = r.events[:0], 0
	}
}

// heap has four branches at each node, which touches less memory than two.
type heap []event

func (h *heap) push(e event) {
	*h = append(*h, e)
	events := *h
	i := len(events) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&events[parent]) {
			break
		}
		events[i] = events[parent]
		i = parent
	}
	events[i] = e
}

func (h *heap) drop() {
	n := len(*h) - 1
	e := (*h)[n]
	events := (*h)[:n]
	*h = events
	if n == 0 {
		return
	}
	i := 0
	for {
		first := 4*i + 1
		if first >= n {
			break
		}
		least := first
		for child := first + 1; child < min(first+4, n); child++ {
			if events[child].before(&events[least]) {
				least = child
			}
		}
		if !events[least].before(&e) {
			break
		}
		events[i] = events[least]
		i = least
	}
	events[i] = e
}
