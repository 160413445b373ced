package storm

import (
	"math/rand/v2"
	"time"
)

// refusals is how many refusals cost as much as one request that is worked on. They are
// not free: a server that only refuses is busy too.
const refusals = 20

// maxRefusing bounds the time for which a server may be behind with its refusals. What comes on top
// is dropped before it has cost anything, as by a full accept queue, and is answered all the same.
const maxRefusing = time.Second

// service works on one request after the other. What becomes of a request is settled when it
// arrives: nothing that comes later overtakes it, and a client that gives up does not take it back.
type service struct {
	*Service
	tally   *tally
	random  *rand.Rand
	dedupes bool // the attempts of a call share a token
	cost    time.Duration
	idle    time.Duration // when all that was admitted is done
	quota   quota
}

func newService(s *Service, t *tally, token Token, random *rand.Rand) service {
	v := service{Service: s, tally: t, random: random, dedupes: token == TokenPerCall, cost: seconds(1 / s.Capacity)}
	if s.Quota > 0 {
		v.quota.gap = seconds(1 / s.Quota)
	}
	return v
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// memory is what the service knows of a call's token.
type memory struct {
	seen, done time.Duration // when its request arrived and was worked off
	kept       bool          // it had its effect
}

// serve returns what a request of a call that arrives now comes to, and when the reply leaves.
func (v *service) serve(c *record, now time.Duration) (Reply, time.Duration) {
	struck := v.strike(now)
	switch {
	case struck[RefuseAll]:
		return Refused, now
	case struck[BlackHole]:
		return TimedOut, never
	case !v.quota.allows(now):
		return Throttled, v.refuse(now)
	case v.idle-now > v.Queue:
		return Unavailable, v.refuse(now)
	case v.dedupes && now < c.token.done:
		return InProgress, v.refuse(now)
	}
	v.tally.at(now).Admitted++
	// Whatever comes of it, a failure or the answer to a token that is known, costs the same.
	v.idle = max(v.idle, now)
	v.idle += v.worth(v.idle)
	known := v.dedupes && c.token.kept && now < c.token.seen+v.Memory
	effect := !known && !struck[FailBefore]
	if v.dedupes && !known {
		c.token = memory{now, v.idle, effect}
	}
	if effect {
		v.tally.effect(c, v.idle)
	}
	switch {
	case struck[FailBefore], struck[FailAfter]:
		return Internal, v.idle
	case struck[LoseReply]:
		return Lost, v.idle
	}
	return OK, v.idle
}

// refuse charges for a refusal, which does not queue.
func (v *service) refuse(now time.Duration) time.Duration {
	if v.idle = max(v.idle, now); v.idle-now < v.Queue+maxRefusing {
		v.idle += v.cost / refusals
	}
	return now
}

// worth is how long a request is worked on if that begins now.
func (v *service) worth(now time.Duration) time.Duration {
	cost := v.cost
	for i := range v.Script {
		if p := &v.Script[i]; p.Trouble == SlowDown && p.strikes(now, v.random) {
			cost = time.Duration(float64(cost) * p.Factor)
		}
	}
	return cost
}

// strike tells which troubles befall a request.
func (v *service) strike(now time.Duration) (struck [troubles]bool) {
	for i := range v.Script {
		if p := &v.Script[i]; p.Trouble != SlowDown && p.strikes(now, v.random) {
			struck[p.Trouble] = true
		}
	}
	return struck
}

func (p *Phase) strikes(now time.Duration, random *rand.Rand) bool {
	if now < p.From || now >= p.To || p.Every > 0 && (now-p.From)%p.Every >= p.Every/2 {
		return false
	}
	return p.Share == 0 || random.Float64() < p.Share
}

// quota is a bucket that holds what a second allows, kept as the time at which it will be full.
type quota struct{ gap, full time.Duration }

func (q *quota) allows(now time.Duration) bool {
	if q.gap == 0 {
		return true
	}
	full := max(q.full, now) + q.gap
	if full > now+time.Second {
		return false
	}
	q.full = full
	return true
}
