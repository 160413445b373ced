package retry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliretry/aliretry/signer"
)

// session returns the credentials of a numbered session.
func session(n int) signer.Credentials {
	id := string(rune('0' + n))
	return signer.Credentials{AccessKeyID: "STS." + id, AccessKeySecret: "s", SecurityToken: "token" + id}
}

// sessions is a provider of one session until it is told to refresh.
type sessions struct {
	mu        sync.Mutex
	n         int
	asked     int
	refreshed int
	takes     time.Duration // to refresh
	err       error
}

func (s *sessions) Credentials(context.Context) (signer.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return session(s.n), nil
}

func (s *sessions) Refresh(ctx context.Context) error {
	time.Sleep(s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshed++
	if s.err == nil {
		s.n++
	}
	return s.err
}

const expiredBody = `{"Code":"InvalidSecurityToken.Expired","Message":"Specified SecurityToken is expired.","RequestId":"R"}`

// A refused session is renewed once in a call, and the call goes on only with another.
func TestLoopRenewsCredentials(t *testing.T) {
	expired, good := step{status: 403, body: expiredBody}, step{status: 200, body: okBody}
	tests := map[string]struct {
		provider signer.Provider
		steps    []step
		outcome  Outcome
		reason   string
	}{
		"fetched anew":  {&sequence{steps: []any{session(1), session(2), session(2)}}, []step{expired, good}, Done, "success"},
		"refreshed":     {&sessions{}, []step{expired, good}, Done, "success"},
		"refused again": {&sessions{}, []step{expired, expired}, NotDone, "CredentialsExpired is not retried: there are no other credentials"},
		"others each time": {&sequence{steps: []any{session(1), session(2), session(2), session(3), session(3), session(4)}},
			[]step{expired, expired}, NotDone, "CredentialsExpired is not retried: there are no other credentials"},
		"the same again":             {&sequence{steps: []any{session(1), session(1)}}, []step{expired}, NotDone, "CredentialsExpired is not retried: there are no other credentials"},
		"cannot be fetched anew":     {&sequence{steps: []any{session(1), errors.New("vault sealed")}}, []step{expired}, NotDone, "CredentialsExpired is not retried: there are no other credentials"},
		"cannot be refreshed":        {&sessions{err: errors.New("vault sealed")}, []step{expired}, NotDone, "CredentialsExpired is not retried: there are no other credentials"},
		"a key that never changes":   {signer.Static(session(1)), []step{expired}, NotDone, "CredentialsExpired is not retried: there are no other credentials"},
		"after an unclear attempt":   {&sessions{}, []step{{status: 500}, expired, good}, Done, "success"},
		"refused after an unclear 1": {&sessions{err: errors.New("x")}, []step{{status: 500}, expired}, Unknown, "CredentialsExpired is not retried: there are no other credentials"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &scripted{steps: tt.steps}
				var end Info
				tr := &Transport{Base: base, Credentials: tt.provider, Trace: &Trace{CallEnd: func(i Info) { end = i }}}
				resp, err := tr.RoundTrip(newRequest(context.Background(), createURL))
				if err != nil || resp.StatusCode != tt.steps[len(tt.steps)-1].status {
					t.Errorf("response %v, error %v", resp, err)
				}
				if end.Outcome != tt.outcome || end.Reason != tt.reason || len(base.seen) != len(tt.steps) {
					t.Errorf("outcome %v after %d attempts: %s", end.Outcome, len(base.seen), end.Reason)
				}
				for i, a := range end.Attempts {
					if a.Class == CredentialsExpired && a.Wait != 0 {
						t.Errorf("attempt %d is followed by a wait of %v", i+1, a.Wait)
					}
				}
			})
		})
	}
}

// An operation that must not happen twice goes on as well: a refused session had no effect.
// Under a 2xx, a code alone proves nothing.
func TestLoopRenewsCredentialsOfUnsafeCall(t *testing.T) {
	for status, attempts := range map[int]int{403: 2, 200: 1} {
		base := &scripted{steps: []step{{status: status, body: expiredBody}, {status: 200, body: okBody}}}
		tr := &Transport{Base: base, Credentials: &sessions{}}
		_, _ = tr.RoundTrip(newRequest(context.Background(), "http://ecs.aliyuncs.com/?Action=NobodyKnows&Version=2014-05-26"))
		if len(base.seen) != attempts {
			t.Errorf("status %d: %d attempts, want %d", status, len(base.seen), attempts)
		}
	}
}

