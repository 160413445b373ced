package retry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/cs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// sessions are accounts for what a vault gives out.
func sessions() (accounts []retrytest.Account) {
	for n := 1; n <= 4; n++ {
		accounts = append(accounts, retrytest.Account{AccessKeyID: fmt.Sprint("STS.", n), AccessKeySecret: "secret", SecurityToken: fmt.Sprint("token", n), Owner: "one"})
	}
	return accounts
}

// Each kind of request the SDK has makes its one effect, under a key that never changes and
// under a session. For a session DoAction asks the Transport's provider alone: the client's
// own may be in use.
func TestDoActionEveryKind(t *testing.T) {
	common := func(fill func(*requests.CommonRequest)) func(string) (requests.AcsRequest, responses.AcsResponse) {
		return func(host string) (requests.AcsRequest, responses.AcsResponse) {
			q := requests.NewCommonRequest()
			q.Method, q.Domain = "POST", host
			fill(q)
			return q, responses.NewCommonResponse()
		}
	}
	kinds := map[string]func(host string) (requests.AcsRequest, responses.AcsResponse){
		"RPC": func(host string) (requests.AcsRequest, responses.AcsResponse) {
			q := vpc.CreateCreateVpcRequest()
			q.Domain, q.VpcName = host, "a *~+%& 生产"
			return q, vpc.CreateCreateVpcResponse()
		},
		"ROA": func(host string) (requests.AcsRequest, responses.AcsResponse) {
			q := cs.CreateDeleteClusterRequest()
			q.Domain, q.ClusterId = host, "c-1"
			return q, cs.CreateDeleteClusterResponse()
		},
		"a common RPC": common(func(q *requests.CommonRequest) { q.Version, q.ApiName = "2016-04-28", "CreateVpc" }),
		"a common ROA": common(func(q *requests.CommonRequest) { q.Version, q.PathPattern = "2017-06-13", "/openapi/instances" }),
	}
	for name, kind := range kinds {
		for _, session := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", session ", session), func(t *testing.T) {
				v := newVault(t)
				var credential, given auth.Credential = sdkKey, sdkKey
				if session {
					credential, given = v.provider(t), v.provider(t)
				}
				srv := retrytest.NewServer(append(sessions(), retrytest.DefaultAccount())...)
				defer srv.Close()
				srv.Script(retrytest.Reset(), retrytest.Reply(503, "ServiceUnavailable", "x"))
				client, err := sdk.NewClientWithOptions("cn-qingdao", sdk.NewConfig(), credential)
				if err != nil {
					t.Fatal(err)
				}
				c, err := retry.Wrap(client, given, func(tr *retry.Transport) { tr.Policy = quick })
				if err != nil {
					t.Fatal(err)
				}
				defer c.Transport.CloseIdleConnections()
				request, response := kind(srv.Host)
				if err := c.DoAction(retry.WithReplaySafe(context.Background()), request, response); err != nil {
					t.Fatal(err)
				}
				attempts := srv.Attempts()
				if len(attempts) != 3 || len(srv.Effects()) != 1 || attempts[2].Problem != "" || strings.HasPrefix(attempts[2].AccessKeyID, "STS.") != session {
					t.Errorf("%d effects by the attempts %+v", len(srv.Effects()), attempts)
				}
				if _, has := attempts[0].Header["X-Acs-Credentials-Provider"]; has == session {
					t.Errorf("the header that tells the client's provider is there: %v", has)
				}
				if n := int(v.fetched.Load()); session && n != 1 || !session && n != 0 {
					t.Errorf("%d sessions were fetched", n)
				}
			})
		}
	}
}

