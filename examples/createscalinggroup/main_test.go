package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	tests := map[string]struct {
		args []string
		last string // last line of the output
		err  string
	}{
		"a bad network":   {[]string{"-faults", "500-after,reset,reset-after,cutoff"}, "1 scaling group created by 5 attempts under 1 token", ""},
		"a good one":      {[]string{"-faults", "", "-name", "x"}, "1 scaling group created by 1 attempt under 1 token", ""},
		"rejected":        {[]string{"-faults", "rejected"}, "", "QuotaExceeded.ScalingGroup"},
		"unclear":         {[]string{"-faults", "500-after,rejected"}, "", "repeat the call with the same parameters and ClientToken"},
		"unknown fault":   {[]string{"-faults", "meteor"}, "", `no fault is named "meteor"`},
		"without any key": {[]string{"-endpoint", "ess.example.com"}, "", "no credentials"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
			t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
			var out bytes.Buffer
			err := run(context.Background(), &out, tt.args)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("error %v, want %q", err, tt.err)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if tt.last != "" && lines[len(lines)-1] != tt.last {
				t.Errorf("output ends with %q, want %q", lines[len(lines)-1], tt.last)
			}
		})
	}
}
