package main

import (
	"testing"
	"time"

	"github.com/aliretry/aliretry/internal/storm"
)

func TestAdaptiveLimit(t *testing.T) {
	p := &adaptiveProgram{}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	send := func(reply storm.Reply, n int) {
		for range n {
			now = now.Add(100 * time.Millisecond)
			p.answered(reply, now)
		}
	}
	send(storm.OK, 50)
	if wait := p.hold(now); wait != 0 || p.measured < 9.9 || p.measured > 10.1 {
		t.Fatalf("before trouble: waits %v, measured %v", wait, p.measured)
	}
	send(storm.Throttled, 1)
	if p.rate < 6.9 || p.rate > 7.1 {
		t.Errorf("one Throttled reply makes the rate %v, want 0.7 of 10", p.rate)
	}
	first, second := p.hold(now), p.hold(now)
	if first != 0 || second < 140*time.Millisecond || second > 145*time.Millisecond {
		t.Errorf("places in the line are after %v and %v, want 0 and a 7th of a second", first, second)
	}
	send(storm.OK, 20)
	if p.rate < 9.5 || p.rate > 10.5 {
		t.Errorf("two seconds later the rate is %v, want about 10", p.rate)
	}
	send(storm.OK, 40)
	if p.rate < 19 || p.rate > 21 {
		t.Errorf("at last the rate is %v, want twice what is sent", p.rate)
	}
	send(storm.Throttled, 100)
	if p.rate != leastRate {
		t.Errorf("the rate goes down to %v, want %v", p.rate, leastRate)
	}
}
