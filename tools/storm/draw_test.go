package main

import (
	"slices"
	"testing"

	"gonum.org/v1/plot"
)

func TestGrouped(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.2: "0.2", 2.5: "2.5", 12: "12", 999: "999", 1000: "1,000", 1234567: "1,234,567", -45000: "-45,000"} {
		if got := grouped(v); got != want {
			t.Errorf("grouped(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestTicks(t *testing.T) {
	tests := map[string]struct {
		ticker   plot.Ticker
		min, max float64
		want     []string
	}{
		"minutes":        {linearTicks{}, 0, 20, []string{"0", "5", "10", "15", "20"}},
		"around the end": {linearTicks{}, 13, 17, []string{"13", "14", "15", "16", "17"}},
		"percent":        {linearTicks{}, 0, 100, []string{"0", "20", "40", "60", "80", "100"}},
		"thousands":      {linearTicks{}, 0, 3180, []string{"0", "500", "1,000", "1,500", "2,000", "2,500", "3,000"}},
		"decades":        {logTicks{}, 5, 70_000, []string{"10", "100", "1,000", "10,000"}},
		"a few decades":  {logTicks{}, 80, 12_000, []string{"100", "200", "500", "1,000", "2,000", "5,000", "10,000"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, tick := range tt.ticker.Ticks(tt.min, tt.max) {
				if tick.Label != "" {
					got = append(got, tick.Label)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("labels are %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLooksDiffer(t *testing.T) {
	if models := len(newStudy(small, 1).models); models > len(looks) {
		t.Errorf("%d models, and %d looks", models, len(looks))
	}
	for i, a := range looks {
		for _, b := range looks[:i] {
			if a.Color == b.Color && slices.Equal(a.Dashes, b.Dashes) {
				t.Errorf("%+v is there twice", a)
			}
		}
	}
}
