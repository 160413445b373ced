package otelretry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// seconds are the histograms' boundaries: those that the conventions give for HTTP, and
// beyond them up to what a call of many attempts may take.
var seconds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 30, 60, 120, 300}

// instruments are what the metrics are recorded with. Their attributes must have few
// values: each combination is a series of its own for as long as the program runs.
type instruments struct {
	calls, attempts, retries                 metric.Int64Counter
	callDuration, attemptDuration, waitTimes metric.Float64Histogram
}

func newInstruments(m metric.Meter) instruments {
	return instruments{
		calls:           counter(m, "aliretry.calls", "{call}", "Logical calls that have ended."),
		attempts:        counter(m, "aliretry.attempts", "{attempt}", "Attempts that have ended."),
		retries:         counter(m, "aliretry.retries", "{retry}", "Attempts after the first, by the class of the one before."),
		callDuration:    histogram(m, "aliretry.call.duration", "Duration of logical calls, with all attempts and delays."),
		attemptDuration: histogram(m, "aliretry.attempt.duration", "Duration of attempts, until the whole reply was there or none came."),
		waitTimes:       histogram(m, "aliretry.wait.duration", "Delays between attempts, by the class of the one before."),
	}
}

// counter makes an instrument. One that cannot be made records nothing, and the error goes
// where all of OpenTelemetry's go: a program is to make its calls all the same.
func counter(m metric.Meter, name, unit, description string) metric.Int64Counter {
	c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
	if err != nil {
		otel.Handle(err)
		return noop.Int64Counter{}
	}
	return c
}

// histogram is counter's like, for seconds.
func histogram(m metric.Meter, name, description string) metric.Float64Histogram {
	h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
		metric.WithExplicitBucketBoundaries(seconds...))
	if err != nil {
		otel.Handle(err)
		return noop.Float64Histogram{}
	}
	return h
}

// record counts something that has ended and tells how long it took. The context holds its
// span, to which an exemplar may point.
func record(ctx context.Context, count metric.Int64Counter, duration metric.Float64Histogram, took time.Duration, attributes []attribute.KeyValue) {
	by := metric.WithAttributeSet(attribute.NewSet(attributes...))
	count.Add(ctx, 1, by)
	duration.Record(ctx, took.Seconds(), by)
}
