package storm

import (
	"math"
	"math/rand/v2"
	"time"
)

// never is later than everything that happens.
const never = time.Duration(math.MaxInt64)

// epoch is when runs begin, as the models are told.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// run is one simulation under way. Times in it are counted from its beginning.
type run struct {
	*Scenario
	model    *Model
	service  service
	tally    *tally
	now      time.Duration
	events   queue
	arrival  time.Duration // when the next call of a fleet with a rate begins
	calls    []record      // under way, with gaps
	gaps     []int32
	programs []Program  // nil until their first call
	arrivals *rand.Rand // chance has one source for each purpose, so that all models meet the same calls
	jitter   *rand.Rand
}

// record is one call under way.
type record struct {
	call    Call
	client  int32
	begun   time.Duration
	reply   Reply // to the attempt under way
	success bool
	refused bool
	effects int32
	token   memory
}

// Run simulates a scenario in which all clients are of one model. After the scenario's
// Duration no call begins, and the run goes on for its Deadline so that those under way can end:
// what has not ended by then can be no success in time any more.
func Run(s *Scenario, m *Model, seed uint64) *Result {
	result := &Result{Scenario: s, Model: m.Name, Seconds: make([]Second, (s.Duration+time.Second-1)/time.Second)}
	t := &tally{result}
	r := &run{
		Scenario: s, model: m, tally: t, arrival: never, programs: make([]Program, s.Fleet.Clients),
		service:  newService(&s.Service, t, m.Token, rand.New(rand.NewPCG(seed, 1))),
		arrivals: rand.New(rand.NewPCG(seed, 2)),
		jitter:   rand.New(rand.NewPCG(seed, 3)),
	}
	r.start()
	for {
		next := r.events.next()
		if r.now = r.arrival; next != nil {
			r.now = min(r.now, next.at)
		}
		switch {
		case r.now > s.Duration+s.Deadline:
			result.Unfinished = len(r.calls) - len(r.gaps)
			return result
		case r.now == r.arrival:
			r.arrive()
		default:
			e := *next
			r.events.drop(next)
			r.handle(e)
		}
	}
}

// start begins what the fleet does at first.
func (r *run) start() {
	f := &r.Fleet
	for range f.Burst {
		for client := range f.Clients {
			r.begin(int32(client))
		}
	}
	switch {
	case f.Burst > 0:
	case f.Rate > 0:
		r.schedule()
	default:
		for range f.Loops {
			for client := range f.Clients {
				r.events.push(seconds(r.arrivals.Float64()), begin, int32(client))
			}
		}
	}
}

// schedule draws when the next call begins. Many clients with independent calls at random are one
// such stream, each call of which belongs to a random client.
func (r *run) schedule() {
	r.arrival = r.now + seconds(r.arrivals.ExpFloat64()/(r.Fleet.Rate*float64(r.Fleet.Clients)))
	if r.arrival >= r.Duration {
		r.arrival = never
	}
}

func (r *run) arrive() {
	client := r.arrivals.IntN(r.Fleet.Clients)
	r.schedule()
	r.begin(int32(client))
}

func (r *run) handle(e event) {
	switch e.action {
	case begin:
		r.begin(e.whom)
	case send:
		r.send(e.whom)
	case answer:
		r.answer(e.whom)
	case finish:
		r.finish(e.whom)
	}
}

// begin makes a client begin a call.
func (r *run) begin(client int32) {
	if r.programs[client] == nil {
		r.programs[client] = r.model.Program()
	}
	var id int32
	if n := len(r.gaps); n > 0 {
		id, r.gaps = r.gaps[n-1], r.gaps[:n-1]
	} else {
		id = int32(len(r.calls))
		r.calls = append(r.calls, record{})
	}
	r.calls[id] = record{call: r.programs[client].Call(r.clock()), client: client, begun: r.now}
	r.tally.at(r.now).Calls++
	r.send(id)
}

// send sends an attempt. The way to the service is equally long for all, so they arrive in the
// order in which they were sent, and what comes of one can be settled here.
func (r *run) send(id int32) {
	c := &r.calls[id]
	r.tally.at(r.now).Attempts++
	timeout := c.call.Timeout(r.clock())
	there := r.Service.Latency / 2
	reply, back := r.service.serve(c, r.now+there)
	if back != never {
		back += r.Service.Latency - there
	}
	if timeout > 0 && back-r.now > timeout {
		reply, back = TimedOut, r.now+timeout
	}
	if c.reply = reply; back != never {
		r.events.push(back, answer, id)
	}
}

// answer asks the model what follows an attempt.
func (r *run) answer(id int32) {
	c := &r.calls[id]
	step := c.call.Next(c.reply, r.clock(), r.jitter)
	c.success, c.refused = step.Success, step.Refused
	switch {
	case step.Delay > 0 && step.Retry:
		r.events.push(r.now+step.Delay, send, id)
	case step.Delay > 0:
		r.events.push(r.now+step.Delay, finish, id)
	case step.Retry:
		r.send(id)
	default:
		r.finish(id)
	}
}

// finish tells the caller the end of a call. A loop goes on with the next one.
func (r *run) finish(id int32) {
	c := &r.calls[id]
	r.tally.end(c, r.now, r.Deadline)
	client, rest := c.client, time.Duration(0)
	if c.success {
		rest = r.Fleet.Think
	}
	*c = record{} // lets go of the model's call
	r.gaps = append(r.gaps, id)
	if f := &r.Fleet; f.Burst == 0 && f.Rate == 0 && r.now+rest < r.Duration {
		r.events.push(r.now+rest, begin, client)
	}
}

func (r *run) clock() time.Time { return epoch.Add(r.now) }
