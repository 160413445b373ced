package otelretry

import (
	"context"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/aliretry/aliretry/retry"
)

// NewTrace returns a Trace that makes spans and metrics of every call it is asked about:
// of all calls of a Transport as its Trace, of some as that of a context
// ([retry.WithTrace]). One that is both tells each call twice. Use [retry.JoinTraces] for
// hooks beside it. It may be shared by many Transports and goroutines, and lasts as long
// as the providers that it was made with. An instrument that the meter refuses is told to
// the error handler of package otel, and then records nothing.
func NewTrace(opts ...Option) *retry.Trace {
	t := newTelemetry(opts)
	return &retry.Trace{Call: func(ctx context.Context) *retry.Trace {
		if ctx == nil {
			ctx = context.Background()
		}
		c := &call{telemetry: t, ctx: ctx, start: time.Now()}
		own := &retry.Trace{
			CallStart:    c.callStart,
			AttemptStart: c.attemptStart,
			AttemptEnd:   c.attemptEnd,
			Wait:         c.wait,
			CallEnd:      c.callEnd,
		}
		if t.propagator != nil {
			own.Header = c.header
		}
		return own
	}}
}

// call is what is kept of one call. Its hooks run one after another, in an order that
// nothing here depends on.
type call struct {
	*telemetry
	ctx       context.Context // the caller's, and then with the call's span
	start     time.Time
	span      trace.Span           // nil until the operation is known
	operation []attribute.KeyValue // full, so that appending copies
	endpoint  []attribute.KeyValue // where attempts go
	name      string

	attempt        trace.Span // under way; nil if none is
	attemptContext context.Context

	last    retry.Attempt // the last that ended
	waiting time.Time     // since when; zero while no delay is under way
	ended   bool
}

// begin starts the call's span. Not the Call hook does, which a sampler could not tell the
// operation from, and behind which a redirect ends in nothing: it belongs to a call that
// has been told already.
func (c *call) begin(i retry.Info) {
	if c.span != nil {
		return
	}
	c.operation, c.name = slices.Clip(operationAttributes(i.Operation)), spanName(i.Operation)
	c.endpoint = endpointAttributes(i)
	c.ctx, c.span = c.tracer.Start(c.ctx, c.name,
		trace.WithSpanKind(trace.SpanKindInternal), // the conventions want no client span around those of attempts
		trace.WithTimestamp(c.start),
		trace.WithAttributes(appendText(c.operation, clientTokenKey, i.ClientToken)...))
}

func (c *call) callStart(i retry.Info) { c.begin(i) }

func (c *call) attemptStart(a retry.Attempt) {
	c.begin(retry.Info{})
	c.endWait()
	c.endAttempt(a.Start)
	attributes := c.with(c.endpoint...)
	if a.Number > 1 {
		c.retries.Add(c.ctx, 1, metric.WithAttributes(c.with(classKey.String(c.last.Class.String()))...))
		attributes = append(attributes, semconv.HTTPRequestResendCount(a.Number-1))
	}
	c.attemptContext, c.attempt = c.tracer.Start(c.ctx, c.name+" attempt",
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(a.Start),
		trace.WithAttributes(attributes...))
}

func (c *call) header(_ retry.Attempt, h http.Header) {
	if c.attempt != nil && h != nil {
		c.propagator.Inject(c.attemptContext, propagation.HeaderCarrier(h))
	}
}

func (c *call) attemptEnd(a retry.Attempt) {
	c.last = a
	result := resultAttributes(a)
	ctx := c.ctx
	if c.attempt != nil {
		ctx = c.attemptContext
	}
	record(ctx, c.attempts, c.attemptDuration, a.Duration, c.with(result...))
	if c.attempt == nil {
		return
	}
	if c.attempt.IsRecording() {
		c.attempt.SetAttributes(appendText(appendText(result, requestIDKey, a.RequestID), errorCodeKey, a.Code)...)
		if a.Class != retry.Success {
			fail(c.attempt, a.Class.String(), description(a))
		}
	}
	c.endAttempt(a.Start.Add(a.Duration)) // the hook runs later: renewing credentials comes before it
}

// endAttempt ends the span of the attempt under way, if there is one.
func (c *call) endAttempt(at time.Time) {
	if c.attempt != nil {
		c.attempt.End(trace.WithTimestamp(at))
		c.attempt, c.attemptContext = nil, nil
	}
}

func (c *call) wait(a retry.Attempt) {
	c.begin(retry.Info{})
	c.last, c.waiting = a, time.Now()
	c.span.AddEvent("aliretry.wait", trace.WithTimestamp(c.waiting),
		trace.WithAttributes(waitKey.Float64(a.Wait.Seconds()), classKey.String(a.Class.String())))
}

// endWait records the delay under way, if there is one. It is over, or cut short by the
// caller's context; what came after a whole one, such as fetching credentials, is not its.
func (c *call) endWait() {
	if c.waiting.IsZero() {
		return
	}
	waited := min(time.Since(c.waiting), c.last.Wait)
	c.waitTimes.Record(c.ctx, waited.Seconds(), metric.WithAttributes(c.with(classKey.String(c.last.Class.String()))...))
	c.waiting = time.Time{}
}

func (c *call) callEnd(i retry.Info) {
	if c.ended {
		return
	}
	c.ended = true
	now := time.Now()
	failure := errorType(i, !c.waiting.IsZero() && c.ctx.Err() != nil)
	c.begin(i)
	c.endWait()
	c.endAttempt(now)

	outcome := outcomeKey.String(i.Outcome.String())
	by := c.with(outcome)
	if failure != "" {
		by = append(by, semconv.ErrorTypeKey.String(failure))
	}
	record(c.ctx, c.calls, c.callDuration, now.Sub(c.start), by)
	if c.span.IsRecording() {
		c.span.SetAttributes(appendText([]attribute.KeyValue{outcome, attemptsKey.Int(len(i.Attempts))}, reasonKey, i.Reason)...)
		if failure != "" {
			fail(c.span, failure, clean(i.Reason))
		}
	}
	c.span.End(trace.WithTimestamp(now))
}

// with returns the operation's attributes and more.
func (c *call) with(more ...attribute.KeyValue) []attribute.KeyValue {
	return append(c.operation, more...)
}

// fail marks a span as that of something that failed.
func fail(s trace.Span, errorType, description string) {
	s.SetAttributes(semconv.ErrorTypeKey.String(errorType))
	s.SetStatus(codes.Error, description)
}
