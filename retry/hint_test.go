package retry

import (
	"context"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliretry/aliretry/signer"
)

// waitsOf makes a call with jitter fixed at one half, so that a first busy delay is 750 ms,
// and returns what the call's end was told, after checking that each wait lasted as long as
// the attempt before it says.
func waitsOf(t *testing.T, ctx context.Context, policy Policy, steps []step) Info {
	t.Helper()
	base := &scripted{steps: steps}
	var end Info
	tr := &Transport{Base: base, Credentials: signer.Static(testKey), Policy: policy, random: func() float64 { return 0.5 },
		Trace: &Trace{CallEnd: func(i Info) { end = i }}}
	resp, err := tr.RoundTrip(newRequest(ctx, createURL))
	if err == nil {
		_ = resp.Body.Close()
	}
	if len(base.seen) != len(steps) || len(end.Attempts) != len(steps) {
		t.Fatalf("%d attempts were made, %d told; want %d (%s)", len(base.seen), len(end.Attempts), len(steps), end.Reason)
	}
	for n, a := range end.Attempts[1:] {
		last := end.Attempts[n]
		if waited := base.at[n+1].Sub(base.at[n]) - last.Duration; waited != last.Wait || !a.Start.Equal(base.at[n+1]) {
			t.Errorf("attempt %d was sent %v after the one before, which says %v", n+2, waited, last.Wait)
		}
	}
	return end
}

// Each form of a server's hint, in each class that hears it: the wait is what it asks for,
// but never shorter than our own delay nor longer by more than 5 s. Nonsense is no hint.
func TestHints(t *testing.T) {
	const own, most, takes = 750 * time.Millisecond, 5750 * time.Millisecond, 300 * time.Millisecond
	in := func(d time.Duration, layout string) string {
		// The bubble's clock starts here; the reply to the first attempt is there 300 ms later.
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).Format(layout)
	}
	const seconds, ms, api, user = "Retry-After", "X-Acs-Retry-After", "X-Ratelimit-User-Api", "X-Ratelimit-User"
	tests := map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"none":                       {nil, own},
		"seconds":                    {map[string]string{seconds: "3"}, 3 * time.Second},
		"seconds, the last in reach": {map[string]string{seconds: "5"}, 5 * time.Second},
		"seconds, the first beyond":  {map[string]string{seconds: "6"}, most},
		"a day":                      {map[string]string{seconds: "86400"}, most},
		"68 years":                   {map[string]string{seconds: "2147483647"}, most},
		"no seconds":                 {map[string]string{seconds: "0"}, own},
		"negative seconds":           {map[string]string{seconds: "-3"}, own},
		"part of a second":           {map[string]string{seconds: "3.5"}, own},
		"seconds with a unit":        {map[string]string{seconds: "3s"}, own},
		"seconds in words":           {map[string]string{seconds: "soon"}, own},
		"more than any number":       {map[string]string{seconds: strings.Repeat("9", 30)}, own},
		"nothing":                    {map[string]string{seconds: ""}, own},

		"date":                  {map[string]string{seconds: in(4*time.Second, http.TimeFormat)}, 4*time.Second - takes},
		"date as of RFC 850":    {map[string]string{seconds: in(4*time.Second, "Monday, 02-Jan-06 15:04:05 GMT")}, 4*time.Second - takes},
		"date as of asctime":    {map[string]string{seconds: in(4*time.Second, time.ANSIC)}, 4*time.Second - takes},
		"date under our delay":  {map[string]string{seconds: in(time.Second, http.TimeFormat)}, own},
		"date beyond reach":     {map[string]string{seconds: in(7*time.Second, http.TimeFormat)}, most},
		"date in 8000 years":    {map[string]string{seconds: "Fri, 31 Dec 9999 23:59:59 GMT"}, most},
		"date of now":           {map[string]string{seconds: in(0, http.TimeFormat)}, own},
		"date an hour ago":      {map[string]string{seconds: in(-time.Hour, http.TimeFormat)}, own},
		"date of the year 1":    {map[string]string{seconds: "Mon, 01 Jan 0001 00:00:00 GMT"}, own},
		"date that is none":     {map[string]string{seconds: "Sat, 32 Jan 2000 00:00:04 GMT"}, own},
		"date of another zone":  {map[string]string{seconds: "Sat, 01 Jan 2000 08:00:04 +0800"}, own},
		"milliseconds":          {map[string]string{ms: "3001"}, 3001 * time.Millisecond},
		"few milliseconds":      {map[string]string{ms: "749"}, own},
		"a day of milliseconds": {map[string]string{ms: "86400000"}, most},
		"negative milliseconds": {map[string]string{ms: "-3000"}, own},
		"milliseconds in words": {map[string]string{ms: "3s"}, own},
		"too many milliseconds": {map[string]string{ms: strings.Repeat("9", 30)}, own},

		"TimeLeft of the API":    {map[string]string{api: "Period:SECOND,Limit:20,Remain:0,TimeLeft:3002"}, 3002 * time.Millisecond},
		"TimeLeft, first":        {map[string]string{api: "TimeLeft: 3002 ,Remain:0"}, 3002 * time.Millisecond},
		"TimeLeft of the user":   {map[string]string{user: "Remain:0,TimeLeft:3003"}, 3003 * time.Millisecond},
		"little TimeLeft":        {map[string]string{user: "Remain:0,TimeLeft:30"}, own},
		"TimeLeft of a day":      {map[string]string{user: "Remain:0,TimeLeft:86400000"}, most},
		"negative TimeLeft":      {map[string]string{api: "TimeLeft:-3000"}, own},
		"empty TimeLeft":         {map[string]string{api: "TimeLeft:"}, own},
		"TimeLeft in words":      {map[string]string{api: "TimeLeft:a while"}, own},
		"no TimeLeft":            {map[string]string{api: "Period:3000,Remain:3000"}, own},
		"TimeLeft of the second": {map[string]string{api: "Remain:0", user: "TimeLeft:3003"}, 3003 * time.Millisecond},

		"several: the standard's counts":     {map[string]string{seconds: "2", ms: "3001", api: "TimeLeft:3002"}, 2 * time.Second},
		"several: none is the standard's":    {map[string]string{ms: "3001", api: "TimeLeft:3002", user: "TimeLeft:3003"}, 3001 * time.Millisecond},
		"several: the API's own":             {map[string]string{api: "TimeLeft:3002", user: "TimeLeft:3003"}, 3002 * time.Millisecond},
		"several: the first makes no sense":  {map[string]string{seconds: "soon", ms: "3001"}, 3001 * time.Millisecond},
		"several: the second makes no sense": {map[string]string{ms: "soon", user: "TimeLeft:3003"}, 3003 * time.Millisecond},
	}
	// Classes that hear no hint wait by their own delay.
	deaf := map[string]struct {
		step
		own time.Duration
	}{
		"ServerError": {step{status: 500, body: internal}, 50 * time.Millisecond},
		"InProgress":  {step{status: 403, body: processing}, own},
		"NonceUsed":   {step{status: 400, body: nonceUsed}, 0},
	}
	hearing := map[string]step{
		"Throttled": {status: 400, body: throttling}, "429": {status: 429}, "Busy": {status: 400, body: `{"Code":"SystemBusy","Message":"x"}`},
		"Unavailable": {status: 503, body: unavailable}, "Unavailable without a body": {status: 503},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check := func(class string, first step, want time.Duration) {
				synctest.Test(t, func(t *testing.T) {
					first.takes, first.header = takes, make(http.Header)
					for key, value := range tt.header {
						first.header.Set(key, value)
					}
					i := waitsOf(t, context.Background(), Policy{}, []step{first, {status: 200, body: okBody}})
					if got := i.Attempts[0].Wait; got != want || i.Outcome != Done {
						t.Errorf("%s waits %v, want %v; outcome %v", class, got, want, i.Outcome)
					}
				})
			}
			for class, first := range hearing {
				check(class, first, tt.want)
			}
			for class, first := range deaf {
				check(class, first.step, first.own)
			}
		})
	}
}

