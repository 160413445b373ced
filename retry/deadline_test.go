package retry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/signer"
)

// silent dials an endpoint that takes what it is sent and never replies.
func silent(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		for buf := make([]byte, 4096); ; {
			if _, err := theirs.Read(buf); err != nil {
				return
			}
		}
	}()
	return ours, nil
}

// newWrapped returns an SDK client whose attempts go through base, and what Wrap made of it.
func newWrapped(t *testing.T, base http.RoundTripper) (*ess.Client, *Client) {
	t.Helper()
	key := credentials.NewAccessKeyCredential("testid", "testsecret")
	client, err := ess.NewClientWithOptions("cn-qingdao", sdk.NewConfig(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Wrap(client, key, func(tr *Transport) {
		tr.Base, tr.random = base, func() float64 { return 0.5 }
		tr.Policy.AttemptTimeout = time.Hour
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, c
}

func newCreateRequest(timeout time.Duration) *ess.CreateScalingGroupRequest {
	request := ess.CreateCreateScalingGroupRequest()
	request.Domain = "ess.aliyuncs.com"
	request.SetReadTimeout(timeout)
	return request
}

// At a deadline net/http and the V2 SDK put an error of their own in the place of ours, and
// with it the token and the outcome would be lost. A call therefore ends a little before, and
// the caller has ours a hundred times out of a hundred, whoever set the deadline.
func TestErrorOutrunsDeadline(t *testing.T) {
	roads := map[string]func(t *testing.T, timeout time.Duration) error{
		"http.Client.Timeout": func(t *testing.T, timeout time.Duration) error {
			tr := &Transport{Base: &http.Transport{DialContext: silent}, Credentials: signer.Static(testKey), Policy: Policy{AttemptTimeout: time.Hour}}
			defer tr.CloseIdleConnections()
			_, err := (&http.Client{Transport: tr, Timeout: timeout}).Do(newRequest(context.Background(), createURL))
			return err
		},
		"context of an http.Client's request": func(t *testing.T, timeout time.Duration) error {
			tr := &Transport{Base: &http.Transport{DialContext: silent}, Credentials: signer.Static(testKey), Policy: Policy{AttemptTimeout: time.Hour}}
			defer tr.CloseIdleConnections()
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			defer cancel()
			_, err := (&http.Client{Transport: tr}).Do(newRequest(ctx, createURL))
			return err
		},
		"read timeout of an SDK request": func(t *testing.T, timeout time.Duration) error {
			client, c := newWrapped(t, &http.Transport{DialContext: silent})
			defer c.Transport.CloseIdleConnections()
			_, err := client.CreateScalingGroup(newCreateRequest(timeout))
			return err
		},
		"context of DoAction": func(t *testing.T, timeout time.Duration) error {
			_, c := newWrapped(t, &http.Transport{DialContext: silent})
			defer c.Transport.CloseIdleConnections()
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			defer cancel()
			return c.DoAction(ctx, newCreateRequest(0), ess.CreateCreateScalingGroupResponse())
		},
	}
	for name, send := range roads {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for n := range 100 {
					timeout := 50*time.Millisecond + time.Duration(n)*13*time.Millisecond // past 500 ms, too
					margin := max(5*time.Millisecond, timeout/100)
					start := time.Now()
					err := send(t, timeout)
					took := time.Since(start)
					var e *Error
					if !errors.As(err, &e) {
						t.Fatalf("timeout %v: after %v came %T %v", timeout, took, err, err)
					}
					if took != timeout-margin || e.Outcome != Unknown || e.ClientToken == "" || !errors.Is(err, context.DeadlineExceeded) || !e.Timeout() {
						t.Errorf("timeout %v: after %v came %v", timeout, took, err)
					}
					if len(e.Attempts) != 1 || e.Attempts[0].Duration != took {
						t.Errorf("timeout %v: attempts %+v", timeout, e.Attempts)
					}
				}
			})
		})
	}
}

// The read timeout of one request ends with its call: the next one has its own time.
func TestReadTimeoutIsOneCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newWrapped(t, baseFunc(func(req *http.Request) (*http.Response, error) {
			select {
			case <-req.Context().Done():
				return nil, req.Context().Err()
			case <-time.After(time.Minute):
				return (&scripted{steps: []step{{status: 200, body: okBody}}}).RoundTrip(req)
			}
		}))
		if _, err := client.CreateScalingGroup(newCreateRequest(time.Second)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the first call ended with %v", err)
		}
		start := time.Now()
		if _, err := client.CreateScalingGroup(newCreateRequest(0)); err != nil || time.Since(start) != time.Minute {
			t.Errorf("the second call ended after %v with %v", time.Since(start), err)
		}
	})
}

