package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aliretry/aliretry/retry/retrytest"
)

// faults are the names that -faults takes.
var faults = map[string]retrytest.Fault{
	"ok":          retrytest.OK(),
	"500":         retrytest.Reply(500, "InternalError", "The request processing has failed due to some unknown error."),
	"500-after":   retrytest.Reply(500, "InternalError", "The request processing has failed due to some unknown error.").AfterEffect(),
	"503":         retrytest.Reply(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
	"503-after":   retrytest.Reply(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.").AfterEffect(),
	"reset":       retrytest.Reset(),
	"reset-after": retrytest.Reset().AfterEffect(),
	"hang-after":  retrytest.Hang().AfterEffect(),
	"cutoff":      retrytest.CutOff(),
	"later":       retrytest.Reply(409, "OperationConflict", "Request was denied due to conflict with a previous request, please try again later."),
	"throttled":   retrytest.Reply(400, "Throttling.User", "Request was denied due to user flow control."),
	"rejected":    retrytest.Reply(403, "QuotaExceeded.ScalingGroup", "The quota of scaling groups is exceeded."),
}

func faultNames() string { return strings.Join(slices.Sorted(maps.Keys(faults)), ", ") }

// parseFaults reads a schedule such as "500-after,reset".
func parseFaults(schedule string) ([]retrytest.Fault, error) {
	var out []retrytest.Fault
	for name := range strings.SplitSeq(schedule, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		f, ok := faults[name]
		if !ok {
			return nil, fmt.Errorf("no fault is named %q: choose from %s", name, faultNames())
		}
		out = append(out, f)
	}
	return out, nil
}
