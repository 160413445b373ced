package retry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// One line makes a client of the SDK safe; the code that uses it stays as it is.
func ExampleWrap() {
	fake := retrytest.NewServer() // in place of Alibaba Cloud
	defer fake.Close()
	fake.Script(retrytest.Reset().AfterEffect()) // the group is made, and the reply is lost

	client, _ := ess.NewClientWithAccessKey("cn-qingdao", "testid", "testsecret")
	if _, err := retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret")); err != nil {
		fmt.Println(err)
		return
	}

	request := ess.CreateCreateScalingGroupRequest()
	request.Domain = fake.Host
	request.ScalingGroupName, request.MinSize, request.MaxSize = "web-prod", "2", "20"
	response, err := client.CreateScalingGroup(request)
	fmt.Println(response.ScalingGroupId, err)
	fmt.Println(len(fake.Attempts()), "attempts,", len(fake.Effects()), "effect")
	// Output:
	// asg-00000001 <nil>
	// 2 attempts, 1 effect
}

// An Option sets fields of the Transport.
func ExampleOption() {
	client, _ := ess.NewClientWithAccessKey("cn-qingdao", "testid", "testsecret")
	safe, err := retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), func(t *retry.Transport) {
		t.Policy.MaxAttempts = 5
		t.Policy.CallTimeout = time.Minute
	})
	fmt.Println(safe.Transport.Policy.MaxAttempts, err)
	// Output: 5 <nil>
}

// DoAction is the SDK's, with a context.
func ExampleClient_DoAction() {
	fake := retrytest.NewServer()
	defer fake.Close()
	client, _ := ess.NewClientWithAccessKey("cn-qingdao", "testid", "testsecret")
	safe, err := retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	request, response := ess.CreateCreateScalingGroupRequest(), ess.CreateCreateScalingGroupResponse()
	request.Domain = fake.Host
	request.ScalingGroupName = "web-prod"
	err = safe.DoAction(ctx, request, response)
	fmt.Println(response.ScalingGroupId, err)
	// Output: asg-00000001 <nil>
}

// A Transport signs and retries the requests of a plain http.Client.
func ExampleTransport() {
	fake := retrytest.NewServer()
	defer fake.Close()
	fake.Script(retrytest.Reply(500, "InternalError", "The request processing has failed due to some unknown error."))

	client := &http.Client{Transport: &retry.Transport{
		Credentials: signer.Static(signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}),
	}}
	defer client.CloseIdleConnections()
	resp, err := client.Post(fake.URL+"/?Action=CreateVpc&Version=2016-04-28&Format=JSON&VpcName=web", "", nil)
	if err != nil {
		fmt.Println(retry.Redact(err))
		return
	}
	defer resp.Body.Close()
	info, _ := retry.InfoOfResponse(resp)
	fmt.Println(resp.Status, info.Outcome, len(info.Attempts), "attempts")
	// Output: 200 OK Done 2 attempts
}

// InfoOf tells what is known about a call that failed, from the SDK's own error.
func ExampleInfoOf() {
	fake := retrytest.NewServer()
	defer fake.Close()
	fake.Script(retrytest.Reply(403, "QuotaExceeded.ScalingGroup", "The quota of scaling groups is exceeded."))
	client, _ := ess.NewClientWithAccessKey("cn-qingdao", "testid", "testsecret")
	_, _ = retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"))

	request := ess.CreateCreateScalingGroupRequest()
	request.Domain = fake.Host
	_, err := client.CreateScalingGroup(request)
	var server *sdkerrors.ServerError
	if errors.As(err, &server) {
		fmt.Println(server.ErrorCode())
	}
	if info, ok := retry.InfoOf(err); ok {
		fmt.Println(info.Outcome, "after", len(info.Attempts), "attempt:", info.Reason)
	}
	// Output:
	// QuotaExceeded.ScalingGroup
	// NotDone after 1 attempt: Rejected is not retried
}

// A call that ended Unknown is resumed under its token, here or in another process.
func ExampleWithToken() {
	fake := retrytest.NewServer()
	defer fake.Close()
	fake.Script(retrytest.Reset().AfterEffect())
	client, _ := ess.NewClientWithAccessKey("cn-qingdao", "testid", "testsecret")
	safe, _ := retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), func(t *retry.Transport) { t.Policy.MaxAttempts = 1 })
	create := func(ctx context.Context) (string, error) {
		request, response := ess.CreateCreateScalingGroupRequest(), ess.CreateCreateScalingGroupResponse()
		request.Domain, request.ScalingGroupName = fake.Host, "web-prod"
		err := safe.DoAction(ctx, request, response)
		return response.ScalingGroupId, err
	}

	_, err := create(context.Background())
	info, _ := retry.InfoOf(err)
	fmt.Println(info.Outcome)
	id, err := create(retry.WithToken(context.Background(), info.ClientToken)) // the same parameters
	fmt.Println(id, err, len(fake.Effects()), "effect")
	// Output:
	// Unknown
	// asg-00000001 <nil> 1 effect
}

