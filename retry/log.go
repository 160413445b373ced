package retry

import (
	"context"
	"log/slog"
	"time"
)

// LogTrace returns a Trace that writes records to a logger: one at level Debug for each
// attempt, one at Info for each call that succeeded after more than one, and one at Warn for
// each that did not succeed. They show the client token, which finds a call again in any log,
// and hold no secrets. Each is written with the context of its call.
func LogTrace(logger *slog.Logger) *Trace {
	return &Trace{Call: func(ctx context.Context) *Trace {
		l := &callLog{Logger: logger, ctx: ctx, start: time.Now()}
		return &Trace{CallStart: l.callStart, AttemptEnd: l.attemptEnd, CallEnd: l.callEnd}
	}}
}

// callLog writes the records of one call.
type callLog struct {
	*slog.Logger
	ctx   context.Context
	start time.Time
	call  Info
}

func (l *callLog) callStart(i Info) { l.call = i }

func (l *callLog) attemptEnd(a Attempt) {
	if !l.Enabled(l.ctx, slog.LevelDebug) {
		return
	}
	attrs := append(l.identity(&l.call), slog.Int("attempt", a.Number), slog.String("class", a.Class.String()), slog.Duration("duration", a.Duration))
	attrs = append(attrs, answer(&a)...)
	if a.Wait > 0 {
		attrs = append(attrs, slog.Duration("wait", a.Wait))
	}
	l.LogAttrs(l.ctx, slog.LevelDebug, "attempt ended", attrs...)
}

func (l *callLog) callEnd(i Info) {
	n := len(i.Attempts)
	level, text := slog.LevelInfo, "call succeeded after retries"
	switch {
	case i.Replayed:
		text = "call replayed from the journal"
	case n == 0 || i.Attempts[n-1].Class != Success:
		level, text = slog.LevelWarn, "call failed"
	case i.RecordOpen:
		level, text = slog.LevelWarn, "call succeeded, and its record is open"
	case n == 1:
		return
	}
	if !l.Enabled(l.ctx, level) {
		return
	}
	attrs := append(l.identity(&i), slog.String("outcome", i.Outcome.String()), slog.Int("attempts", n),
		slog.Duration("duration", time.Since(l.start)), slog.String("reason", i.Reason))
	if n > 0 {
		last := &i.Attempts[n-1]
		attrs = append(append(attrs, slog.String("class", last.Class.String())), answer(last)...)
	}
	l.LogAttrs(l.ctx, level, text, attrs...)
}

// identity is what tells a call from others.
func (l *callLog) identity(i *Info) []slog.Attr {
	attrs := []slog.Attr{slog.String("action", i.Operation.Action), slog.String("version", i.Operation.Version), slog.String("host", i.Host)}
	if i.ClientToken != "" {
		attrs = append(attrs, slog.String("token", i.ClientToken))
	}
	if i.Key != "" {
		attrs = append(attrs, slog.String("key", i.Key))
	}
	return attrs
}

// answer is what an attempt brought.
func answer(a *Attempt) (attrs []slog.Attr) {
	if a.Status != 0 {
		attrs = append(attrs, slog.Int("status", a.Status))
	}
	for _, of := range [...]struct{ key, value string }{{"code", a.Code}, {"message", a.Message}, {"request", a.RequestID}} {
		if of.value != "" {
			attrs = append(attrs, slog.String(of.key, of.value))
		}
	}
	if a.Err != nil {
		attrs = append(attrs, slog.String("error", a.Err.Error()))
	}
	return attrs
}
