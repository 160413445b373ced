package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// result is what a row came to, in medians over the rounds.
type result struct {
	time          time.Duration
	bytes, allocs int64
	ratio         float64 // of its time to the first row's, in the same round
	least, most   float64 // ratios of single rounds
}

// measure goes through the rows once for each round, every other time backwards.
func (t table) measure(rounds int) ([]result, error) {
	seen := make([][]testing.BenchmarkResult, len(t.rows))
	for round := range rounds {
		for i := range t.rows {
			if round%2 == 1 {
				i = len(t.rows) - 1 - i
			}
			r, err := t.rows[i].benchmark()
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", t.title, t.rows[i].name, err)
			}
			seen[i] = append(seen[i], r)
		}
	}
	results := make([]result, len(t.rows))
	for i := range results {
		ratios := make([]float64, rounds)
		for round := range ratios {
			ratios[round] = nanoseconds(seen[i][round]) / nanoseconds(seen[0][round])
		}
		results[i] = result{
			time:   time.Duration(median(each(seen[i], nanoseconds))),
			bytes:  median(each(seen[i], testing.BenchmarkResult.AllocedBytesPerOp)),
			allocs: median(each(seen[i], testing.BenchmarkResult.AllocsPerOp)),
			ratio:  median(ratios), least: slices.Min(ratios), most: slices.Max(ratios),
		}
	}
	return results, nil
}

// benchmark runs the row once, for as long as the flag test.benchtime says.
func (r row) benchmark() (result testing.BenchmarkResult, err error) {
	result = testing.Benchmark(func(b *testing.B) { err = r.loop(b) })
	return result, err
}

func (r row) loop(b *testing.B) (err error) {
	b.ReportAllocs()
	for b.Loop() {
		if err == nil {
			err = r.do()
		}
	}
	return err
}

// nanoseconds is NsPerOp with its fraction.
func nanoseconds(r testing.BenchmarkResult) float64 { return float64(r.T) / float64(r.N) }

func each[T any](results []testing.BenchmarkResult, of func(testing.BenchmarkResult) T) []T {
	values := make([]T, len(results))
	for i, r := range results {
		values[i] = of(r)
	}
	return values
}

func median[T int64 | float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (t table) print(out io.Writer, results []result) {
	const line = "%-32s  %10s  %8v  %10v  %s\n"
	fmt.Fprintf(out, "\n%s\n\n", t.title)
	fmt.Fprintf(out, line, "", "time/op", "B/op", "allocs/op", "ratio (in single rounds)")
	for i, r := range results {
		ratio := "1"
		if i > 0 {
			ratio = fmt.Sprintf("%.2f (%.2f to %.2f)", r.ratio, r.least, r.most)
		}
		fmt.Fprintf(out, line, t.rows[i].name, fmt.Sprintf("%.2f µs", float64(r.time)/1000), r.bytes, r.allocs, ratio)
	}
	if t.note != "" {
		fmt.Fprintf(out, "\n%s\n", strings.TrimSpace(t.note))
	}
}
