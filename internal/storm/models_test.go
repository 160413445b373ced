package storm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// always is a source of one number, for jitter at either of its ends.
type always uint64

func (a always) Uint64() uint64 { return uint64(a) }

// play gives a call the replies, each to an attempt of one second, and returns its steps.
func play(p Program, source rand.Source, given ...Reply) (steps []Step) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	call, random := p.Call(now), rand.New(source)
	for _, reply := range given {
		now = now.Add(time.Second)
		step := call.Next(reply, now, random)
		steps = append(steps, step)
		if !step.Retry {
			break
		}
		now = now.Add(step.Delay)
	}
	return steps
}

// span is from where to where a wait may last.
type span struct{ least, most time.Duration }

func at(waits ...time.Duration) (spans []span) {
	for _, d := range waits {
		spans = append(spans, span{d, d})
	}
	return spans
}

var (
	broken = []Reply{Refused, Lost, TimedOut}
	failed = []Reply{Internal, Unavailable}
	later  = []Reply{Throttled, InProgress}
)

// What each model does where one reply comes again and again. A reply that no row of a model
// names ends the call.
var peers = []struct {
	model   *Model
	token   Token
	timeout time.Duration
	replies []Reply
	waits   []span
}{
	{NoRetry(), NoToken, 10 * time.Second, nil, nil},
	{AutoRetry(), NoToken, 10 * time.Second, slices.Concat(broken, failed), at(0, 0, 0)},
	{TerraformLoop(), TokenPerAttempt, time.Minute, slices.Concat(broken, failed, later),
		slices.Concat(at(3*time.Second), slices.Repeat(at(5*time.Second), 99))},
	{V2(), TokenPerCall, time.Minute, []Reply{Internal, Unavailable, Throttled}, at(100*time.Millisecond, 100*time.Millisecond)},
	{RetryableHTTP(), TokenPerCall, time.Minute, slices.Concat(broken, failed),
		at(time.Second, 2*time.Second, 4*time.Second, 8*time.Second)},
	{AWSStandard(), TokenPerCall, time.Minute, slices.Concat(broken, failed, later),
		[]span{{0, 2 * time.Second}, {0, 4 * time.Second}}},
	{AWSStandard2026(), TokenPerCall, time.Minute, slices.Concat(broken, failed),
		[]span{{0, 50 * time.Millisecond}, {0, 100 * time.Millisecond}}},
	{AWSStandard2026(), TokenPerCall, time.Minute, later,
		[]span{{0, time.Second}, {0, 2 * time.Second}}},
	{StripeLike(), TokenPerCall, 80 * time.Second, slices.Concat(broken, failed, []Reply{InProgress}),
		[]span{{500 * time.Millisecond, 500 * time.Millisecond}, {750 * time.Millisecond, time.Second}}},
}

func TestPeersRetry(t *testing.T) {
	waits := make(map[string]map[Reply][]span)
	for _, p := range peers {
		if waits[p.model.Name] == nil {
			waits[p.model.Name] = make(map[Reply][]span)
		}
		for _, reply := range p.replies {
			waits[p.model.Name][reply] = p.waits
		}
		if p.model.Token != p.token {
			t.Errorf("%s: token %d; want %d", p.model.Name, p.model.Token, p.token)
		}
		now := time.Time{}
		if got := p.model.Program().Call(now).Timeout(now); got != p.timeout {
			t.Errorf("%s: an attempt may last %v; want %v", p.model.Name, got, p.timeout)
		}
	}
	for _, m := range Peers() {
		for reply := range replies {
			want := waits[m.Name][reply]
			low := play(m.Program(), always(0), slices.Repeat([]Reply{reply}, 200)...)
			high := play(m.Program(), always(math.MaxUint64), slices.Repeat([]Reply{reply}, 200)...)
			if len(low) != len(want)+1 || len(high) != len(want)+1 {
				t.Errorf("%s, reply %d: %d and %d attempts; want %d", m.Name, reply, len(low), len(high), len(want)+1)
				continue
			}
			for i, w := range want {
				least, most := min(low[i].Delay, high[i].Delay), max(low[i].Delay, high[i].Delay)
				if (least-w.least).Abs() > 1 || (most-w.most).Abs() > 1 { // a nanosecond, by rounding
					t.Errorf("%s, reply %d: retry %d comes after %v to %v; want %v to %v", m.Name, reply, i+1, least, most, w.least, w.most)
				}
			}
			if last := low[len(low)-1]; last.Success != (reply == OK) || last.Refused {
				t.Errorf("%s, reply %d: the call ends with %+v", m.Name, reply, last)
			}
		}
	}
}

