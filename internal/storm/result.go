package storm

import "time"

// Second is what happened in one second of a run.
type Second struct {
	Calls     int // begun
	Attempts  int // sent: the load that was offered
	Admitted  int // by the service, to be worked on
	Succeeded int // calls whose callers learned of success, by when they did
	Failed    int // calls whose callers learned of failure
	InTime    int // calls begun in this second that succeeded within the deadline
	Effects   int
	Duplicate int // effects beyond the first of their call
	Orphaned  int // calls that Failed, and have an effect or will yet have one
	Refused   int // calls that ended because a budget was spent
}

// Result is what a run came to. Its Seconds go on after the scenario's Duration, until all
// calls have ended and all work is done.
type Result struct {
	Scenario    *Scenario
	Model       string
	Seconds     []Second
	Latencies   Histogram // of calls that succeeded
	FailedAfter Histogram // of calls that failed
	Unfinished  int       // calls that had not ended when the run did
}

// Sum adds up the seconds from one moment to another, which must be whole seconds.
func (r *Result) Sum(from, to time.Duration) (sum Second) {
	n := len(r.Seconds)
	for _, s := range r.Seconds[min(n, int(from/time.Second)):min(n, int(to/time.Second))] {
		sum.Calls += s.Calls
		sum.Attempts += s.Attempts
		sum.Admitted += s.Admitted
		sum.Succeeded += s.Succeeded
		sum.Failed += s.Failed
		sum.InTime += s.InTime
		sum.Effects += s.Effects
		sum.Duplicate += s.Duplicate
		sum.Orphaned += s.Orphaned
		sum.Refused += s.Refused
	}
	return sum
}

// Total adds up all seconds.
func (r *Result) Total() Second { return r.Sum(0, never) }

// Amplification is how many attempts were sent in a time for each call that began in it.
func (r *Result) Amplification(from, to time.Duration) float64 {
	s := r.Sum(from, to)
	return ratio(s.Attempts, s.Calls)
}

// ExtraLoad is how many attempts more than calls there were, for each call.
func (r *Result) ExtraLoad(from, to time.Duration) float64 {
	s := r.Sum(from, to)
	return ratio(s.Attempts-s.Calls, s.Calls)
}

// SuccessShare is the part of the calls begun in a time that succeeded within the deadline, 1
// if none began.
func (r *Result) SuccessShare(from, to time.Duration) float64 {
	s := r.Sum(from, to)
	if s.Calls == 0 {
		return 1
	}
	return ratio(s.InTime, s.Calls)
}

// GoodputShare is how many calls begun in a time succeeded within the deadline for each request
// that was admitted in it. What is missing is work that nobody waited for any more, that
// failed, or that had been done before.
func (r *Result) GoodputShare(from, to time.Duration) float64 {
	s := r.Sum(from, to)
	return ratio(s.InTime, s.Admitted)
}

// DuplicatesPer1000 is how many effects too many there were for each thousand calls.
func (r *Result) DuplicatesPer1000() float64 {
	s := r.Total()
	return 1000 * ratio(s.Duplicate, s.Calls)
}

// PeakLoad is the largest number of attempts in any second of a time.
func (r *Result) PeakLoad(from, to time.Duration) int {
	peak, n := 0, len(r.Seconds)
	for _, s := range r.Seconds[min(n, int(from/time.Second)):min(n, int(to/time.Second))] {
		peak = max(peak, s.Attempts)
	}
	return peak
}

// TimeToRecover is how long after a moment, as a rule the end of the trouble, 99% of the calls of
// any ten seconds succeed within the deadline again, and do so to the end; false if they never do.
func (r *Result) TimeToRecover(after time.Duration) (time.Duration, bool) {
	const smooth = 10 * time.Second
	last := r.Scenario.Duration - smooth
	well := last + time.Second
	for well > after && r.SuccessShare(well-time.Second, well-time.Second+smooth) >= 0.99 {
		well -= time.Second
	}
	if well > last {
		return 0, false
	}
	return well - after, true
}

// ratio is 0 where there is nothing to divide.
func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