// An answer that came is not lost to a renewal that takes the rest of the time.
func TestRenewalKeepsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{Credentials: &sessions{takes: 10 * time.Second}, Policy: Policy{CallTimeout: 5 * time.Second}, Base: &scripted{steps: []step{{status: 403, body: expiredBody}}}}
		if resp, err := tr.RoundTrip(newRequest(context.Background(), createURL)); err != nil || resp.StatusCode != 403 {
			t.Errorf("response %v, error %v", resp, err)
		}
	})
}

// An operation that takes every session for expired does not cost the others theirs.
func TestRenewalIsRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := &sessions{}
		tr := &Transport{Credentials: provider, Base: baseFunc(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 403, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(expiredBody))}, nil
		})}
		for i := range 100 {
			_, _ = tr.RoundTrip(newRequest(context.Background(), createURL))
			if want := 1 + i/60; provider.refreshed != want {
				t.Fatalf("%d renewals after %d s, want %d", provider.refreshed, i, want)
			}
			time.Sleep(time.Second)
		}
	})
}

// A caller whose time is too short for a refresh does not keep the others from one.
func TestRenewalSurvivesShortDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := &slowSessions{sessions{takes: 200 * time.Millisecond}}
		tr := &Transport{Credentials: provider, Base: baseFunc(func(req *http.Request) (*http.Response, error) {
			body, status := okBody, 200
			if strings.Contains(req.URL.RawQuery, "SecurityToken=token0") {
				body, status = expiredBody, 403
			}
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
		})}
		for _, tt := range []struct {
			timeout time.Duration
			status  int
		}{{100 * time.Millisecond, 403}, {30 * time.Second, 200}} {
			ctx, cancel := context.WithTimeout(context.Background(), tt.timeout)
			resp, err := tr.RoundTrip(newRequest(ctx, createURL))
			cancel()
			if err != nil || resp.StatusCode != tt.status {
				t.Errorf("within %v: %v, %v", tt.timeout, resp, err)
			}
		}
		if provider.refreshed != 1 {
			t.Errorf("%d refreshes succeeded, want 1", provider.refreshed)
		}
	})
}

// slowSessions hears its context while it refreshes.
type slowSessions struct{ sessions }

func (s *slowSessions) Refresh(ctx context.Context) error {
	if err := sleep(ctx, s.takes); err != nil {
		return err
	}
	s.takes = 0
	return s.sessions.Refresh(ctx)
}

// When a session ends, all the calls under it are refused together: one of them renews it.
func TestRenewalIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := &sessions{takes: time.Second}
		tr := &Transport{Credentials: provider, Base: baseFunc(func(req *http.Request) (*http.Response, error) {
			time.Sleep(time.Millisecond)
			body, status := okBody, 200
			if strings.Contains(req.URL.RawQuery, "SecurityToken=token0") {
				body, status = expiredBody, 403
			}
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
		})}
		var calls sync.WaitGroup
		for range 50 {
			calls.Go(func() {
				if resp, err := tr.RoundTrip(newRequest(context.Background(), createURL)); err != nil || resp.StatusCode != 200 {
					t.Errorf("response %v, error %v", resp, err)
				}
			})
		}
		calls.Wait()
		if provider.refreshed != 1 {
			t.Errorf("the session was renewed %d times", provider.refreshed)
		}
	})
}

// Who waits for another call's renewal ends with its own context.
func TestRenewalEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := &sessions{takes: time.Minute}
		tr := &Transport{Credentials: provider, Base: baseFunc(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 403, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(expiredBody))}, nil
		})}
		var first sync.WaitGroup
		first.Go(func() { _, _ = tr.RoundTrip(newRequest(context.Background(), createURL)) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		resp, err := tr.RoundTrip(newRequest(ctx, createURL))
		if took := time.Since(start); took > time.Second || err != nil || resp.StatusCode != 403 {
			t.Errorf("after %v: response %v, error %v", took, resp, err)
		}
		first.Wait()
	})
}

type baseFunc func(*http.Request) (*http.Response, error)

func (f baseFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
