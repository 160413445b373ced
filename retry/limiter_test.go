package retry

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliretry/aliretry/signer"
)

type limiterFunc func(context.Context, Operation) error

func (f limiterFunc) Wait(ctx context.Context, o Operation) error { return f(ctx, o) }

// The limiter is asked before every attempt, the first included; its wait is the call's, and
// neither the attempt's nor the signature's.
func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &scripted{steps: []step{{err: syscall.ECONNRESET}, {status: 200, body: okBody}}}
		var asked []time.Duration
		start := time.Now()
		tr := loop(base, nil)
		tr.Limiter = limiterFunc(func(ctx context.Context, o Operation) error {
			asked = append(asked, time.Since(start))
			if o.Action != "CreateScalingGroup" || o.Product != "Ess" {
				t.Errorf("asked for %v", o)
			}
			if deadline, ok := ctx.Deadline(); !ok || deadline.Sub(start) != 2*time.Minute {
				t.Errorf("deadline %v, want the call's", deadline)
			}
			if ctx.Value(traceKey{}) != nil {
				t.Error("the limiter's context carries the call's trace")
			}
			return sleep(ctx, 3*time.Second)
		})
		resp, err := tr.RoundTrip(newRequest(WithTrace(t.Context(), &Trace{}), createURL))
		if err != nil {
			t.Fatal(err)
		}
		i, _ := InfoOfResponse(resp)
		if want := []time.Duration{0, 3050 * time.Millisecond}; len(asked) != 2 || asked[0] != want[0] || asked[1] != want[1] {
			t.Errorf("asked at %v, want %v", asked, want)
		}
		for n, a := range i.Attempts {
			if a.Duration != 0 || a.Start.Sub(a.SignedAt) >= time.Second || a.Start.Sub(start) != asked[n]+3*time.Second {
				t.Errorf("attempt %d began %v after the call and was signed for %v", n+1, a.Start.Sub(start), a.SignedAt)
			}
		}
	})
}

func TestLimiterRefuses(t *testing.T) {
	var over = errors.New("over the quota")
	ms := time.Millisecond
	tests := map[string]struct {
		limiter  func(ctx context.Context, n int) error
		timeout  time.Duration
		err      error
		elapsed  time.Duration
		attempts int
		outcome  Outcome
	}{
		"the first attempt": {func(context.Context, int) error { return over }, time.Minute, over, 0, 0, NotDone},
		"a later one, after an unclear attempt": {func(_ context.Context, n int) error {
			if n == 1 {
				return nil
			}
			return over
		}, time.Minute, over, 50 * ms, 1, Unknown},
		"by its context's end":                                {func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }, time.Second, context.DeadlineExceeded, 990 * ms, 0, NotDone},
		"because the wait would not fit, as x/time/rate does": {func(ctx context.Context, _ int) error { return over }, time.Second, over, 0, 0, NotDone},
		"too late, without a look at its context": {func(context.Context, int) error { time.Sleep(time.Hour); return nil },
			time.Second, context.DeadlineExceeded, time.Hour, 0, NotDone},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.timeout)
				defer cancel()
				base := &scripted{steps: []step{{err: syscall.ECONNRESET}}}
				tr := &Transport{Base: base, Credentials: signer.Static(testKey), random: half}
				n, start := 0, time.Now()
				tr.Limiter = limiterFunc(func(ctx context.Context, _ Operation) error { n++; return tt.limiter(ctx, n) })
				_, err := tr.RoundTrip(newRequest(ctx, createURL))
				i, _ := InfoOf(err)
				if !errors.Is(err, tt.err) || len(base.seen) != tt.attempts || i.Outcome != tt.outcome || time.Since(start) != tt.elapsed {
					t.Errorf("after %v and %d attempts: %v", time.Since(start), len(base.seen), err)
				}
				if tt.err == over && (!errors.Is(err, ErrLimiter) || !strings.Contains(i.Reason, "over the quota")) {
					t.Errorf("error %v, reason %q", err, i.Reason)
				}
			})
		})
	}
}
