package otelretry_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/otelretry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// Hooks in any order, twice or with nothing in them, do no harm, and leave no span open.
func TestHooksInAnyOrder(t *testing.T) {
	a := retry.Attempt{Number: 2, Start: time.Now(), Class: retry.NoResponse, Err: errors.New("x"), Wait: time.Second}
	steps := map[string]func(*retry.Trace){
		"CallStart":    func(h *retry.Trace) { h.CallStart(retry.Info{}) },
		"AttemptStart": func(h *retry.Trace) { h.AttemptStart(a) },
		"Header":       func(h *retry.Trace) { h.Header(a, http.Header{}) },
		"nil Header":   func(h *retry.Trace) { h.Header(a, nil) },
		"AttemptEnd":   func(h *retry.Trace) { h.AttemptEnd(a) },
		"zero attempt": func(h *retry.Trace) { h.AttemptEnd(retry.Attempt{Class: 255}) },
		"Wait":         func(h *retry.Trace) { h.Wait(a) },
		"CallEnd":      func(h *retry.Trace) { h.CallEnd(retry.Info{Attempts: []retry.Attempt{a}}) },
	}
	var noContext context.Context
	meters := otelretry.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())))
	for x, first := range steps {
		for y, second := range steps {
			for z, third := range steps {
				opened := &openSpans{}
				tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(opened))
				trace := otelretry.NewTrace(meters, otelretry.WithTracerProvider(tracers), otelretry.WithPropagator(propagation.TraceContext{}))
				own := trace.Call(noContext)
				first(own)
				second(own)
				third(own)
				own.CallEnd(retry.Info{})
				if x != "CallEnd" && y != "CallEnd" && opened.n != 0 {
					t.Errorf("%s, %s, %s: %d spans are open", x, y, z, opened.n)
				}
			}
		}
	}
}

// openSpans counts the spans that have not ended.
type openSpans struct {
	sdktrace.SpanProcessor // none: the other methods are not called
	n                      int
}

func (o *openSpans) OnStart(context.Context, sdktrace.ReadWriteSpan) { o.n++ }
func (o *openSpans) OnEnd(sdktrace.ReadOnlySpan)                     { o.n-- }

// A sampler learns the operation, and what it drops still leads its attempts' headers.
func TestSampler(t *testing.T) {
	seen := &sampler{}
	b := newBench(t, otelretry.WithPropagator(propagation.TraceContext{}),
		otelretry.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSampler(seen))))
	b.srv.Script(retrytest.Reply(500, "InternalError", "x"))
	if err := b.createGroup(context.Background()); err != nil {
		t.Fatal(err)
	}
	operation := "aliyun.action=CreateScalingGroup aliyun.product=Ess aliyun.version=2014-08-28"
	want := []string{
		"Ess.CreateScalingGroup: aliyun.action=CreateScalingGroup aliyun.client_token=" + b.infos[0].ClientToken + " aliyun.product=Ess aliyun.version=2014-08-28",
		"Ess.CreateScalingGroup attempt: " + operation + " " + strings.Join(b.endpoint(), " "),
		"Ess.CreateScalingGroup attempt: " + operation + " http.request.method=POST http.request.resend_count=1 " + strings.Join(b.endpoint()[1:], " "),
	}
	if !slices.Equal(seen.asked, want) {
		t.Errorf("the sampler was asked for %q; want %q", seen.asked, want)
	}
	for _, a := range b.srv.Attempts() {
		if p := parentOf(a.Header); !p.IsValid() || p.IsSampled() {
			t.Errorf("attempt %d carries %q; want a trace that is not sampled", a.Number, a.Header["Traceparent"])
		}
	}
}

// sampler drops all, and keeps what it was asked.
type sampler struct{ asked []string }

func (s *sampler) Description() string { return "drops all" }

func (s *sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	s.asked = append(s.asked, p.Name+": "+strings.Join(texts(p.Attributes), " "))
	return sdktrace.SamplingResult{Decision: sdktrace.Drop}
}

// early is a Trace without options, made before the global providers are set: otel takes
// them over once in a process.
var early = otelretry.NewTrace(otelretry.WithTracerProvider(nil), otelretry.WithMeterProvider(nil), otelretry.WithPropagator(nil))

var globals = sync.OnceValues(func() (*tracetest.InMemoryExporter, *sdkmetric.ManualReader) {
	spans := tracetest.NewInMemoryExporter()
	reader := sdkmetric.NewManualReader(sdkmetric.WithTemporalitySelector(func(sdkmetric.InstrumentKind) metricdata.Temporality {
		return metricdata.DeltaTemporality
	}))
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)))
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	return spans, reader
})

// Without options, the global providers get it all, also where they are set later.
func TestGlobalProviders(t *testing.T) {
	b := newBench(t)
	b.spans, b.reader = globals()
	b.spans.Reset()
	b.client.Transport.Trace = early
	if err := b.createGroup(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, attempts := b.one()
	if calls := series(t, b.metrics()["aliretry.calls"]); len(attempts) != 1 || calls["aliretry.outcome=Done"] != 1 {
		t.Errorf("%d spans of attempts; calls %v", len(attempts), calls)
	}
}