func TestPeersSucceed(t *testing.T) {
	for _, m := range Peers()[1:] {
		steps := play(m.Program(), always(0), Internal, OK)
		if len(steps) != 2 || steps[1] != (Step{Success: true}) {
			t.Errorf("%s: after a failure and a success: %+v", m.Name, steps)
		}
	}
}

// A Terraform run learns of the failure when its time is up, and does not begin a wait that
// would not fit.
func TestTerraformLimit(t *testing.T) {
	steps := play(TerraformLoop().Program(), always(0), slices.Repeat([]Reply{Unavailable}, 200)...)
	var passed time.Duration
	for _, step := range steps {
		passed += time.Second + step.Delay
	}
	if last := steps[len(steps)-1]; passed != 10*time.Minute || last != (Step{Delay: time.Second}) {
		t.Errorf("ends after %v with %+v", passed, last)
	}
	call := TerraformLoop().Program().Call(time.Time{})
	if got := call.Next(TimedOut, time.Time{}.Add(time.Hour), rand.New(always(0))); got != (Step{}) {
		t.Errorf("after an attempt beyond the limit: %+v", got)
	}
}

// The state of the bucket of 500 tokens after the calls, given as their replies.
func TestAWSBucket(t *testing.T) {
	fail := func(reply Reply) []Reply { return slices.Repeat([]Reply{reply}, 3) }
	for _, c := range []struct {
		name          string
		calls         [][]Reply
		legacy, y2026 int
	}{
		{"two retries each, for good", [][]Reply{fail(Internal), fail(Unavailable)}, 480, 444},
		{"timeouts", [][]Reply{fail(TimedOut)}, 480, 472},
		{"throttling", [][]Reply{fail(Throttled), fail(InProgress)}, 480, 480},
		{"mixed in a call", [][]Reply{{TimedOut, Throttled, Lost}}, 485, 481},
		{"success earns nothing beyond the bucket", [][]Reply{{OK}}, 500, 500},
		{"success without retries earns 1", [][]Reply{fail(Lost), {OK}}, 491, 473},
		{"one retry is given back, and in the old mode 1 more", [][]Reply{fail(Lost), {Lost, OK}}, 491, 472},
		{"of two retries the last is", [][]Reply{fail(Lost), {TimedOut, Throttled, OK}}, 481, 458},
	} {
		for i, m := range []*Model{AWSStandard(), AWSStandard2026()} {
			p := m.Program()
			for _, given := range c.calls {
				play(p, always(0), given...)
			}
			if got, want := p.(*awsProgram).tokens, []int{c.legacy, c.y2026}[i]; got != want {
				t.Errorf("%s, %s: %d tokens left; want %d", m.Name, c.name, got, want)
			}
		}
	}
}

// An empty bucket ends a call after its first attempt, and only in its own program.
func TestAWSRefused(t *testing.T) {
	for _, c := range []struct {
		model  *Model
		reply  Reply
		before int // calls with two retries each
		rest   int // attempts of the call after them
	}{
		{AWSStandard(), Internal, 50, 1},
		{AWSStandard(), TimedOut, 25, 1},
		{AWSStandard2026(), Internal, 17, 2},
		{AWSStandard2026(), Throttled, 50, 1},
	} {
		p, given := c.model.Program(), slices.Repeat([]Reply{c.reply}, 3)
		for i := range c.before {
			if n := len(play(p, always(0), given...)); n != 3 {
				t.Fatalf("%s, reply %d, call %d: %d attempts", c.model.Name, c.reply, i+1, n)
			}
		}
		if steps := play(p, always(0), given...); len(steps) != c.rest || steps[c.rest-1] != (Step{Refused: true}) {
			t.Errorf("%s, reply %d: with what is left: %+v", c.model.Name, c.reply, steps)
		}
		if steps := play(c.model.Program(), always(0), given...); len(steps) != 3 {
			t.Errorf("%s, reply %d: another program's call: %+v", c.model.Name, c.reply, steps)
		}
	}
}