// A deadline that is nearer than the planned wait ends the call there and then, and the
// caller learns of both: the last answer, and that there was no time for another.
func TestDeadlineBeforeWait(t *testing.T) {
	busy := baseFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 503, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	})
	const why = "a wait of 1.5s would not leave 50ms before the deadline"
	synctest.Test(t, func(t *testing.T) {
		client, c := newWrapped(t, busy)
		c.Transport.Policy.Busy = Delay{Base: 2 * time.Second}
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		err := c.DoAction(ctx, newCreateRequest(0), ess.CreateCreateScalingGroupResponse())
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, context.DeadlineExceeded) || !e.Timeout() || e.Attempts[0].Status != 503 || !strings.Contains(err.Error(), why) {
			t.Errorf("DoAction: %v", err)
		}
		_, err = client.CreateScalingGroup(newCreateRequest(100 * time.Millisecond))
		if i, ok := InfoOf(err); !ok || i.Reason != why || i.Outcome != Unknown || len(i.Attempts) != 1 || i.Attempts[0].Wait != 0 {
			t.Errorf("the SDK's call: %v: %+v", err, i)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

// Each attempt has what is left of the call, if that is less than the attempt timeout, and
// the one that a deadline ends says so.
func TestAttemptsShrink(t *testing.T) {
	hang := step{hang: true}
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	tests := map[string]struct {
		policy    Policy
		steps     []step
		durations []time.Duration
		timedOut  error // of the last attempt: by the deadline, or not
	}{
		"the last is cut": {Policy{CallTimeout: 12 * time.Second, AttemptTimeout: 5 * time.Second}, []step{hang, hang, hang},
			[]time.Duration{ms(5000), ms(5000), ms(1750)}, context.DeadlineExceeded},
		"none is": {Policy{CallTimeout: 12 * time.Second, AttemptTimeout: 5 * time.Second, MaxAttempts: 2}, []step{hang, hang},
			[]time.Duration{ms(5000), ms(5000)}, nil},
		"little more than 50 ms are left": {Policy{CallTimeout: ms(801)}, []step{{status: 503}, hang}, []time.Duration{0, ms(51)}, context.DeadlineExceeded},
		"50 ms would be":                  {Policy{CallTimeout: ms(800)}, []step{{status: 503}}, []time.Duration{0}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := waitsOf(t, context.Background(), tt.policy, tt.steps)
				for n, want := range tt.durations {
					a := i.Attempts[n]
					last := n == len(tt.durations)-1
					if a.Duration != want || errors.Is(a.Err, context.DeadlineExceeded) != (last && tt.timedOut != nil) {
						t.Errorf("attempt %d took %v and ended with %v; want %v", n+1, a.Duration, a.Err, want)
					}
				}
			})
		})
	}
}

// wallClockGoesOn makes a call's beginning lie further back by the wall clock and not by the
// monotonic one, as the sleep of a machine does.
func wallClockGoesOn(t *testing.T, c *call, by time.Duration) {
	t.Helper()
	before := c.born
	const secondsAt = 30 // the seconds of a time with a monotonic reading stand over 30 bits of nanoseconds
	(*struct{ wall uint64 })(unsafe.Pointer(&c.born)).wall -= uint64(by/time.Second) << secondsAt
	if got := before.Round(0).Sub(c.born.Round(0)); got != by || before.Sub(c.born) != 0 {
		t.Fatalf("the wall clock went on by %v, the monotonic one by %v", got, before.Sub(c.born))
	}
}

// Servers forget a token by the wall clock, which goes on while a machine sleeps: after a
// night in the middle of an attempt, the token is not sent again. The clock is the real one,
// because that of a synctest bubble has no monotonic reading to leave behind.
func TestTokenAgesWhileMachineSleeps(t *testing.T) {
	tests := map[string]struct {
		asleep   time.Duration
		first    step
		attempts int
		outcome  Outcome
	}{
		"a night":                {9 * time.Hour, step{status: 503}, 1, Unknown},
		"a night, nothing done":  {9 * time.Hour, step{status: 429}, 1, NotDone},
		"a nap":                  {7 * time.Hour, step{status: 503}, 2, Done},
		"the clock was set back": {-9 * time.Hour, step{status: 503}, 2, Done},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			base := &scripted{steps: []step{tt.first, {status: 200, body: okBody}}}
			var end Info
			tr := &Transport{Credentials: signer.Static(testKey), Policy: Policy{Busy: Delay{1, 1}},
				Trace: &Trace{CallEnd: func(i Info) { end = i }}}
			tr.Base = baseFunc(func(req *http.Request) (*http.Response, error) {
				if len(base.seen) == 0 {
					wallClockGoesOn(t, callOf(req), tt.asleep)
				}
				return base.RoundTrip(req)
			})
			if _, err := tr.RoundTrip(newRequest(context.Background(), createURL)); err != nil {
				t.Fatal(err)
			}
			if len(base.seen) != tt.attempts || end.Outcome != tt.outcome || (tt.attempts == 1) != (end.Reason == "the client token is older than 8h0m0s") {
				t.Errorf("%d attempts, outcome %v (%s); want %d, %v", len(base.seen), end.Outcome, end.Reason, tt.attempts, tt.outcome)
			}
		})
	}
}
