package retry

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	// A replay-safe write after its first attempt, with a minute left.
	base := situation{replaySafe: true, attempts: 1, maxAttempts: 3, now: now, end: now.Add(time.Minute), lifetime: time.Hour}
	unsafe := func(s *situation) { s.replaySafe = false }
	unwritten := func(s *situation) { s.replaySafe, s.unwritten = false, true }
	tests := []struct {
		name   string
		class  Class
		change func(*situation)
		delay  time.Duration
		retry  bool
		reason string
		err    error
	}{
		{"success ends the call", Success, nil, 0, false, "success", nil},
		{"no response, replay-safe", NoResponse, nil, 1, true, "", nil},
		{"no response, unsafe", NoResponse, unsafe, 1, false, "not safe", nil},
		{"never written, unsafe", NoResponse, unwritten, 1, true, "", nil},
		{"server error", ServerError, nil, 1, true, "", nil},
		{"server error, unsafe", ServerError, unsafe, 1, false, "not safe", nil},
		{"server error, unsafe, although unwritten is claimed", ServerError, unwritten, 1, false, "not safe", nil},
		{"unavailable", Unavailable, nil, 1, true, "", nil},
		{"unavailable, unsafe", Unavailable, unsafe, 1, false, "not safe", nil},
		{"in progress", InProgress, nil, 1, true, "", nil},
		{"in progress, unsafe", InProgress, unsafe, 1, true, "", nil},
		{"busy, unsafe", Busy, unsafe, 1, true, "", nil},
		{"throttled, unsafe", Throttled, unsafe, 1, true, "", nil},
		{"nonce used", NonceUsed, nil, 0, true, "", nil},
		{"nonce used, unsafe", NonceUsed, unsafe, 0, false, "not safe", nil},
		{"clock skew, corrected, unsafe", ClockSkew, unsafe, 0, true, "", nil},
		{"credentials expired", CredentialsExpired, nil, 0, false, "no other credentials", nil},
		{"credentials expired, and renewed", CredentialsExpired, func(s *situation) { s.renewed, s.replaySafe = true, false }, 0, true, "", nil},
		{"credentials expired at the last attempt", CredentialsExpired, func(s *situation) { s.renewed, s.attempts = true, 3 }, 0, false, "3 attempts", nil},
		{"mismatch", Mismatch, nil, 0, false, "Mismatch is not retried", nil},
		{"rejected", Rejected, nil, 0, false, "Rejected is not retried", nil},
		{"broken", Broken, nil, 0, false, "Broken is not retried", nil},
		{"canceled", Canceled, func(s *situation) { s.callerErr = context.Canceled }, 0, false, "context ended", context.Canceled},
		{"context ended comes before the class", Rejected, func(s *situation) { s.callerErr = context.Canceled }, 0, false, "context ended", context.Canceled},
		{"success comes before the context", Success, func(s *situation) { s.callerErr = context.Canceled }, 0, false, "success", nil},
		{"last attempt", Busy, func(s *situation) { s.attempts = 3 }, 1, false, "3 attempts were made", nil},
		{"the wait leaves 50 ms and no more", Busy, nil, time.Minute - 50*time.Millisecond, false, "would not leave", context.DeadlineExceeded},
		{"the wait leaves a little more", Busy, nil, time.Minute - 51*time.Millisecond, true, "", nil},
		{"attempts are counted before time", Busy, func(s *situation) { s.attempts = 3 }, time.Hour, false, "3 attempts", nil},
		{"the token grows too old in the wait", Busy, func(s *situation) { s.age = time.Hour - 5*time.Second }, 6 * time.Second, false, "client token is older", nil},
		{"without a token there is no age", Busy, func(s *situation) { s.age, s.lifetime = time.Hour, 0 }, 6 * time.Second, true, "", nil},
		{"the token is just young enough", Busy, func(s *situation) { s.age = time.Hour - 6*time.Second }, 6 * time.Second, true, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := base
			s.class = tt.class
			if tt.change != nil {
				tt.change(&s)
			}
			d := decide(&s, func(traits) time.Duration { return tt.delay }, func(price) bool { return true })
			if d.retry != tt.retry || !errors.Is(d.err, tt.err) || !strings.Contains(d.reason, tt.reason) {
				t.Errorf("decide = %+v", d)
			}
			if d.retry && d.delay != tt.delay {
				t.Errorf("delay = %v, want %v", d.delay, tt.delay)
			}
		})
	}
}

// The delay is drawn only when all before it agree: drawing it makes the backoff grow.
func TestDecideDrawsNoDelayInVain(t *testing.T) {
	for c := Success; c < classes; c++ {
		s := situation{class: c, attempts: 1, maxAttempts: 1}
		decide(&s, func(traits) time.Duration {
			t.Errorf("%v: a delay was drawn for a call that has ended", c)
			return 0
		}, func(price) bool {
			t.Errorf("%v: the budget was asked for a call that has ended", c)
			return true
		})
	}
}

// The budget is asked for nothing that time does not allow.
func TestDecideAsksTheBudgetLast(t *testing.T) {
	now := time.Now()
	for name, s := range map[string]situation{
		"the token's age": {class: Busy, attempts: 1, maxAttempts: 3, now: now, end: now.Add(time.Hour), age: time.Hour, lifetime: time.Hour},
		"the deadline":    {class: Busy, attempts: 1, maxAttempts: 3, now: now, end: now.Add(time.Second)},
	} {
		d := decide(&s, func(traits) time.Duration { return time.Second }, func(price) bool {
			t.Errorf("%s: the budget was asked", name)
			return true
		})
		if d.retry {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestPolicyEnd(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	in := func(d time.Duration) time.Time { return start.Add(d) }
	tests := []struct {
		name     string
		policy   Policy
		deadline time.Time
		want     time.Time
	}{
		{"nothing set", Policy{}, time.Time{}, in(2 * time.Minute)},
		{"a long attempt timeout", Policy{AttemptTimeout: 133 * time.Second}, time.Time{}, in(286 * time.Second)},
		{"call timeout", Policy{CallTimeout: time.Second}, time.Time{}, in(time.Second)},
		{"deadline, less 1%", Policy{}, in(time.Minute), in(time.Minute - 600*time.Millisecond)},
		{"short deadline, less 5 ms", Policy{}, in(100 * time.Millisecond), in(95 * time.Millisecond)},
		{"a deadline beyond the default counts", Policy{}, in(time.Hour), in(time.Hour - 36*time.Second)},
		{"call timeout before deadline", Policy{CallTimeout: time.Second}, in(time.Minute), in(time.Second)},
		{"deadline before call timeout", Policy{CallTimeout: time.Hour}, in(time.Minute), in(time.Minute - 600*time.Millisecond)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := tt.policy.withDefaults()
			if err != nil {
				t.Fatal(err)
			}
			if got := p.end(start, tt.deadline); !got.Equal(tt.want) {
				t.Errorf("end = start + %v, want + %v", got.Sub(start), tt.want.Sub(start))
			}
		})
	}
}

func TestPolicyRefusesNonsense(t *testing.T) {
	for _, p := range []Policy{
		{MaxAttempts: -1}, {MaxAttempts: 601}, {CallTimeout: -1}, {AttemptTimeout: -1}, {MaxReply: -1}, {MaxBody: -1}, {TokenLifetime: -1},
		{Transient: Delay{Base: -1}}, {Busy: Delay{Max: -1}}, {Busy: Delay{Base: 2, Max: 1}},
	} {
		if _, err := p.withDefaults(); !errors.Is(err, ErrPolicy) {
			t.Errorf("%+v: error %v, want ErrPolicy", p, err)
		}
	}
}
