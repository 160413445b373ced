package retry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
	"github.com/aliretry/aliretry/token"
)

// keyless is a provider that has no credentials.
type keyless struct{}

func (keyless) Credentials(context.Context) (signer.Credentials, error) {
	return signer.Credentials{}, errAny
}

// A call that was begun and not sent is written down as not done, also when its caller has gone.
func TestUnsentKeyedCall(t *testing.T) {
	tests := map[string]func(ctx context.Context, tr *Transport) context.Context{
		"no credentials": func(ctx context.Context, tr *Transport) context.Context {
			tr.Credentials = keyless{}
			return ctx
		},
		"a token of another call": func(ctx context.Context, tr *Transport) context.Context {
			ctx = WithToken(ctx, "mine")
			_, _ = tr.RoundTrip(newRequest(ctx, otherURL))
			return ctx
		},
		"the caller has gone": func(ctx context.Context, tr *Transport) context.Context {
			ctx, cancel := context.WithCancel(ctx)
			tr.Limiter = limiterFunc(func(context.Context, Operation) error { cancel(); return ctx.Err() })
			return ctx
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &memoryJournal{}
				base := &scripted{steps: []step{{status: 200, body: okBody}}}
				tr := loop(base, nil)
				tr.Journal = j
				ctx := WithKey(prepare(t.Context(), tr), "k")
				sent := len(base.seen)
				_, err := tr.RoundTrip(newRequest(ctx, createURL))
				i, _ := InfoOf(err)
				if r := j.records["k"]; err == nil || i.Outcome != NotDone || i.RecordOpen || r.State != token.NotDone || r.Unsettled != 0 || len(base.seen) != sent {
					t.Errorf("%v: %+v, record %+v", err, i, r)
				}
			})
		})
	}
}

// Two programs make the call of one key at the same time. What each is told is what is known of
// the key.
func TestTwoHoldersOfAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memoryJournal{}
		answered := make(chan Info)
		go func() {
			_, i, _, _ := keyed(t, j, "k", createURL, step{takes: 5 * time.Second, status: 200, body: okBody})
			answered <- i
		}()
		time.Sleep(time.Second)
		_, i, _, err := keyed(t, j, "k", createURL, step{takes: time.Second, status: 400, body: missing})
		if err != nil || i.Outcome != Unknown || !i.RecordOpen {
			t.Errorf("refused while the other is under way: %v, %+v", err, i)
		}
		late := make(chan Info)
		go func() {
			_, i, _, _ := keyed(t, j, "k", createURL, step{takes: 10 * time.Second, status: 400, body: missing})
			late <- i
		}()
		if i := <-answered; i.Outcome != Done || i.RecordOpen {
			t.Errorf("the one that was answered: %+v", i)
		}
		if i := <-late; i.Outcome != Done || i.RecordOpen {
			t.Errorf("refused when the other was done: %+v", i)
		}
	})
}

// The token's age counts from its first Begin, and not from the call that resumes it.
func TestKeyedTokenAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memoryJournal{}
		keyed(t, j, "k", createURL, step{err: syscall.ECONNRESET})
		time.Sleep(8*time.Hour - time.Second)
		base := &scripted{steps: []step{{takes: time.Second / 2, status: 503}}} // a retry would be sent too late
		tr := loop(base, nil)
		tr.Journal = j
		resp, err := tr.RoundTrip(newRequest(WithKey(t.Context(), "k"), createURL))
		if err != nil {
			t.Fatal(err)
		}
		if i, _ := InfoOfResponse(resp); !strings.Contains(i.Reason, "client token is older than 8h0m0s") || i.Outcome != Unknown {
			t.Errorf("%+v", i)
		}
		time.Sleep(time.Second)
		if resp, err = tr.RoundTrip(newRequest(WithKey(t.Context(), "k"), createURL)); err == nil || !errors.Is(err, token.ErrExpired) {
			t.Errorf("%v, %v: want %v", resp, err, token.ErrExpired)
		}
	})
}

// A token that grew too old while its call waited for its turn is not sent, not even once: it was
// sent before.
func TestKeyedTokenAgesBeforeItsFirstAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memoryJournal{}
		keyed(t, j, "k", createURL, step{err: syscall.ECONNRESET})
		time.Sleep(8*time.Hour - time.Second)
		tr := loop(&scripted{}, nil)
		tr.Journal = j
		tr.Limiter = limiterFunc(func(ctx context.Context, _ Operation) error { return sleep(ctx, 2*time.Second) })
		_, err := tr.RoundTrip(newRequest(WithKey(t.Context(), "k"), createURL))
		if i, _ := InfoOf(err); err == nil || i.Outcome != Unknown || !strings.Contains(i.Reason, "client token is older than 8h0m0s") {
			t.Errorf("%v: %+v", err, i)
		}
	})
}

