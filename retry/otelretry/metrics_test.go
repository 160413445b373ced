package otelretry_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// series are a metric's, by their attributes but for the operation's, which every one must
// have: a counter's values, or how many values a histogram has.
func series(t *testing.T, m metricdata.Metrics) map[string]int64 {
	t.Helper()
	all := make(map[string]int64)
	add := func(set attribute.Set, n int64) {
		var rest []string
		for _, text := range texts(set.ToSlice()) {
			if !slices.Contains([]string{"aliyun.product=Ess", "aliyun.version=2014-08-28", "aliyun.action=CreateScalingGroup"}, text) {
				rest = append(rest, text)
			}
		}
		if set.Len() != len(rest)+3 {
			t.Errorf("%s: %v lacks the operation", m.Name, set.ToSlice())
		}
		all[strings.Join(rest, " ")] += n
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		if !data.IsMonotonic {
			t.Errorf("%s is not monotonic", m.Name)
		}
		for _, p := range data.DataPoints {
			add(p.Attributes, p.Value)
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			if last := p.Bounds[len(p.Bounds)-1]; last < (2*time.Minute).Seconds() || p.Bounds[0] > 0.01 {
				t.Errorf("%s: boundaries %v do not fit seconds of calls", m.Name, p.Bounds)
			}
			add(p.Attributes, int64(p.Count))
		}
	default:
		t.Errorf("%s is a %T", m.Name, m.Data)
	}
	return all
}

// Every metric counts what happened in a mix of calls, and has no other attribute.
func TestMetrics(t *testing.T) {
	b := newBench(t)
	down := retrytest.Reply(500, "InternalError", "x")
	b.srv.Script(
		retrytest.OK(),
		retrytest.Reset().AfterEffect(), retrytest.Reply(400, "Throttling.User", "x"), retrytest.OK(),
		down, down, down,
		retrytest.Reply(403, "Forbidden.RAM", "x"),
	)
	for range 4 {
		b.createGroup(context.Background()) // two of them fail
	}
	b.createGroup(retry.WithToken(context.Background(), "\u00e9")) // is refused

	calls := map[string]int64{
		"aliretry.outcome=Done":                           2,
		"aliretry.outcome=NotDone error.type=NotSent":     1,
		"aliretry.outcome=NotDone error.type=Rejected":    1,
		"aliretry.outcome=Unknown error.type=ServerError": 1,
	}
	attempts := map[string]int64{
		"aliretry.class=Success http.response.status_code=200":     2,
		"aliretry.class=NoResponse":                                1,
		"aliretry.class=Throttled http.response.status_code=400":   1,
		"aliretry.class=ServerError http.response.status_code=500": 3,
		"aliretry.class=Rejected http.response.status_code=403":    1,
	}
	retries := map[string]int64{"aliretry.class=NoResponse": 1, "aliretry.class=Throttled": 1, "aliretry.class=ServerError": 2}
	waits := make(map[string]int64)
	for _, i := range b.infos {
		for _, a := range i.Attempts {
			if a.Wait > 0 {
				waits["aliretry.class="+a.Class.String()]++
			}
		}
	}
	want := map[string]struct {
		unit   string
		series map[string]int64
	}{
		"aliretry.calls":            {"{call}", calls},
		"aliretry.call.duration":    {"s", calls},
		"aliretry.attempts":         {"{attempt}", attempts},
		"aliretry.attempt.duration": {"s", attempts},
		"aliretry.retries":          {"{retry}", retries},
		"aliretry.wait.duration":    {"s", waits},
	}
	got := b.metrics()
	if len(got) != len(want) {
		t.Errorf("metrics %v", slices.Collect(maps.Keys(got)))
	}
	for name, w := range want {
		m := got[name]
		if m.Unit != w.unit || m.Description == "" {
			t.Errorf("%s is in %q: %q", name, m.Unit, m.Description)
		}
		if g := series(t, m); !maps.Equal(g, w.series) {
			t.Errorf("%s has %v; want %v", name, g, w.series)
		}
	}
}

// Durations are in seconds, and are those of the Info.
func TestDurations(t *testing.T) {
	b := newBench(t)
	b.srv.Script(retrytest.Reply(503, "ServiceUnavailable", "x"))
	if err := b.createGroup(context.Background()); err != nil {
		t.Fatal(err)
	}
	first, second := b.infos[0].Attempts[0], b.infos[0].Attempts[1]
	want := map[string]time.Duration{
		"aliretry.attempt.duration": first.Duration + second.Duration,
		"aliretry.wait.duration":    first.Wait,
	}
	m := b.metrics()
	for name, d := range want {
		if got := sum(m[name]); fmt.Sprintf("%.9f", got) != fmt.Sprintf("%.9f", d.Seconds()) {
			t.Errorf("%s is %v s; want %v", name, got, d)
		}
	}
	call, _ := b.one()
	if got, d := sum(m["aliretry.call.duration"]), call.EndTime.Sub(call.StartTime); fmt.Sprintf("%.9f", got) != fmt.Sprintf("%.9f", d.Seconds()) {
		t.Errorf("aliretry.call.duration is %v s; its span takes %v", got, d)
	}
}

func sum(m metricdata.Metrics) (s float64) {
	data, _ := m.Data.(metricdata.Histogram[float64])
	for _, p := range data.DataPoints {
		s += p.Sum
	}
	return s
}

// A delay that the caller's context cuts short counts as what was really waited, and the
// call failed for that and not for its last attempt.
func TestCanceledWait(t *testing.T) {
	b := newBench(t)
	b.client.Transport.Policy.Busy = retry.Delay{Base: time.Minute, Max: time.Minute}
	b.srv.Script(retrytest.Reply(503, "ServiceUnavailable", "x"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// Runs behind the hooks of the Transport's own Trace.
	ctx = retry.WithTrace(ctx, &retry.Trace{Wait: func(retry.Attempt) { cancel() }})
	request, response := groupRequest(b.srv)
	if err := b.client.DoAction(ctx, request, response); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	call, attempts := b.one()
	if len(attempts) != 1 || len(call.Events) != 1 || !slices.Contains(texts(call.Attributes), "error.type=Canceled") {
		t.Errorf("%d attempts, call %+v", len(attempts), call)
	}
	m := b.metrics()
	if got := series(t, m["aliretry.wait.duration"]); got["aliretry.class=Unavailable"] != 1 || sum(m["aliretry.wait.duration"]) > 30 {
		t.Errorf("waits %v, %v s in all, of a delay that was cut short", got, sum(m["aliretry.wait.duration"]))
	}
	if got, there := m["aliretry.retries"]; there {
		t.Errorf("retries %v, and none began", got)
	}
}