// The window that a hint may choose in moves with our own delay.
func TestHintWindowGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hint := func(v string) step { return step{status: 503, header: http.Header{"Retry-After": {v}}} }
		i := waitsOf(t, context.Background(), Policy{}, []step{hint("99"), hint("99"), hint("9"), hint("4"), {err: syscall.ECONNRESET}, hint("99"), {status: 200, body: okBody}})
		for n, want := range []time.Duration{5750, 7250, 9000, 20250, 50, 27500, 0} {
			if got := i.Attempts[n].Wait; got != want*time.Millisecond {
				t.Errorf("wait %d is %v, want %v", n+1, got, want*time.Millisecond)
			}
		}
	})
}

// A hint beyond the deadline is neither waited for nor shortened: the call ends at once, and
// says why.
func TestHintsAndDeadline(t *testing.T) {
	tests := map[string]struct {
		context, call time.Duration
		hint          string
		waits         time.Duration // 0: not at all
		reason        string
	}{
		"in time":                      {context: 4 * time.Second, hint: "3", waits: 3 * time.Second},
		"past the context's end":       {context: 3 * time.Second, hint: "4", reason: "a wait of 4s would not leave 50ms before the deadline"},
		"up to what we keep of it":     {context: 3 * time.Second, hint: "3", reason: "a wait of 3s would not leave 50ms before the deadline"},
		"a day":                        {context: 5 * time.Second, hint: "86400", reason: "a wait of 5.75s would not leave 50ms before the deadline"},
		"a day, bounded to what fits":  {context: 6 * time.Second, hint: "86400", waits: 5750 * time.Millisecond},
		"leaves 50 ms":                 {call: 3050 * time.Millisecond, hint: "3", reason: "a wait of 3s would not leave 50ms"},
		"leaves a little more":         {call: 3050*time.Millisecond + 1, hint: "3", waits: 3 * time.Second},
		"not even our own delay fits":  {context: 100 * time.Millisecond, hint: "0", reason: "a wait of 750ms would not leave 50ms"},
		"our own does, the hint's not": {context: 2 * time.Second, hint: "4", reason: "a wait of 4s would not leave 50ms"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := context.Background()
				if tt.context > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.context)
					defer cancel()
				}
				steps := []step{{status: 429, header: http.Header{"Retry-After": {tt.hint}}}, {status: 200, body: okBody}}
				outcome := Done
				if tt.waits == 0 {
					steps, outcome = steps[:1], NotDone
				}
				start := time.Now()
				i := waitsOf(t, ctx, Policy{CallTimeout: tt.call}, steps)
				if took := time.Since(start); took != tt.waits || i.Attempts[0].Wait != tt.waits {
					t.Errorf("the call took %v, of which it says that it waited %v; want %v", took, i.Attempts[0].Wait, tt.waits)
				}
				if i.Outcome != outcome || !strings.Contains(i.Reason, tt.reason) {
					t.Errorf("outcome %v (%s), want %v (%s)", i.Outcome, i.Reason, outcome, tt.reason)
				}
			})
		})
	}
}
