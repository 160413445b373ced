package retry

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/signer"
)

func TestReadClock(t *testing.T) {
	date := http.Header{"Date": {noon.Format(http.TimeFormat)}}
	tests := map[string]struct {
		header    http.Header
		received  time.Time
		roundTrip time.Duration
		offset    time.Duration // that a clock has
		from      time.Duration // how far it is from the reading
		middle    time.Duration
	}{
		"clocks agree":               {date, noon, time.Second, 0, 0, time.Second},
		"behind":                     {date, noon.Add(time.Hour), 0, 0, time.Hour - time.Second, 500*time.Millisecond - time.Hour},
		"ahead":                      {date, noon.Add(-time.Hour), 0, 0, time.Hour, time.Hour + 500*time.Millisecond},
		"corrected":                  {date, noon.Add(-time.Hour), 0, time.Hour, 0, time.Hour + 500*time.Millisecond},
		"any time of the round trip": {date, noon.Add(9 * time.Minute), 9 * time.Minute, 0, 0, 500*time.Millisecond - 9*time.Minute/2},
		"too long on its way":        {date, noon.Add(-time.Hour), 11 * time.Minute, 0, 0, 0},
		"out of a cache":             {http.Header{"Date": date["Date"], "Age": {"0"}}, noon.Add(time.Hour), 0, 0, 0, 0},
		"no date":                    {http.Header{}, noon.Add(time.Hour), 0, 0, 0, 0},
		"no time":                    {http.Header{"Date": {"yesterday"}}, noon, 0, 0, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := readClock(tt.header, tt.received, tt.roundTrip)
			if r.from(tt.offset) != tt.from || r.middle() != tt.middle {
				t.Errorf("%v from it, middle %v; want %v, %v", r.from(tt.offset), r.middle(), tt.from, tt.middle)
			}
		})
	}
}

// skewed is a base whose server's clock is ahead of ours. It refuses what is signed more than
// 15 minutes off it, and notes how far off that was.
type skewed struct {
	ahead time.Duration
	takes time.Duration
	busy  int // how many attempts it is busy for first
	cache bool
	off   []time.Duration
}

func (s *skewed) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(s.takes) // of the synctest bubble's clock
	now := time.Now().Add(s.ahead).UTC()
	signed, err := time.Parse(time.RFC3339, req.URL.Query().Get("Timestamp"))
	if err != nil {
		return nil, err
	}
	s.off = append(s.off, signed.Sub(now).Round(time.Minute))
	st := step{status: 200, body: okBody, header: http.Header{"Date": {now.Format(http.TimeFormat)}}}
	if s.cache {
		st.header.Set("Age", "3")
	}
	if signed.Sub(now).Abs() > 15*time.Minute {
		st.status, st.body = 400, `{"Code":"InvalidTimeStamp.Expired","Message":"Specified time stamp or date value is expired."}`
	} else if s.busy > 0 {
		s.busy--
		st.status, st.body = 503, unavailable
	}
	return (&scripted{steps: []step{st}}).RoundTrip(req)
}

// A refused timestamp sets the clock of the whole Transport, in either direction, and
// clocks that agree again set it back.
func TestLoopCorrectsClock(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"behind": 20 * time.Minute, "ahead": -3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &skewed{ahead: ahead}
				tr := newLoop(base)
				call := func(attempts int) Info {
					t.Helper()
					resp, err := tr.RoundTrip(newRequest(t.Context(), createURL))
					if err != nil || resp.StatusCode != 200 {
						t.Fatal(resp, err)
					}
					i, _ := InfoOfResponse(resp)
					if len(i.Attempts) != attempts {
						t.Fatalf("%d attempts, want %d", len(i.Attempts), attempts)
					}
					return i
				}
				start := time.Now()
				i := call(2)
				if i.Attempts[0].Class != ClockSkew || i.Attempts[0].Wait != 0 || time.Since(start) != 0 {
					t.Errorf("%v, then a wait of %v", i.Attempts[0].Class, i.Attempts[0].Wait)
				}
				call(1) // the others have learnt from it
				base.ahead = 0
				call(2) // refused for what was right before
				call(1)
				base.ahead = ahead
				call(2)
				base.ahead = ahead / 100 // so little that nothing is refused
				call(2)
				want := []time.Duration{-ahead, 0, 0, ahead, 0, 0, -ahead, 0, ahead - ahead/100, 0}
				for n, off := range base.off {
					if (off - want[n]).Abs() > 2*time.Minute {
						t.Errorf("attempt %d of all was signed %v off, want %v", n+1, off, want[n])
					}
				}
			})
		})
	}
}

