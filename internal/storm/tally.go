package storm

import "time"

// tally counts what happens into a result.
type tally struct{ *Result }

// at returns the second to which a moment belongs. It is good until the next call of at.
func (t *tally) at(now time.Duration) *Second {
	i := int(now / time.Second)
	if missing := i + 1 - len(t.Seconds); missing > 0 {
		t.Seconds = append(t.Seconds, make([]Second, missing)...)
	}
	return &t.Seconds[i]
}

// effect counts work that is done at a moment, which may be after the call has ended.
func (t *tally) effect(c *record, done time.Duration) {
	s := t.at(done)
	s.Effects++
	if c.effects++; c.effects > 1 {
		s.Duplicate++
	}
}

func (t *tally) end(c *record, now, deadline time.Duration) {
	s, lasted := t.at(now), now-c.begun
	if c.refused {
		s.Refused++
	}
	if !c.success {
		s.Failed++
		if c.effects > 0 {
			s.Orphaned++
		}
		t.FailedAfter.add(lasted)
		return
	}
	s.Succeeded++
	t.Latencies.add(lasted)
	if lasted <= deadline {
		t.at(c.begun).InTime++
	}
}
