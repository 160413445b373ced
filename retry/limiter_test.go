package retry

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"

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
			if deadline, ok := ctx.Deadline(); !ok || deadline.Sub(start) != 2*time.Minute-50*time.Millisecond {
				t.Errorf("deadline %v, want 50 ms before the call's end", deadline)
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
		"by its context's end":                                {func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }, time.Second, context.DeadlineExceeded, 940 * ms, 0, NotDone},
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

// A turn that comes too late for an attempt is refused, as a wait of ours that would not leave
// it 50 ms is not begun.
func TestLimiterLeavesTimeForTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := loop(&scripted{}, nil)
		tr.Limiter = limiterFunc(func(ctx context.Context, _ Operation) error { // as x/time/rate does
			const turn = 9899 * time.Millisecond // the call ends after 9900
			if d, _ := ctx.Deadline(); time.Until(d) < turn {
				return errors.New("would exceed context deadline")
			}
			return sleep(ctx, turn)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := tr.RoundTrip(newRequest(ctx, createURL))
		if i, _ := InfoOf(err); i.Outcome != NotDone || !errors.Is(err, ErrLimiter) {
			t.Errorf("outcome %v: %v", i.Outcome, err)
		}
	})
}

// What a limiter met in calls of its own is not told as an answer to this one, and no secret of
// its URLs is told at all.
func TestLimiterFailsByCallsOfItsOwn(t *testing.T) {
	for _, cause := range []error{
		sdkerrors.NewServerError(429, `{"Code":"Quota.Gone","Message":"fleet"}`, ""),
		&url.Error{Op: "Get", URL: "https://quota/?AccessKeySecret=s3cret", Err: errors.New("refused")},
	} {
		for _, first := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				n, tr := 0, loop(&scripted{steps: []step{{status: 500, body: internal}}}, nil)
				tr.Limiter = limiterFunc(func(context.Context, Operation) error {
					if n++; n == 1 && !first {
						return nil
					}
					return cause
				})
				_, err := tr.RoundTrip(newRequest(t.Context(), createURL))
				i, _ := InfoOf(err)
				for _, text := range []string{err.Error(), i.Reason} {
					if !strings.Contains(text, "limiter") || strings.Contains(text, "\n") || strings.Contains(text, "s3cret") || strings.Contains(text, "InternalError: x") {
						t.Errorf("%q", text)
					}
				}
			})
		}
	}
}

// The limiter is asked before the credentials, which a long wait could outlast, and before every
// attempt.
func TestLimiterComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := step{err: syscall.ECONNRESET}
		tr := loop(&scripted{steps: []step{reset, reset, reset, {status: 200, body: okBody}}}, nil)
		var order []string
		tr.Limiter = limiterFunc(func(context.Context, Operation) error { order = append(order, "limiter"); return nil })
		tr.Credentials = &asked{&order}
		if _, err := tr.RoundTrip(newRequest(t.Context(), createURL)); err != nil {
			t.Fatal(err)
		}
		if want := "limiter keys limiter keys limiter keys limiter keys"; strings.Join(order, " ") != want {
			t.Errorf("%q, want %s", order, want)
		}
	})
}

// asked is a provider that notes when it is asked.
type asked struct{ order *[]string }

func (a *asked) Credentials(context.Context) (signer.Credentials, error) {
	*a.order = append(*a.order, "keys")
	return testKey, nil
}
