package otelretry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/otelretry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// What a server writes may be no text at all; exporters would drop the whole batch for it.
func TestBadTextIsMended(t *testing.T) {
	b := newBench(t)
	body := "<Error><Code>Bad\xff</Code><Message>Very \xfe bad</Message></Error>"
	b.srv.Script(retrytest.Raw(400, "text/xml", body).WithHeader("X-Acs-Request-Id", "id\xff"))
	if err := b.createGroup(context.Background()); err == nil {
		t.Fatal("no error")
	}
	_, attempts := b.one()
	got := append(texts(attempts[0].Attributes), attempts[0].Status.Description)
	for _, text := range got {
		if !utf8.ValidString(text) {
			t.Errorf("%q is not valid UTF-8", text)
		}
	}
	if all := strings.Join(got, " "); !strings.Contains(all, "aliyun.request_id=id\uFFFD") {
		t.Errorf("the attempt has %q", all)
	}
}

// A span has a name also where little is known of the operation.
func TestNames(t *testing.T) {
	for want, o := range map[string]retry.Operation{
		"Ess.CreateScalingGroup": {Product: "Ess", Version: "2014-08-28", Action: "CreateScalingGroup"},
		"CreateThing":            {Version: "2026-01-01", Action: "CreateThing"},
		"CS":                     {Product: "CS", Version: "2015-12-15"},
		"aliretry call":          {},
	} {
		b := newBench(t)
		own := b.client.Transport.Trace.Call(context.Background())
		own.CallStart(retry.Info{Operation: o})
		own.CallEnd(retry.Info{Operation: o})
		call, _ := b.one()
		if call.Name != want {
			t.Errorf("%+v is named %q; want %q", o, call.Name, want)
		}
	}
}

// An error of a base transport that names the URL is told without it.
func TestURLIsNotTold(t *testing.T) {
	b := newBench(t)
	b.client.Transport.Policy.MaxAttempts = 1
	b.client.Transport.Base = failing{fmt.Errorf("the base: %w", &url.Error{Op: "Post", URL: "http://web-prod.example/clusters/c1", Err: io.ErrUnexpectedEOF})}
	if err := b.createGroup(context.Background()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	call, attempts := b.one()
	if got := attempts[0].Status.Description; got != "unexpected EOF" {
		t.Errorf("the attempt is described as %q", got)
	}
	if all := fmt.Sprintf("%+v %+v", call, attempts); strings.Contains(all, "example") {
		t.Errorf("the spans tell of the URL: %s", all)
	}
}

// failing is a base transport that fails with its error.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// A meter that refuses every instrument costs the metrics, and neither calls nor spans.
func TestRefusedInstruments(t *testing.T) {
	var told []error
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { told = append(told, err) }))
	t.Cleanup(func() { otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Print(err) })) })
	b := newBench(t, otelretry.WithMeterProvider(refusing{}))
	if err := b.createGroup(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, attempts := b.one(); len(attempts) != 1 || len(told) != 6 {
		t.Errorf("%d spans of attempts; the handler was told %v", len(attempts), told)
	}
}

// refusing provides a meter that makes no instrument.
type (
	refusing      struct{ noop.MeterProvider }
	refusingMeter struct{ noop.Meter }
)

func (refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

func (refusingMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errors.New("no " + name)
}

func (refusingMeter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errors.New("no " + name)
}
