package otelretry_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/otelretry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// The Trace of a wrapped client tells what became of each attempt.
func ExampleNewTrace() {
	fake := retrytest.NewServer() // in place of Alibaba Cloud
	defer fake.Close()
	fake.Script(retrytest.Reply(503, "ServiceUnavailable", "The service is busy."))

	spans := tracetest.NewInMemoryExporter() // in place of an exporter to a collector
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	client, _ := ess.NewClientWithAccessKey("cn-qingdao", "testid", "testsecret")
	safe, err := retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), func(t *retry.Transport) {
		t.Trace = otelretry.NewTrace(otelretry.WithTracerProvider(tracers))
		t.Policy.Busy = retry.Delay{Base: 10 * time.Millisecond} // for the example to be quick
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer safe.Transport.CloseIdleConnections()

	request, response := ess.CreateCreateScalingGroupRequest(), ess.CreateCreateScalingGroupResponse()
	request.Domain, request.ScalingGroupName = fake.Host, "web-prod"
	err = safe.DoAction(context.Background(), request, response)
	fmt.Println(response.ScalingGroupId, err)
	for _, s := range spans.GetSpans() {
		fmt.Println(s.SpanKind, s.Name)
		for _, a := range s.Attributes {
			switch a.Key {
			case "aliretry.class", "http.request.resend_count", "aliretry.outcome", "aliretry.attempt_count":
				fmt.Println("  ", a.Key, a.Value.String())
			}
		}
	}
	// Output:
	// asg-00000001 <nil>
	// client Ess.CreateScalingGroup attempt
	//    aliretry.class Unavailable
	// client Ess.CreateScalingGroup attempt
	//    http.request.resend_count 1
	//    aliretry.class Success
	// internal Ess.CreateScalingGroup
	//    aliretry.outcome Done
	//    aliretry.attempt_count 2
}

// With a propagator, each attempt carries the ID of its own span to the server.
func ExampleWithPropagator() {
	fake := retrytest.NewServer()
	defer fake.Close()
	tracers := sdktrace.NewTracerProvider()
	client, _ := ess.NewClientWithAccessKey("cn-qingdao", "testid", "testsecret")
	_, err := retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), func(t *retry.Transport) {
		t.Trace = otelretry.NewTrace(otelretry.WithTracerProvider(tracers), otelretry.WithPropagator(propagation.TraceContext{}))
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	request := ess.CreateCreateScalingGroupRequest()
	request.Domain, request.ScalingGroupName = fake.Host, "web-prod"
	_, err = client.CreateScalingGroup(request)
	fmt.Println(err, len(fake.Attempts()[0].Header.Get("Traceparent")))
	// Output: <nil> 55
}