// Lookup tells beforehand what will become of a call whose reply is lost.
func ExampleLookup() {
	for _, name := range [][2]string{{"2014-08-28", "CreateScalingGroup"}, {"2014-08-28", "CreateScalingRule"}, {"2015-12-15", "DeleteCluster"}} {
		o, known := retry.Lookup(name[0], name[1])
		fmt.Printf("%v: token %v, %v; known %v, repeated %v\n", o, o.Token, o.Safety, known, o.Repeated())
	}
	// Output:
	// Ess 2014-08-28 CreateScalingGroup: token ClientToken, unsafe; known true, repeated true
	// Ess 2014-08-28 CreateScalingRule: token none, unsafe; known true, repeated false
	// CS 2015-12-15 DeleteCluster: token none, replay-safe; known true, repeated true
}

// Policy.Operations has what the catalogue lacks: an operation newer than it, and codes of
// a state that passes.
func ExamplePolicy_operations() {
	fake := retrytest.NewServer()
	defer fake.Close()
	fake.Script(
		retrytest.Reply(400, "IncorrectStatus.Vpc", "The status of the VPC does not support this operation."),
		retrytest.Reset().AfterEffect(),
	)
	t := &retry.Transport{Credentials: signer.Static(signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"})}
	t.Policy.Operations = []retry.Operation{{
		Version: "2016-04-28", Action: "CreateTomorrow",
		Token:          retry.TokenInQuery,
		RetryableCodes: []string{"IncorrectStatus.*"},
	}}
	client := &http.Client{Transport: t}
	defer client.CloseIdleConnections()
	resp, err := client.Post(fake.URL+"/?Action=CreateTomorrow&Version=2016-04-28&Format=JSON", "", nil)
	if err != nil {
		fmt.Println(retry.Redact(err))
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status, len(fake.Attempts()), "attempts,", len(fake.Effects()), "effect")
	// Output: 200 OK 3 attempts, 1 effect
}

// A Trace tells what happens on the way.
func ExampleWithTrace() {
	fake := retrytest.NewServer()
	defer fake.Close()
	fake.Script(retrytest.Reply(500, "InternalError", "x"))
	client := &http.Client{Transport: &retry.Transport{
		Credentials: signer.Static(signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}),
	}}
	defer client.CloseIdleConnections()
	ctx := retry.WithTrace(context.Background(), &retry.Trace{
		AttemptEnd: func(a retry.Attempt) { fmt.Println(a.Number, a.Class, a.Status) },
		CallEnd:    func(i retry.Info) { fmt.Println(i.Operation, i.Outcome) },
	})
	req, _ := http.NewRequestWithContext(ctx, "POST", fake.URL+"/?Action=CreateVpc&Version=2016-04-28&Format=JSON", nil)
	if resp, err := client.Do(req); err == nil {
		resp.Body.Close()
	}
	// Output:
	// 1 ServerError 500
	// 2 Success 200
	// Vpc 2016-04-28 CreateVpc Done
}

// WithReplaySafe lets a call be repeated that carries no client token.
func ExampleWithReplaySafe() {
	fake := retrytest.NewServer()
	defer fake.Close()
	fake.Script(retrytest.Reset().AfterEffect())
	client := &http.Client{Transport: &retry.Transport{
		Credentials: signer.Static(signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}),
	}}
	defer client.CloseIdleConnections()
	// Setting a value twice does no harm, and nobody but the caller knows that.
	ctx := retry.WithReplaySafe(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "POST", fake.URL+"/?Action=ModifyVpcAttribute&Version=2016-04-28&Format=JSON&VpcId=vpc-1&VpcName=web", nil)
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(retry.Redact(err))
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

// ProviderFrom gives a plain Transport the credential of an SDK program.
func ExampleProviderFrom() {
	provider, err := retry.ProviderFrom(credentials.NewStsTokenCredential("STS.id", "secret", "session"))
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := provider.Credentials(context.Background())
	fmt.Println(c, err)
	// Output: Credentials(STS STS.id, redacted) <nil>
}

// What a call went through, in the program's own log.
func ExampleLogTrace() {
	endpoint := retrytest.NewServer()
	defer endpoint.Close()
	endpoint.Script(retrytest.Reply(503, "ServiceUnavailable", "busy"))

	// A program takes its logger as it is; this one leaves out what differs in every run.
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey, "host", "token", "duration", "request":
			return slog.Attr{}
		}
		return a
	}}))
	transport := &retry.Transport{
		Credentials: signer.Static(signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}),
		Policy:      retry.Policy{Busy: retry.Delay{Base: time.Millisecond}},
		Trace:       retry.LogTrace(logger),
	}
	resp, err := (&http.Client{Transport: transport}).Post(endpoint.URL+"/?Action=CreateScalingGroup&Version=2014-08-28&Format=JSON&MinSize=1", "", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	// Output: level=INFO msg="call succeeded after retries" action=CreateScalingGroup version=2014-08-28 outcome=Done attempts=2 reason=success class=Success status=200
}
