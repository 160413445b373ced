package retry

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliretry/aliretry/signer"
)

// loop is a Transport over a script whose jitter is one half.
func loop(base http.RoundTripper, budget *Budget) *Transport {
	return &Transport{Base: base, Credentials: signer.Static(testKey), Budget: budget, random: half}
}

// A refusal keeps the last answer, says whose limit it was, and holds the answer back.
func TestBudgetRefusal(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	tests := map[string]struct {
		size    int
		timeout time.Duration
		steps   []step
		status  int // 0: an error
		err     error
		outcome Outcome
		elapsed time.Duration
	}{
		"an answer is kept":             {1, 0, []step{{status: 500, body: internal}}, 500, nil, Unknown, ms(550)},
		"so is a cause":                 {1, 0, []step{{err: syscall.ECONNRESET}}, 0, syscall.ECONNRESET, Unknown, ms(550)},
		"throttling tells of no effect": {1, 0, []step{{status: 400, body: throttling}, {status: 400, body: throttling}}, 400, nil, NotDone, ms(1500)},
		"a long delay is not waited out": {75, 0, []step{{status: 503, header: http.Header{"Retry-After": {"5"}}}, {status: 503, header: http.Header{"Retry-After": {"5"}}}},
			503, nil, Unknown, ms(5500)},
		"what the size allows is done first":    {100, 0, []step{{err: syscall.ECONNRESET}, {status: 500, body: internal}}, 500, nil, Unknown, ms(50 + 700)},
		"no answer is held beyond the deadline": {1, ms(500), []step{{status: 500, body: internal}}, 500, nil, Unknown, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.timeout)
					defer cancel()
				}
				var end Info
				ctx = WithTrace(ctx, &Trace{CallEnd: func(i Info) { end = i }})
				start := time.Now()
				resp, err := loop(&scripted{steps: tt.steps}, &Budget{Size: tt.size}).RoundTrip(newRequest(ctx, createURL))
				if elapsed := time.Since(start); elapsed != tt.elapsed {
					t.Errorf("the call took %v, want %v", elapsed, tt.elapsed)
				}
				if (resp == nil) == (tt.status != 0) || resp != nil && resp.StatusCode != tt.status {
					t.Fatalf("response %v, error %v, want status %d", resp, err, tt.status)
				}
				if tt.err != nil {
					var ours *Error
					if !errors.Is(err, tt.err) || !errors.Is(err, ErrBudget) || !errors.As(err, &ours) || ours.Timeout() {
						t.Errorf("error %v, want %v and ErrBudget", err, tt.err)
					}
					if !strings.Contains(err.Error(), tt.err.Error()) {
						t.Errorf("error %q hides its cause", err)
					}
				} else {
					i, _ := InfoOfResponse(resp)
					if body, _ := io.ReadAll(resp.Body); string(body) != tt.steps[len(tt.steps)-1].body || i.Reason != end.Reason {
						t.Errorf("body %q, reason %q", body, i.Reason)
					}
				}
				if end.Outcome != tt.outcome || !strings.Contains(end.Reason, "own retry budget is spent") || len(end.Attempts) != len(tt.steps) {
					t.Errorf("Info = %+v", end)
				}
			})
		})
	}
}

// The answer that is held back goes to a caller that does not want to wait any longer.
func TestBudgetRefusalInAHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		start := time.Now()
		resp, err := loop(&scripted{steps: []step{{status: 500, body: internal}}}, &Budget{Size: 1}).RoundTrip(newRequest(ctx, createURL))
		if err != nil || resp.StatusCode != 500 || time.Since(start) != 100*time.Millisecond {
			t.Errorf("%v, %v after %v", resp, err, time.Since(start))
		}
	})
}