// A success stands, whatever has become of the key meanwhile.
func TestKeyForgottenMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memoryJournal{}
		tr := loop(baseFunc(func(req *http.Request) (*http.Response, error) {
			delete(j.records, "k")
			_, _ = j.Begin(req.Context(), token.Intent{Key: "k", Lifetime: time.Hour})
			return (&scripted{steps: []step{{status: 200, body: okBody}}}).RoundTrip(req)
		}), nil)
		tr.Journal = j
		resp, err := tr.RoundTrip(newRequest(WithKey(t.Context(), "k"), createURL))
		if err != nil {
			t.Fatal(err)
		}
		if i, _ := InfoOfResponse(resp); i.Outcome != Done || !i.RecordOpen || j.records["k"].State != token.Open {
			t.Errorf("%+v, record %+v", i, j.records["k"])
		}
	})
}

// What the journal is asked with is none of the call's own affairs.
func TestJournalContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memoryJournal{}
		tr := loop(&scripted{steps: []step{{takes: time.Second, status: 200, body: okBody}}}, nil)
		tr.Journal = j
		start := time.Now()
		ctx, cancel := context.WithTimeout(WithKey(WithTrace(t.Context(), &Trace{}), "k"), time.Minute)
		defer cancel()
		if _, err := tr.RoundTrip(newRequest(ctx, createURL)); err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{time.Minute - 600*time.Millisecond, time.Second + journalTimeout} {
			deadline, _ := j.asked[i].Deadline()
			if j.asked[i].Value(keyKey{}) != nil || j.asked[i].Value(traceKey{}) != nil || deadline.Sub(start) != want {
				t.Errorf("context %d: deadline after %v, want %v", i, deadline.Sub(start), want)
			}
		}
	})
}

// A context serves one call; the caller's own token becomes the key's.
func TestKeyOfOneCall(t *testing.T) {
	j := &memoryJournal{}
	base := &scripted{steps: []step{{status: 200, body: okBody}}}
	tr := loop(base, nil)
	tr.Journal = j
	ctx := WithKey(t.Context(), "k")
	if _, err := tr.RoundTrip(newRequest(WithToken(ctx, "mine"), createURL)); err != nil || base.tokens()[0] != "mine" || j.records["k"].Token != "mine" {
		t.Errorf("%v: tokens %q, record %+v", err, base.tokens(), j.records["k"])
	}
	if _, err := tr.RoundTrip(newRequest(ctx, otherURL)); !errors.Is(err, token.ErrOtherCall) || !strings.Contains(err.Error(), "its context has served that one") {
		t.Errorf("error %v, want %v", err, token.ErrOtherCall)
	}
	if _, err := tr.RoundTrip(newRequest(WithKey(t.Context(), "k"), otherURL)); !errors.Is(err, token.ErrOtherCall) || !strings.Contains(err.Error(), "differ in MinSize") {
		t.Errorf("error %v, want %v", err, token.ErrOtherCall)
	}
}

// A reply of the journal's reaches the caller as the first one did, whatever the road.
func TestReplayByEveryRoad(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.Reset().AfterEffect())
	j := &memoryJournal{}
	var lines bytes.Buffer
	trace := LogTrace(slog.New(slog.NewTextHandler(&lines, nil)))
	client, err := ess.NewClientWithAccessKey("cn-hangzhou", "testid", "testsecret")
	if err != nil {
		t.Fatal(err)
	}
	safe, err := Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), func(tr *Transport) { tr.Journal, tr.Trace = j, trace })
	if err != nil {
		t.Fatal(err)
	}
	create := func() (string, string, error) {
		request, response := ess.CreateCreateScalingGroupRequest(), ess.CreateCreateScalingGroupResponse()
		request.Domain, request.Scheme, request.ScalingGroupName = srv.Host, "http", "web"
		err := safe.DoAction(WithKey(t.Context(), "k"), request, response)
		return response.ScalingGroupId, response.RequestId, err
	}
	id, request, err := create()
	if err != nil || id == "" || request == "" {
		t.Fatal(id, request, err)
	}
	for range 2 {
		if again, same, err := create(); err != nil || again != id || same != request {
			t.Errorf("%s, %s, %v; want %s, %s", again, same, err, id, request)
		}
	}
	if a, e := len(srv.Attempts()), len(srv.Effects()); a != 2 || e != 1 {
		t.Errorf("%d attempts and %d effects", a, e)
	}
	if got := strings.Count(lines.String(), `msg="call replayed from the journal"`); got != 2 || !strings.Contains(lines.String(), "key=k") {
		t.Errorf("%d replays logged:\n%s", got, &lines)
	}

	tr := &Transport{Credentials: signer.Static(testKey), Journal: j}
	defer tr.CloseIdleConnections()
	url := srv.URL + "/?Action=CreateScalingGroup&Version=2014-08-28&Format=JSON&ScalingGroupName=v2"
	for n := range 2 {
		resp, err := tr.Call(newRequest(WithKey(t.Context(), "v2"), url), &http.Transport{})
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("X-Acs-Request-Id") == "" {
			t.Fatal(resp, err)
		}
		if i, _ := InfoOfResponse(resp); i.Replayed != (n == 1) {
			t.Errorf("call %d: %+v", n, i)
		}
		if i, ok := readInfo(resp.Header); ok != (n == 1) || ok && (!i.Replayed || i.RecordedAt.IsZero() || i.Key != "v2") {
			t.Errorf("call %d: header %+v", n, i)
		}
	}
}
