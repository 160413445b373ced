package retry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// wrappedCommon and ownCommon are a program's own requests.
type (
	wrappedCommon struct{ *requests.CommonRequest }
	ownCommon     struct{ requests.CommonRequest }
)

// A CommonRequest within another type, readied as the SDK wants it, is built from the copy
// like any, also by several goroutines at once.
func TestDoActionWithEmbeddedCommonRequest(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	c := mustWrap(t, newBare(t))
	q := requests.NewCommonRequest()
	q.Method, q.Scheme, q.Domain, q.Version, q.ApiName = "POST", "http", srv.Host, "2016-04-28", "CreateVpc"
	q.QueryParams["VpcName"] = "x"
	own := &ownCommon{*q}
	q.TransToAcsRequest()
	own.TransToAcsRequest()
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			request := requests.AcsRequest(own)
			if n%2 == 0 {
				request = &wrappedCommon{q}
			}
			if err := c.DoAction(t.Context(), request, responses.NewCommonResponse()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, a := range srv.Attempts() {
		if a.Query.Get("RegionId") != "cn-qingdao" || a.Action != "CreateVpc" || a.Query.Get("VpcName") != "x" {
			t.Errorf("%v", a.Query)
		}
	}
}

// A dial may outlive its call, and its client's settings may change then.
func TestDialOutlivesCall(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	client := newEss(t)
	c := mustWrap(t, client, func(tr *retry.Transport) { tr.Policy.MaxAttempts = 1 })
	for i := range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_ = c.DoAction(ctx, createRequest(srv), ess.CreateCreateScalingGroupResponse())
		client.SetConnectTimeout(time.Duration(i+1) * time.Second)
		c.Transport.CloseIdleConnections()
	}
}

// What one call's request says of its connection ends with that call, also where the context of
// its response lives on.
func TestConnectTimeoutIsOneCalls(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	c := mustWrap(t, newEss(t), func(tr *retry.Transport) { tr.Policy.MaxAttempts = 1 })
	response := ess.CreateCreateScalingGroupResponse()
	if err := c.DoAction(t.Context(), createRequest(srv), response); err != nil {
		t.Fatal(err)
	}
	hasty := createRequest(srv)
	hasty.SetConnectTimeout(time.Nanosecond)
	if err := c.DoAction(t.Context(), hasty, response); err != nil { // on the idle connection
		t.Fatal(err)
	}
	c.Transport.CloseIdleConnections()
	ctx := context.WithoutCancel(response.GetOriginHttpResponse().Request.Context())
	if err := c.DoAction(ctx, createRequest(srv), ess.CreateCreateScalingGroupResponse()); err != nil {
		t.Error(err)
	}
}

// What a context says of a call is not said of those that a Base makes under the attempt's.
func TestContextOfBase(t *testing.T) {
	for name, with := range map[string]func(context.Context) context.Context{
		"replay-safe": retry.WithReplaySafe,
		"token":       func(ctx context.Context) context.Context { return retry.WithToken(ctx, "mine") },
	} {
		t.Run(name, func(t *testing.T) {
			srv, other := retrytest.NewServer(), retrytest.NewServer()
			defer srv.Close()
			defer other.Close()
			other.Script(retrytest.Reset().AfterEffect())
			inner := mustWrap(t, newEss(t))
			c := mustWrap(t, newEss(t), func(tr *retry.Transport) {
				tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
					rule := ess.CreateCreateScalingRuleRequest() // takes no token, and must not be repeated
					rule.Domain = other.Host
					var ours *retry.Error
					if err := inner.DoAction(req.Context(), rule, ess.CreateCreateScalingRuleResponse()); !errors.As(err, &ours) || ours.Outcome != retry.Unknown {
						t.Errorf("the inner call ended with %v", err)
					}
					return http.DefaultTransport.RoundTrip(req)
				})
			})
			if err := c.DoAction(with(t.Context()), createRequest(srv), ess.CreateCreateScalingGroupResponse()); err != nil {
				t.Error(err)
			}
			if e := len(other.Effects()); e != 1 {
				t.Errorf("%d effects of the inner call", e)
			}
		})
	}
}

// The SDK's error of a look-up that fails has the look-up's URL, which must hold nothing.
func TestFailedLookupShowsNoToken(t *testing.T) {
	sts := credentials.NewStsTokenCredential("STS.1", "secret", "VERYSECRETTOKEN")
	client, err := ess.NewClientWithOptions("cn-qingdao", sdk.NewConfig(), sts)
	if err != nil {
		t.Fatal(err)
	}
	client.EndpointType = ""
	c, err := retry.Wrap(client, sts, func(tr *retry.Transport) {
		tr.Policy.MaxAttempts = 1
		tr.Base = roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("boom") })
	})
	if err != nil {
		t.Fatal(err)
	}
	q := requests.NewCommonRequest()
	q.Product, q.Version, q.ApiName, q.ServiceCode = "NoSuch", "2014-05-26", "DescribeZones", "x"
	err = c.DoAction(t.Context(), q, responses.NewCommonResponse())
	var ours *sdkerrors.ClientError
	if !errors.As(err, &ours) {
		t.Fatalf("%v", err)
	}
	for _, text := range []string{err.Error(), ours.Error()} {
		if strings.Contains(text, "VERYSECRET") {
			t.Errorf("%s", text)
		}
	}
}

// formFromContent is a program's own request that sends what the SDK has made of its form.
type formFromContent struct{ *requests.RpcRequest }

func (r *formFromContent) GetBodyReader() io.Reader { return bytes.NewReader(r.GetContent()) }

// DoAction stops the SDK before it signs a request, and does what else the SDK does there.
func TestDoActionCompletesRequests(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	c := mustWrap(t, newBare(t))
	request := &formFromContent{new(requests.RpcRequest)}
	request.InitWithApiInfo("Vpc", "2016-04-28", "CreateVpc", "vpc", "openAPI")
	request.Scheme, request.Domain = "http", srv.Host
	request.FormParams["VpcName"] = "生产"
	request.QueryParams["TimeStamp"] = "a parameter of the operation's"
	for range 2 {
		if err := c.DoAction(t.Context(), request, responses.NewCommonResponse()); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range srv.Attempts() {
		if a.Form.Get("VpcName") != "生产" || a.Query.Get("Timestamp") == "" || a.Query.Get("RegionId") != "cn-qingdao" {
			t.Errorf("%v, form %v", a.Query, a.Form)
		}
	}
}