// Another call may correct the clock while one waits: that one goes by it at once, also
// backwards.
func TestClockIsHealedInMidCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &skewed{ahead: -time.Hour, busy: 1}
		tr := newLoop(base)
		done := make(chan struct{})
		go func() {
			defer close(done)
			resp, err := tr.RoundTrip(newRequest(t.Context(), createURL)) // refused, busy, then a wait of 750 ms
			if err != nil || resp.StatusCode != 200 {
				t.Error(resp, err)
			}
		}()
		synctest.Wait()
		base.ahead = -2 * time.Hour
		if _, err := tr.RoundTrip(newRequest(t.Context(), createURL)); err != nil {
			t.Fatal(err)
		}
		<-done
		for n, want := range []time.Duration{time.Hour, 0, time.Hour, 0, 0} {
			if base.off[n] != want {
				t.Errorf("attempt %d of all was signed %v off, want %v", n+1, base.off[n], want)
			}
		}
	})
}

// A correction that is taken back at once does not make two attempts of a call bear one time.
func TestTimestampsDifferAcrossCorrections(t *testing.T) {
	for _, ahead := range []time.Duration{61 * time.Second, 2 * time.Minute, time.Hour, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var seen []time.Time
			tr := newLoop(baseFunc(func(req *http.Request) (*http.Response, error) {
				signed, err := time.Parse(time.RFC3339, req.URL.Query().Get("Timestamp"))
				if err != nil {
					return nil, err
				}
				seen = append(seen, signed)
				date := func(ahead time.Duration) http.Header {
					return http.Header{"Date": {time.Now().Add(ahead).UTC().Format(http.TimeFormat)}}
				}
				steps := []step{{status: 400, body: `{"Code":"IllegalTimestamp","Message":"x"}`, header: date(ahead)},
					{status: 500, body: internal, header: date(0)}, {status: 500, body: internal, header: date(0)}, {status: 200, body: okBody}}
				return (&scripted{steps: steps[len(seen)-1:]}).RoundTrip(req)
			}))
			resp, err := tr.RoundTrip(newRequest(t.Context(), createURL))
			if err != nil || resp.StatusCode != 200 || len(seen) != 4 {
				t.Fatal(resp, err, seen)
			}
			for i, a := range seen {
				for _, b := range seen[:i] {
					if a.Equal(b) {
						t.Errorf("%v ahead: signed for %v", ahead, seen)
					}
				}
			}
			if last := time.Until(seen[3]).Abs(); last > 5*time.Second {
				t.Errorf("%v ahead: the last is signed %v off", ahead, last)
			}
		})
	}
}

// A small offset, learnt from a server that minds it, is forgotten with the first reply of one
// that shows it to be gone.
func TestClockHealsWithoutRefusal(t *testing.T) {
	c := new(clock)
	at := func(ahead, roundTrip time.Duration) *evidence {
		return &evidence{status: 200, header: http.Header{"Date": {noon.Add(ahead).Format(http.TimeFormat)}}, received: noon, roundTrip: roundTrip}
	}
	c.learn(ClockSkew, at(3*time.Minute, 0), openapi.Fault{})
	for _, tt := range []struct {
		e    *evidence
		kept bool
	}{
		{at(3*time.Minute, 0), true},
		{&evidence{status: 200, header: http.Header{}, received: noon}, true},
		{&evidence{}, true},
		{at(0, 5*time.Minute), true}, // too slow to tell
		{at(0, time.Second), false},
	} {
		if c.learn(Success, tt.e, openapi.Fault{}); (c.ahead() != 0) != tt.kept {
			t.Fatalf("%v: %v ahead", tt.e, c.ahead())
		}
	}
}

