package retry_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// location is the Location service, at its own name and over TLS, and the endpoint that it
// names.
type location struct {
	*retrytest.Server // the Location service
	endpoint          *retrytest.Server
	transport         *http.Transport // on which its name leads here
}

const locationHost = "location-readonly.aliyuncs.com"

func newLocation(t *testing.T, accounts ...retrytest.Account) *location {
	l := &location{Server: retrytest.NewServer(accounts...), endpoint: retrytest.NewServer(accounts...)}
	overTLS := httptest.NewUnstartedServer(l)
	overTLS.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of a handshake that nobody waited for
	overTLS.StartTLS()
	l.transport = &http.Transport{
		TLSClientConfig: &tls.Config{},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == locationHost+":443" {
				address = overTLS.Listener.Addr().String()
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	l.OnAttempt(func(retrytest.Attempt) retrytest.Fault { return l.answer() })
	t.Cleanup(func() {
		l.Close()
		l.endpoint.Close()
		overTLS.Close()
	})
	return l
}

func (l *location) answer() retrytest.Fault {
	return retrytest.Raw(200, "application/json", endpointReply(l.endpoint.Host))
}

func endpointReply(host string) string {
	return fmt.Sprintf(`{"RequestId":"x","Success":true,"Endpoints":{"Endpoint":[{"Endpoint":%q}]}}`, host)
}

// client returns one that knows no endpoint.
func (l *location) client(t *testing.T, credential auth.Credential) *ess.Client {
	client, err := ess.NewClientWithOptions("cn-qingdao", sdk.NewConfig().WithHttpTransport(l.transport), credential)
	if err != nil {
		t.Fatal(err)
	}
	client.EndpointType = ""
	client.SetHTTPSInsecure(true) // the certificate is for another name
	return client
}

var regions atomic.Int32

// nowhere returns a request for a region of its own: the SDK remembers endpoints for the
// whole process.
func nowhere() *ess.CreateScalingGroupRequest {
	request := ess.CreateCreateScalingGroupRequest()
	request.RegionId = fmt.Sprint("test-region-", regions.Add(1))
	request.ScalingGroupName, request.MinSize, request.MaxSize = "web", "2", "20"
	request.VSwitchIds = &[]string{"vsw-1", "vsw-2"}
	return request
}

// An endpoint that nobody has named is looked up, once, by a call of its own that has nothing
// of what the context says about ours. The request is as it was.
func TestDoActionLooksUp(t *testing.T) {
	nothingLeft(t)
	l := newLocation(t)
	lookups, calls := 0, 0
	c := mustWrap(t, l.client(t, sdkKey), func(tr *retry.Transport) {
		tr.Trace = &retry.Trace{CallEnd: func(i retry.Info) {
			if i.Operation.Action == "DescribeEndpoints" {
				lookups++
			}
		}}
	})
	request := nowhere()
	request.AppendUserAgent("tool", "9")
	before := *request
	rpc := *request.RpcRequest
	ctx := retry.WithToken(context.Background(), "mine")
	ctx = retry.WithTrace(ctx, &retry.Trace{CallEnd: func(retry.Info) { calls++ }})
	for range 2 {
		if err := c.DoAction(ctx, request, ess.CreateCreateScalingGroupResponse()); err != nil {
			t.Fatal(err)
		}
	}
	asked := l.Attempts()
	if len(asked) != 1 || asked[0].ClientToken != "" || asked[0].Query.Get("Id") != request.RegionId || asked[0].Problem != "" {
		t.Errorf("look-ups: %+v", asked)
	}
	if lookups != 1 || calls != 2 {
		t.Errorf("the Transport's trace saw %d look-ups, the context's %d calls", lookups, calls)
	}
	if e := l.endpoint.Effects(); len(e) != 1 || e[0].ClientToken != "mine" {
		t.Errorf("effects %+v", e)
	}
	if len(request.QueryParams) != 0 || request.Domain != "" || request.Scheme != "" || request.GetStringToSign() != "" ||
		!reflect.DeepEqual(before, *request) || rpc != *request.RpcRequest || len(request.Headers) != len(ess.CreateCreateScalingGroupRequest().Headers) {
		t.Errorf("the request was changed: %+v", request)
	}
}

// The end of DoAction's context ends the look-up that it waits for, and no other: a plain
// call, which has no context, goes on.
func TestDoActionCanceledLookingUp(t *testing.T) {
	nothingLeft(t)
	l := newLocation(t)
	client := l.client(t, sdkKey)
	c := mustWrap(t, client)
	plain, ours := nowhere(), nowhere()
	ctx, cancel := context.WithCancel(context.Background())
	arrived, release := make(chan struct{}), make(chan struct{})
	l.OnAttempt(func(a retrytest.Attempt) retrytest.Fault {
		if a.Query.Get("Id") == ours.RegionId {
			cancel()
			return retrytest.Hang()
		}
		close(arrived)
		<-release
		return l.answer()
	})
	done := make(chan error)
	go func() {
		_, err := client.CreateScalingGroup(plain)
		done <- err
	}()
	<-arrived
	err := c.DoAction(ctx, ours, ess.CreateCreateScalingGroupResponse())
	if i, ok := retry.InfoOf(err); !errors.Is(err, context.Canceled) || !ok || i.Outcome != retry.NotDone || len(i.Attempts) != 0 {
		t.Errorf("%v: %+v", err, i)
	}
	close(release)
	if err := <-done; err != nil {
		t.Errorf("plain: %v", err)
	}
	if n := len(l.endpoint.Attempts()); n != 1 {
		t.Errorf("%d calls were sent, want the plain one", n)
	}
}

func newBare(t *testing.T) *sdk.Client {
	client, err := sdk.NewClientWithOptions("cn-qingdao", sdk.NewConfig(), sdkKey)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// A look-up that hangs leaves the call half of its time, for an endpoint that the SDK's own
// table knows, and fails it where the table does not.
func TestDoActionLookupHangs(t *testing.T) {
	hang := func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	for name, tt := range map[string]struct {
		product  string
		endpoint roundTripFunc
		want     error
		took     time.Duration
	}{
		// The look-up ends 1% before its own deadline.
		"the table knows it":         {"Ecs", stub, nil, 4950 * time.Millisecond},
		"it hangs as well":           {"Ecs", hang, context.DeadlineExceeded, 10 * time.Second},
		"the table does not know it": {"NoSuchProduct", nil, retry.ErrRequest, 4950 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := mustWrap(t, newBare(t), func(tr *retry.Transport) {
					tr.Policy.CallTimeout = 10 * time.Second
					tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
						switch {
						case req.URL.Host == locationHost:
							return hang(req)
						case !strings.HasPrefix(req.URL.Host, "ecs"):
							t.Errorf("sent to %s", req.URL.Host)
						}
						return tt.endpoint(req)
					})
				})
				request := requests.NewCommonRequest()
				request.Product, request.Version, request.ApiName, request.ServiceCode = tt.product, "2014-05-26", "DescribeZones", "x"
				start := time.Now()
				err := c.DoAction(context.Background(), request, responses.NewCommonResponse())
				if took := time.Since(start); took != tt.took || !errors.Is(err, tt.want) {
					t.Errorf("%v after %v, want %v after %v", err, took, tt.want, tt.took)
				}
				var unknown *sdkerrors.ClientError
				if errors.As(err, &unknown) != (tt.endpoint == nil) || unknown != nil && unknown.ErrorCode() != sdkerrors.CanNotResolveEndpointErrorCode {
					t.Errorf("error %v", err)
				}
				if i, ok := retry.InfoOf(err); err != nil && (!ok || i.Outcome != retry.NotDone) {
					t.Errorf("%+v", i)
				}
			})
		})
	}
}

// A Limiter is asked for a look-up as well, and its refusal is found in the error.
func TestLimiterRefusesALookUp(t *testing.T) {
	l := newLocation(t)
	c := mustWrap(t, l.client(t, sdkKey), func(tr *retry.Transport) { tr.Limiter = closed{} })
	request := nowhere()
	request.RpcRequest.InitWithApiInfo("NoSuchProduct", "2014-08-28", "CreateScalingGroup", "x", "") // the SDK's table has none either
	err := c.DoAction(t.Context(), request, ess.CreateCreateScalingGroupResponse())
	if !errors.Is(err, retry.ErrLimiter) || !errors.Is(err, retry.ErrRequest) || len(l.Attempts()) != 0 {
		t.Errorf("%d look-ups, error %v", len(l.Attempts()), err)
	}
}

// closed is a limiter that lets nothing through.
type closed struct{}

func (closed) Wait(context.Context, retry.Operation) error { return errors.New("closed") }
