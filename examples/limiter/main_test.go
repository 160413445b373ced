package main

import (
	"strings"
	"testing"

	"golang.org/x/time/rate"
)

// Under the limiter, no attempt is throttled; without it, all groups are made as well, by more.
func TestCreate(t *testing.T) {
	const quota, n = 100, 80
	attempts, effects, _, err := create(n, quota, nil)
	if err != nil || effects != n || attempts <= n {
		t.Errorf("without a limiter: %d effects by %d attempts, error %v", effects, attempts, err)
	}
	attempts, effects, _, err = create(n, quota, limiter{rate.NewLimiter(quota/2, 1)})
	if err != nil || effects != n || attempts != n {
		t.Errorf("with a limiter: %d effects by %d attempts, error %v", effects, attempts, err)
	}
}

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out); err != nil || strings.Count(out.String(), " 100 groups by ") != 2 {
		t.Errorf("error %v, output:\n%s", err, &out)
	}
}
