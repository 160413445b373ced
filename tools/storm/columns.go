package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// column is one number of an outcome, as tables show it.
type column struct {
	id, head string
	cell     func(*outcome) string
}

var columns = []column{
	{"calls", "calls", func(o *outcome) string { return grouped(float64(o.calls)) }},
	{"attempts", "attempts", func(o *outcome) string { return grouped(float64(o.attempts)) }},
	{"served", "successes", func(o *outcome) string { return grouped(float64(o.served)) }},
	{"extra", "extra load, %", func(o *outcome) string { return percent(o.extra) }},
	{"load", "load, /s", func(o *outcome) string { return grouped(o.load) }},
	{"peak", "peak load, /s", func(o *outcome) string { return grouped(o.peak) }},
	{"success", "success, %", func(o *outcome) string { return percent(o.success) }},
	{"after", "success after it, %", func(o *outcome) string { return percent(o.after) }},
	{"recovery", "recovery", recoveryCell},
	{"duplicates", "duplicates per 1,000", func(o *outcome) string { return fmt.Sprintf("%.1f", o.duplicates) }},
	{"orphaned", "orphans per 1,000", func(o *outcome) string { return fmt.Sprintf("%.1f", o.orphaned) }},
	{"p50", "p50", func(o *outcome) string { return shortTime(o.p50) }},
	{"p99", "p99", func(o *outcome) string { return shortTime(o.p99) }},
}

func columnOf(id string) (column, error) {
	for _, c := range columns {
		if c.id == id {
			return c, nil
		}
	}
	return column{}, fmt.Errorf("no column %q", id)
}

func recoveryCell(o *outcome) string {
	switch {
	case !o.ends:
		return "-"
	case !o.recovers:
		return "never"
	case o.recovery == 0:
		return "at once"
	}
	return shortTime(o.recovery)
}

func percent(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v >= 1000:
		return grouped(v)
	}
	return fmt.Sprintf("%.1f", v)
}

// shortTime rounds to what a reader compares.
func shortTime(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// markdown is a table whose first column is text and whose others are numbers.
func markdown(head []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	b.WriteString("|---|" + strings.Repeat("---:|", len(head)-1) + "\n")
	for _, r := range rows {
		line(r)
	}
	return b.String()
}
