package retry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliretry/aliretry/signer"
	"github.com/aliretry/aliretry/token"
)

const otherURL = "http://ess.aliyuncs.com/?Action=CreateScalingGroup&Version=2014-08-28&Format=JSON&MinSize=2"

// tokensOf are the client tokens that a base saw, one for each attempt.
func (s *scripted) tokens() (all []string) {
	for _, req := range s.seen {
		all = append(all, req.URL.Query().Get("ClientToken"))
	}
	return all
}

// keyed makes a call under a key, in a program that has just been started.
func keyed(t *testing.T, j token.Journal, key, url string, steps ...step) (*scripted, Info, string, error) {
	t.Helper()
	base := &scripted{steps: steps}
	var end Info
	tr := &Transport{Base: base, Credentials: signer.Static(testKey), Journal: j, random: half, Policy: Policy{MaxAttempts: max(1, len(steps))},
		Trace: &Trace{CallEnd: func(i Info) { end = i }}}
	resp, err := tr.RoundTrip(newRequest(WithKey(t.Context(), key), url))
	if len(base.seen) != len(steps) {
		t.Errorf("%d attempts, want %d", len(base.seen), len(steps))
	}
	if err != nil {
		if i, _ := InfoOf(err); i.Outcome != end.Outcome || i.RecordOpen != end.RecordOpen || i.Key != end.Key {
			t.Errorf("the error tells %+v, the Trace %+v", i, end)
		}
		return base, end, "", err
	}
	if i, _ := InfoOfResponse(resp); i.Outcome != end.Outcome || i.RecordOpen != end.RecordOpen || i.Replayed != end.Replayed {
		t.Errorf("the response tells %+v, the Trace %+v", i, end)
	}
	body, _ := io.ReadAll(resp.Body)
	return base, end, string(body), nil
}

// A call under a key is made once: resumed under its token while it is open, answered from the
// journal when it is done, and made anew when it is known not to be done.
func TestKeyedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memoryJournal{}
		ok, reset, refused := step{status: 200, body: okBody}, step{err: syscall.ECONNRESET}, step{status: 400, body: missing}

		first, i, _, err := keyed(t, j, "k", createURL, reset, reset)
		if err == nil || i.Outcome != Unknown || !i.RecordOpen || i.Resumed || i.Key != "k" || j.records["k"].State != token.Open {
			t.Fatalf("%v: %+v, record %+v", err, i, j.records["k"])
		}
		// Refused by the server, the call itself did nothing; the one before may have.
		second, i, _, err := keyed(t, j, "k", createURL, refused)
		if err != nil || i.Outcome != Unknown || !i.RecordOpen || j.records["k"].Unsettled != 1 {
			t.Fatalf("%v: %+v, record %+v", err, i, j.records["k"])
		}
		time.Sleep(time.Hour)
		third, i, body, err := keyed(t, j, "k", createURL, ok)
		if err != nil || i.Outcome != Done || i.RecordOpen || i.Replayed || !i.Resumed || body != okBody || j.records["k"].State != token.Done {
			t.Fatalf("%v: %+v, record %+v", err, i, j.records["k"])
		}
		want := first.tokens()[0]
		for _, got := range append(append(first.tokens(), second.tokens()...), third.tokens()...) {
			if got != want || got == "" {
				t.Errorf("token %q, want %q in every attempt", got, want)
			}
		}
		done := time.Now()
		time.Sleep(100 * time.Hour) // what is done does not expire
		_, i, body, err = keyed(t, j, "k", createURL)
		if err != nil || i.Outcome != Done || !i.Replayed || i.Resumed || !i.RecordedAt.Equal(done) || body != okBody || i.ClientToken != want || len(i.Attempts) != 0 {
			t.Errorf("%v: %+v, body %q", err, i, body)
		}

		// Another key is another call; and one that is not done leaves its key to a new one.
		none, i, _, err := keyed(t, j, "other", createURL, refused)
		if err != nil || i.Outcome != NotDone || i.RecordOpen || j.records["other"].State != token.NotDone {
			t.Fatalf("%v: %+v, record %+v", err, i, j.records["other"])
		}
		again, i, _, err := keyed(t, j, "other", otherURL, ok) // with other parameters, too
		if err != nil || i.Outcome != Done || j.records["other"].Generation != 2 || again.tokens()[0] == none.tokens()[0] || none.tokens()[0] == want {
			t.Errorf("%v: %+v, record %+v", err, i, j.records["other"])
		}
	})
}