// Many goroutines share one client, and one request, while another makes plain calls, which
// have a session and look-ups of their own.
func TestDoActionShared(t *testing.T) {
	for _, session := range []bool{false, true} {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprintf("session %v, endpoint known %v", session, known), func(t *testing.T) {
				nothingLeft(t)
				v := newVault(t)
				var credential auth.Credential = sdkKey
				if session {
					credential = v.provider(t)
				}
				l := newLocation(t, append(sessions(), retrytest.DefaultAccount())...)
				client := l.client(t, credential)
				client.SetLogger("", "", new(strings.Builder), "")
				c, err := retry.Wrap(client, credential, func(tr *retry.Transport) { tr.Policy = quick })
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(c.Transport.CloseIdleConnections)
				shared := nowhere()
				if known {
					shared.Domain = l.endpoint.Host
				}
				const n = 20
				var calls sync.WaitGroup
				for range n {
					calls.Go(func() {
						own := nowhere()
						own.Domain = shared.Domain
						for _, request := range []*ess.CreateScalingGroupRequest{shared, own} {
							response := ess.CreateCreateScalingGroupResponse()
							if err := c.DoAction(context.Background(), request, response); err != nil || response.ScalingGroupId == "" {
								t.Errorf("%+v, %v", response, err)
							}
						}
					})
				}
				calls.Go(func() {
					for range 3 {
						plain := nowhere()
						plain.Domain = shared.Domain
						if _, err := client.CreateScalingGroup(plain); err != nil {
							t.Errorf("plain: %v", err)
						}
					}
				})
				calls.Wait()
				if got := len(l.endpoint.Effects()); got != 2*n+3 {
					t.Errorf("%d effects, want %d", got, 2*n+3)
				}
				if fetched := int(v.fetched.Load()); session && fetched != 2 {
					t.Errorf("%d sessions were fetched, want the client's and the Transport's", fetched)
				}
			})
		}
	}
}

// Where the client would fetch a session and the Transport has a fixed key, they may be of
// two accounts: the client is asked, and its word compared.
func TestDoActionAnotherAccount(t *testing.T) {
	v := newVault(t)
	srv := retrytest.NewServer()
	defer srv.Close()
	client, err := ess.NewClientWithOptions("cn-qingdao", sdk.NewConfig(), v.provider(t))
	if err != nil {
		t.Fatal(err)
	}
	c := mustWrap(t, client)
	err = c.DoAction(context.Background(), createRequest(srv), ess.CreateCreateScalingGroupResponse())
	if i, ok := retry.InfoOf(err); !errors.Is(err, retry.ErrAccount) || !ok || i.Outcome != retry.NotDone || len(srv.Attempts()) != 0 {
		t.Errorf("%v: %+v", err, i)
	}
}

// What the SDK cannot do with an answer is its own error in ours, which says all the same what
// became of the call.
func TestDoActionUnreadableReply(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.Raw(200, "application/json", `{"RequestId":"x","ScalingGroupId":["asg-1"]}`))
	c := mustWrap(t, newEss(t))
	err := c.DoAction(context.Background(), createRequest(srv), ess.CreateCreateScalingGroupResponse())
	var unreadable *sdkerrors.ClientError
	i, ok := retry.InfoOf(err)
	if !errors.As(err, &unreadable) || unreadable.ErrorCode() != sdkerrors.JsonUnmarshalErrorCode || !ok || i.Outcome != retry.Done || len(i.Attempts) != 1 {
		t.Errorf("%v: %+v", err, i)
	}
	var none retry.Client
	if err := none.DoAction(context.Background(), createRequest(srv), ess.CreateCreateScalingGroupResponse()); !errors.Is(err, retry.ErrClient) {
		t.Errorf("a Client that Wrap has not made: %v", err)
	}
}

// tagged is a request as a program writes one to add a parameter that the SDK does not know.
type (
	tagged struct {
		*requests.RpcRequest
		Added string `position:"Query" name:"Added"`
	}
	behindInterface struct {
		requests.AcsRequest
		Added string `position:"Query" name:"Added"`
	}
)

// A request of a program's own making is not changed either, however it embeds the SDK's.
func TestDoActionOwnRequests(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	c := mustWrap(t, newEss(t))
	rpc := new(requests.RpcRequest)
	rpc.InitWithApiInfo("Vpc", "2016-04-28", "CreateVpc", "vpc", "openAPI")
	rpc.Domain = srv.Host
	for _, request := range []requests.AcsRequest{tagged{rpc, ""}, &tagged{rpc, "x"}, &behindInterface{rpc, "x"}} {
		err := c.DoAction(context.Background(), request, vpc.CreateCreateVpcResponse())
		if _, pointed := request.(tagged); !pointed {
			if err != nil {
				t.Errorf("%T: %v", request, err)
			}
		} else if !errors.Is(err, retry.ErrRequest) { // with which the SDK panics
			t.Errorf("%T: %v", request, err)
		}
	}
	for _, e := range srv.Effects() {
		if e.Params.Get("Added") != "x" {
			t.Errorf("the added parameter is missing: %v", e.Params)
		}
	}
	if n := len(srv.Effects()); n != 2 || len(rpc.QueryParams) != 0 || rpc.GetStringToSign() != "" {
		t.Errorf("%d effects, the request is now %+v", n, rpc.QueryParams)
	}
}