// What a call leaves of its Transport's budget, or of one that is shared.
func TestBudgetOfCalls(t *testing.T) {
	busy := step{status: 409, body: `{"Code":"OperationBusy","Message":"x"}`}
	reset, ok, refused := step{err: syscall.ECONNRESET}, step{status: 200, body: okBody}, step{status: 400, body: missing}
	tests := map[string]struct {
		steps []step
		stop  time.Duration // when the caller gives up
		held  float64
	}{
		"success":                                  {[]step{ok}, 0, 510},
		"a retry that succeeds":                    {[]step{reset, ok}, 0, 510},
		"only the last retry is given back":        {[]step{reset, reset, ok}, 0, 500 - 70 + 10},
		"a retry that is rejected":                 {[]step{reset, refused}, 0, 500},
		"rejected at once":                         {[]step{refused}, 0, 500},
		"a caller that gives up in the wait":       {[]step{reset}, 10 * time.Millisecond, 500},
		"a caller that gives up in the attempt":    {[]step{reset, {hang: true}}, time.Second, 430},
		"throttling is cheaper":                    {[]step{{status: 400, body: throttling}, reset, ok}, 0, 500 - 1 + 10},
		"what is given back is given back once":    {[]step{reset, {status: 400, body: nonceUsed}, ok}, 0, 510},
		"a request that is still running is cheap": {[]step{{status: 403, body: processing}, {status: 403, body: processing}, ok}, 0, 509},
		"a busy resource is cheap":                 {[]step{busy, busy, ok}, 0, 509},
		"a refusal in a 200":                       {[]step{reset, {status: 200, body: `{"RequestId":"x","Success":false,"Code":"QuotaOut","Message":"no"}`}}, 0, 500},
		"a token of another call":                  {[]step{reset, {status: 400, body: `{"Code":"IdempotentParameterMismatch","Message":"x"}`}}, 0, 500},
		"a redirect shows nothing of the service":  {[]step{reset, {status: 302}}, 0, 430},
		"a nonce or a clock costs nothing":         {[]step{{status: 400, body: nonceUsed}, ok}, 0, 510},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.stop > 0 {
					time.AfterFunc(tt.stop, cancel)
				}
				tr := loop(&scripted{steps: tt.steps}, nil)
				_, _ = tr.RoundTrip(newRequest(ctx, createURL))
				if held := tr.ownBudget.heldAt(time.Now()); math.Abs(held-tt.held) > 1 { // the call's time brought a little
					t.Errorf("%v tokens held, want %v", held, tt.held)
				}
			})
		})
	}
}

func TestBudgetIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &Budget{Size: 100}
		reset := step{err: syscall.ECONNRESET}
		one, other := &scripted{steps: []step{reset, reset}}, &scripted{steps: []step{reset}}
		for _, base := range []*scripted{one, other} {
			if _, err := loop(base, shared).RoundTrip(newRequest(t.Context(), createURL)); !errors.Is(err, ErrBudget) {
				t.Errorf("error %v, want ErrBudget", err)
			}
			if len(base.seen) != len(base.steps) {
				t.Errorf("%d attempts, want %d", len(base.seen), len(base.steps))
			}
		}
	})
}

// An attempt that was paid for and could not begin gives back what it cost.
func TestBudgetOfAnUnsentAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := loop(&scripted{steps: []step{{err: syscall.ECONNRESET}}}, nil)
		tr.Limiter = limiterFunc(func(ctx context.Context, o Operation) error {
			if tr.ownBudget.at.IsZero() {
				return nil
			}
			return errAny
		})
		if _, err := tr.RoundTrip(newRequest(t.Context(), createURL)); !errors.Is(err, ErrLimiter) {
			t.Fatal(err)
		}
		if held := tr.ownBudget.heldAt(time.Now()); math.Abs(held-500) > 1 {
			t.Errorf("%v tokens held, want 500", held)
		}
	})
}

func TestUnlimitedBudgetOfCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := loop(nil, Unlimited())
		for range 20 {
			base := &scripted{steps: make([]step, defaultMaxAttempts)}
			for i := range base.steps {
				base.steps[i].err = syscall.ECONNRESET
			}
			tr.Base = base
			if _, err := tr.RoundTrip(newRequest(t.Context(), createURL)); errors.Is(err, ErrBudget) || len(base.seen) != defaultMaxAttempts {
				t.Fatalf("%d attempts: %v", len(base.seen), err)
			}
		}
	})
}

// The hold is told with the attempt, and is no delay before another.
func TestHoldIsNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		ctx := WithTrace(t.Context(), &Trace{
			AttemptEnd: func(a Attempt) { told = append(told, "end "+a.Wait.String()) },
			Wait:       func(Attempt) { told = append(told, "wait") },
			CallEnd:    func(Info) { told = append(told, "call") },
		})
		_, _ = loop(&scripted{steps: []step{{err: syscall.ECONNRESET}}}, &Budget{Size: 1}).RoundTrip(newRequest(ctx, createURL))
		if !slices.Equal(told, []string{"end 550ms", "call"}) {
			t.Errorf("%q", told)
		}
	})
}

// A call that the budget ended after an attempt that took too long is still a timeout.
func TestBudgetAfterATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := loop(&scripted{steps: []step{{hang: true}}}, &Budget{Size: 1}).RoundTrip(newRequest(t.Context(), createURL))
		var ours *Error
		if !errors.As(err, &ours) || !ours.Timeout() || !errors.Is(err, ErrBudget) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}
