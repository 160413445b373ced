package otelretry

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// scope names this package where spans and metrics tell what made them.
const scope = "github.com/aliretry/aliretry/retry/otelretry"

// Option sets up what [NewTrace] makes. A nil Option does nothing.
type Option func(*config)

type config struct {
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	propagator propagation.TextMapPropagator
}

// WithTracerProvider gives the spans to p. Nil means the default, the global provider of
// package otel, also where that is set later.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(c *config) { c.tracers = p }
}

// WithMeterProvider gives the metrics to p. Nil means the default, the global provider of
// package otel, also where that is set later.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(c *config) { c.meters = p }
}

// WithPropagator lets p put headers into each attempt, in the context of that attempt's
// span: [propagation.TraceContext] gives traceparent and tracestate. Nil means the
// default, none: the API is another company's, and learns nothing of the program's traces
// unless asked to. [propagation.Baggage] shows it all that the program has put into the
// baggage of the caller's context. Headers that the request has already stay as they are,
// and so do the signature and what it covers; see [retry.Trace].Header.
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(c *config) { c.propagator = p }
}

// telemetry is where the calls of one Trace report to. It is safe for concurrent use.
type telemetry struct {
	instruments
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator // nil: none
}

func newTelemetry(opts []Option) *telemetry {
	var c config
	for _, option := range opts {
		if option != nil {
			option(&c)
		}
	}
	if c.tracers == nil {
		c.tracers = otel.GetTracerProvider()
	}
	if c.meters == nil {
		c.meters = otel.GetMeterProvider()
	}
	return &telemetry{
		instruments: newInstruments(c.meters.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))),
		tracer:      c.tracers.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
		propagator:  c.propagator,
	}
}
