package otelretry_test

import (
	"context"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/otelretry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// TestMain keeps the SDK, which asks the environment, from looking for 127.0.0.1 behind a
// proxy.
func TestMain(m *testing.M) {
	os.Setenv("NO_PROXY", "127.0.0.1")
	os.Exit(m.Run())
}

// bench is an endpoint, a client whose calls go there, and what these report.
type bench struct {
	*testing.T
	srv    *retrytest.Server
	client *retry.Client
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
	tracer trace.Tracer // of the program that makes the calls

	infos []retry.Info // of the calls that have ended, in order
}

// newBench wraps a client with a Trace that has the options given. Its waits are short.
func newBench(t *testing.T, opts ...otelretry.Option) *bench {
	t.Helper()
	b := &bench{T: t, srv: retrytest.NewServer(), spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	t.Cleanup(b.srv.Close)
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(b.spans))
	b.tracer = tracers.Tracer("program")
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(b.reader))
	client, err := ess.NewClientWithAccessKey("cn-qingdao", "testid", "testsecret")
	if err != nil {
		t.Fatal(err)
	}
	opts = append([]otelretry.Option{nil, otelretry.WithTracerProvider(tracers), otelretry.WithMeterProvider(meters)}, opts...)
	b.client, err = retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), func(tr *retry.Transport) {
		tr.Policy.Transient = retry.Delay{Base: time.Millisecond, Max: 5 * time.Millisecond}
		tr.Policy.Busy = tr.Policy.Transient
		tr.Policy.MaxAttempts = 3
		tr.Trace = otelretry.NewTrace(opts...)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.client.Transport.CloseIdleConnections)
	return b
}

// endpoint is what the span of each attempt says of where it went.
func (b *bench) endpoint() []string {
	host, port, _ := net.SplitHostPort(b.srv.Host)
	return []string{"http.request.method=POST", "server.address=" + host, "server.port=" + port, "url.scheme=http"}
}

// createGroup makes a call, and keeps its Info.
func (b *bench) createGroup(ctx context.Context, change ...func(*ess.CreateScalingGroupRequest)) error {
	request, response := groupRequest(b.srv)
	for _, f := range change {
		f(request)
	}
	keep := &retry.Trace{CallEnd: func(i retry.Info) { b.infos = append(b.infos, i) }}
	return b.client.DoAction(retry.WithTrace(ctx, keep), request, response)
}

func groupRequest(srv *retrytest.Server) (*ess.CreateScalingGroupRequest, *ess.CreateScalingGroupResponse) {
	request := ess.CreateCreateScalingGroupRequest()
	request.Domain, request.ScalingGroupName = srv.Host, "web-prod"
	return request, ess.CreateCreateScalingGroupResponse()
}

// one returns the spans of the only call so far: its own, and its attempts' by their start.
func (b *bench) one() (call tracetest.SpanStub, attempts tracetest.SpanStubs) {
	b.Helper()
	calls := 0
	for _, s := range b.spans.GetSpans() {
		switch s.SpanKind {
		case trace.SpanKindClient:
			attempts = append(attempts, s)
		case trace.SpanKindInternal:
			call = s
			calls++
		}
	}
	if calls != 1 {
		b.Fatalf("%d spans of calls; want 1", calls)
	}
	slices.SortFunc(attempts, func(x, y tracetest.SpanStub) int { return x.StartTime.Compare(y.StartTime) })
	return call, attempts
}

// metrics returns what has been recorded, by name.
func (b *bench) metrics() map[string]metricdata.Metrics {
	b.Helper()
	var all metricdata.ResourceMetrics
	if err := b.reader.Collect(context.Background(), &all); err != nil {
		b.Fatal(err)
	}
	byName := make(map[string]metricdata.Metrics)
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			byName[m.Name] = m
		}
	}
	return byName
}

// texts are attributes as "key=value", sorted.
func texts(attributes []attribute.KeyValue) []string {
	var all []string
	for _, a := range attributes {
		all = append(all, string(a.Key)+"="+a.Value.String())
	}
	slices.Sort(all)
	return all
}

// checkAttributes compares attributes with those wanted, in any order.
func checkAttributes(t *testing.T, what string, got []attribute.KeyValue, want ...string) {
	t.Helper()
	slices.Sort(want)
	if g := texts(got); !slices.Equal(g, want) {
		t.Errorf("%s has\n%q; want\n%q", what, g, want)
	}
}
