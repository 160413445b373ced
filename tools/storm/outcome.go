package main

import (
	"math"
	"slices"
	"time"

	"github.com/aliretry/aliretry/internal/storm"
)

// outcome is what is kept of a run. Shares and durations that there are none of are NaN and 0.
type outcome struct {
	scenario, model string
	calls, attempts int
	served          int     // calls that succeeded, in time or not
	extra           float64 // percent of the calls begun in the trouble
	load            float64 // attempts a second in the trouble
	peak            float64 // attempts in a second
	success         float64 // percent of the calls begun in the trouble
	after           float64 // percent of the calls begun after it
	duplicates      float64 // per 1,000 calls
	orphaned        float64 // per 1,000 calls
	p50, p99        time.Duration
	recovery        time.Duration
	ends, recovers  bool // the trouble, and the clients from it
	samples         []sample
}

// outcomeOf takes the whole run for the trouble where a scenario has none that begins and ends.
func outcomeOf(r *storm.Result) *outcome {
	sc := r.Scenario
	from, to := sc.Trouble()
	seconds := (to - from).Seconds()
	ends := to > 0 && to < sc.Duration
	if !ends {
		from, to, seconds = 0, math.MaxInt64, sc.Duration.Seconds()
	}
	total := r.Total()
	o := &outcome{
		scenario: sc.Name, model: r.Model, calls: total.Calls, attempts: total.Attempts, served: total.Succeeded,
		extra: 100 * r.ExtraLoad(from, to), success: 100 * r.SuccessShare(from, to), after: math.NaN(),
		load: float64(r.Sum(from, to).Attempts) / seconds, peak: float64(r.PeakLoad(0, math.MaxInt64)), duplicates: r.DuplicatesPer1000(),
		orphaned: 1000 * float64(total.Orphaned) / float64(max(1, total.Calls)),
		p50:      r.Latencies.Quantile(0.50), p99: r.Latencies.Quantile(0.99), ends: ends, samples: samplesOf(r.Seconds[:sc.Duration/time.Second]),
	}
	if ends {
		o.after = 100 * r.SuccessShare(to, sc.Duration)
		o.recovery, o.recovers = r.TimeToRecover(to)
	}
	return o
}

// sample is the mean of ten seconds.
type sample struct {
	from          time.Duration
	load, goodput float64 // attempts and calls that succeeded, a second
}

func samplesOf(seconds []storm.Second) []sample {
	const size = 10
	var samples []sample
	for chunk := range slices.Chunk(seconds, size) {
		s := sample{from: time.Duration(len(samples)) * size * time.Second}
		for _, second := range chunk {
			s.load += float64(second.Attempts) / float64(len(chunk))
			s.goodput += float64(second.Succeeded) / float64(len(chunk))
		}
		samples = append(samples, s)
	}
	return samples
}