// What shows no clock, or another's, corrects nothing.
func TestClockIsNotPoisoned(t *testing.T) {
	for name, base := range map[string]*skewed{
		"out of a cache":      {ahead: time.Hour, cache: true},
		"too long on its way": {ahead: 20 * time.Minute, takes: 11 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newLoop(base)
				tr.Policy.CallTimeout, tr.Policy.AttemptTimeout = time.Hour, 20*time.Minute
				resp, err := tr.RoundTrip(newRequest(t.Context(), createURL))
				if err != nil || resp.StatusCode != 400 || len(base.off) != 1 || tr.clock.ahead() != 0 {
					t.Errorf("%v, %v, %d attempts, %v ahead", resp, err, len(base.off), tr.clock.ahead())
				}
				if i, _ := InfoOfResponse(resp); i.Attempts[0].Class != Rejected || i.Outcome != NotDone {
					t.Errorf("%v, %v", i.Attempts[0].Class, i.Outcome)
				}
			})
		})
	}
}

// A gateway's Date may be wrong while the clock that refuses timestamps is right: a correction
// by it helps nobody, and is forgotten when it is refused itself.
func TestWrongCorrectionIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newLoop(baseFunc(func(req *http.Request) (*http.Response, error) {
			now := time.Now().UTC()
			signed, err := time.Parse(time.RFC3339, req.URL.Query().Get("Timestamp"))
			if err != nil {
				return nil, err
			}
			st := step{status: 200, body: okBody, header: http.Header{"Date": {now.Add(time.Hour).Format(http.TimeFormat)}}}
			if signed.Sub(now).Abs() > 15*time.Minute || req.URL.Query().Get("MinSize") == "2" {
				st.status, st.body = 400, `{"Code":"IllegalTimestamp","Message":"x"}`
			}
			return (&scripted{steps: []step{st}}).RoundTrip(req)
		}))
		for n, url := range []string{createURL, strings.Replace(createURL, "MinSize=1", "MinSize=2", 1), createURL} {
			resp, err := tr.RoundTrip(newRequest(t.Context(), url))
			if want := 200 + 200*(n%2); err != nil || resp.StatusCode != want {
				t.Fatalf("call %d: %v, %v", n+1, resp, err)
			}
		}
	})
}

// Servers whose clocks differ refuse each other's correction: the second one in a call waits.
func TestCorrectionsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		tr := newLoop(baseFunc(func(req *http.Request) (*http.Response, error) {
			n++
			date := time.Now().Add(time.Duration(n) * time.Hour).UTC().Format(http.TimeFormat)
			return (&scripted{steps: []step{{status: 400, body: `{"Code":"IllegalTimestamp","Message":"x"}`, header: http.Header{"Date": {date}}}}}).RoundTrip(req)
		}))
		tr.Policy.MaxAttempts = 4
		resp, err := tr.RoundTrip(newRequest(t.Context(), createURL))
		if err != nil {
			t.Fatal(err)
		}
		i, _ := InfoOfResponse(resp)
		for k, want := range []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond, 0} {
			if i.Attempts[k].Wait != want {
				t.Errorf("the wait after attempt %d is %v, want %v", k+1, i.Attempts[k].Wait, want)
			}
		}
	})
}

// When the machine's clock is set back in mid-call, the next attempt goes by it, and by no time
// that was signed before.
func TestMachineClockIsSetBack(t *testing.T) {
	c := &call{t: new(Transport)}
	sign := func(at time.Time) time.Time {
		t.Helper()
		a := Attempt{SignedAt: c.signingTime(at)}
		for _, before := range c.attempts {
			if a.SignedAt.Equal(before.SignedAt) {
				t.Errorf("signed for %v twice", a.SignedAt)
			}
		}
		c.attempts = append(c.attempts, a)
		return a.SignedAt
	}
	sign(noon)
	sign(noon.Add(time.Hour))
	for range 3 {
		if got := sign(noon); got.Sub(noon) > 5*time.Second || got.Before(noon) {
			t.Errorf("signed for %v at %v", got, noon)
		}
	}
}

// newLoop returns a Transport whose waits are exact.
func newLoop(base http.RoundTripper) *Transport {
	return &Transport{Base: base, Credentials: signer.Static(testKey), random: func() float64 { return 0.5 }}
}