// Nothing is sent where the journal does not allow it.
func TestKeyRefused(t *testing.T) {
	broken := errors.New("disk full")
	begun := func(url string, d time.Duration) func(t *testing.T, j *memoryJournal) {
		return func(t *testing.T, j *memoryJournal) {
			keyed(t, j, "k", url, step{err: syscall.ECONNRESET})
			j.ahead = d
		}
	}
	tests := map[string]struct {
		before  func(t *testing.T, j *memoryJournal)
		journal bool
		ctx     func(context.Context) context.Context
		url     string
		err     error
		cause   error
		outcome Outcome
		open    bool
	}{
		"no journal":                            {nil, false, nil, createURL, ErrNoJournal, ErrNoJournal, Unknown, false},
		"the journal fails":                     {func(_ *testing.T, j *memoryJournal) { j.beginErr = broken }, true, nil, createURL, ErrJournal, broken, Unknown, false},
		"too old":                               {begun(createURL, 9*time.Hour), true, nil, createURL, token.ErrExpired, token.ErrExpired, Unknown, true},
		"another call":                          {begun(otherURL, 0), true, nil, createURL, token.ErrOtherCall, token.ErrOtherCall, Unknown, true},
		"another token":                         {begun(createURL, 0), true, func(ctx context.Context) context.Context { return WithToken(ctx, "mine") }, createURL, ErrTokenConflict, token.ErrOtherToken, Unknown, true},
		"another token, of a call that is done": {func(t *testing.T, j *memoryJournal) { keyed(t, j, "k", createURL, step{status: 200, body: okBody}) }, true, func(ctx context.Context) context.Context { return WithToken(ctx, "mine") }, createURL, ErrTokenConflict, token.ErrOtherToken, Done, false},
		"done, with a reply that cannot be opened": {func(t *testing.T, j *memoryJournal) {
			keyed(t, j, "k", createURL, step{status: 200, body: okBody})
			j.unreadable = broken
		}, true, nil, createURL, token.ErrDoneNoReply, broken, Done, false},
		"a name on another's path": {nil, true, nil, "", ErrNoToken, ErrNoToken, NotDone, false},
		"another in the request":   {begun(createURL, 0), true, nil, createURL + "&ClientToken=mine", ErrTokenConflict, token.ErrOtherToken, Unknown, true},
		"done, without its reply": {func(t *testing.T, j *memoryJournal) {
			keyed(t, j, "k", createURL, step{status: 200, body: okBody})
			r := j.records["k"]
			r.Reply = nil
			j.records["k"] = r
		}, true, nil, createURL, token.ErrDoneNoReply, token.ErrDoneNoReply, Done, false},
		"done, with a reply that is none": {func(t *testing.T, j *memoryJournal) {
			keyed(t, j, "k", createURL, step{status: 200, body: okBody})
			r := j.records["k"]
			r.Reply = []byte("{")
			j.records["k"] = r
		}, true, nil, createURL, token.ErrDoneNoReply, token.ErrDoneNoReply, Done, false},
		"an operation without a token": {nil, true, nil, "http://ess.aliyuncs.com/?Action=DeleteScalingGroup&Version=2014-08-28&Format=JSON", ErrNoToken, ErrNoToken, NotDone, false},
		"no key":                       {nil, true, func(ctx context.Context) context.Context { return WithKey(ctx, "") }, createURL, token.ErrKey, token.ErrKey, NotDone, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := &memoryJournal{}
				if tt.before != nil {
					tt.before(t, j)
				}
				before := j.records["k"]
				tr := loop(&scripted{}, nil)
				if tt.journal {
					tr.Journal = j
				}
				ctx := WithKey(t.Context(), "k")
				if tt.ctx != nil {
					ctx = tt.ctx(ctx)
				}
				req := contradiction(ctx)
				if tt.url != "" {
					req = newRequest(ctx, tt.url)
				}
				_, err := tr.RoundTrip(req)
				i, _ := InfoOf(err)
				if !errors.Is(err, tt.err) || !errors.Is(err, tt.cause) || i.Outcome != tt.outcome || i.RecordOpen != tt.open || len(i.Attempts) != 0 {
					t.Errorf("%v: %+v", err, i)
				}
				if tt.err == token.ErrDoneNoReply && i.RecordedAt.IsZero() || tt.err == token.ErrExpired && i.ClientToken != before.Token {
					t.Errorf("%v: %+v", err, i)
				}
				if after := j.records["k"]; after.Unsettled != before.Unsettled || after.State != before.State || after.Token != before.Token {
					t.Errorf("the record was %+v, and is %+v", before, after)
				}
			})
		})
	}
}

// What cannot be written when the call is over does not cost the caller its result.
func TestJournalFailsAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memoryJournal{endErr: errors.New("disk full")}
		_, i, body, err := keyed(t, j, "done", createURL, step{status: 200, body: okBody})
		if err != nil || i.Outcome != Done || !i.RecordOpen || body != okBody || !strings.Contains(i.Reason, "the journal: disk full") {
			t.Errorf("%v: %+v", err, i)
		}
		_, i, _, err = keyed(t, j, "refused", createURL, step{status: 400, body: missing})
		if err != nil || i.Outcome != Unknown || !i.RecordOpen {
			t.Errorf("%v: %+v", err, i)
		}
		j.endErr = nil
		_, i, body, err = keyed(t, j, "done", createURL, step{status: 200, body: okBody}) // the server says it again
		if err != nil || i.Outcome != Done || i.RecordOpen || i.Replayed || body != okBody {
			t.Errorf("%v: %+v", err, i)
		}
	})
}

// Reads and dry runs do not look at the key.
func TestKeyOfCallsWithoutEffect(t *testing.T) {
	for _, url := range []string{"http://ess.aliyuncs.com/?Action=DescribeScalingGroups&Version=2014-08-28&Format=JSON", "http://vpc.aliyuncs.com/?Action=CreateVpc&Version=2016-04-28&Format=JSON&DryRun=true"} {
		j := &memoryJournal{}
		tr := loop(&scripted{steps: []step{{status: 200, body: okBody}, {status: 200, body: okBody}}}, nil)
		for _, tr.Journal = range []token.Journal{j, nil} {
			resp, err := tr.RoundTrip(newRequest(WithKey(t.Context(), "k"), url))
			if err != nil || len(j.asked) != 0 {
				t.Fatalf("%s: %v, the journal was asked %d times", url, err, len(j.asked))
			}
			if i, _ := InfoOfResponse(resp); i.Key != "" {
				t.Errorf("%s: Info %+v", url, i)
			}
		}
	}
}

// contradiction is a request whose name and path do not belong together.
func contradiction(ctx context.Context) *http.Request {
	req := newRequest(ctx, "http://cs.aliyuncs.com/api/v2/clusters/c1/")
	req.Header = http.Header{"x-acs-version": {"2015-12-15"}, "x-acs-action": {"ScaleOutCluster"}, "Content-Type": {"application/json"}, "Accept": {"application/json"}}
	return req
}
