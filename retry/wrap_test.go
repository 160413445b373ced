package retry_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

var sdkKey = credentials.NewAccessKeyCredential("testid", "testsecret")

func newEss(t testing.TB) *ess.Client {
	t.Helper()
	client, err := ess.NewClientWithOptions("cn-qingdao", sdk.NewConfig(), sdkKey)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func mustWrap(t testing.TB, client retry.SDKClient, opts ...retry.Option) *retry.Client {
	t.Helper()
	opts = append([]retry.Option{func(tr *retry.Transport) { tr.Policy.Transient, tr.Policy.Busy = quick.Transient, quick.Busy }}, opts...)
	c, err := retry.Wrap(client, sdkKey, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Transport.CloseIdleConnections)
	return c
}

func createRequest(srv *retrytest.Server) *ess.CreateScalingGroupRequest {
	request := ess.CreateCreateScalingGroupRequest()
	request.Domain = srv.Host
	request.ScalingGroupName, request.MinSize, request.MaxSize = "web *~+%& 生产", "2", "20"
	request.VSwitchIds = &[]string{"vsw-1", "vsw-2"}
	return request
}

// The library's whole point, in one test: code that calls the SDK stays as it is.
func TestWrappedClientMakesOneEffect(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(
		retrytest.Reply(500, "InternalError", "x").AfterEffect(),
		retrytest.Reset(),
		retrytest.Reply(503, "ServiceUnavailable", "x"),
		retrytest.Reply(409, "OperationConflict", "Please try again later."),
	)
	client := newEss(t)
	var end retry.Info
	mustWrap(t, client, func(tr *retry.Transport) { tr.Trace = &retry.Trace{CallEnd: func(i retry.Info) { end = i }} })
	request := createRequest(srv)
	response, err := client.CreateScalingGroup(request)
	if err != nil {
		t.Fatal(err)
	}
	effects := srv.Effects()
	if len(effects) != 1 || response.ScalingGroupId != effects[0].ResourceID || response.RequestId != effects[0].RequestID {
		t.Fatalf("effects %+v, response %+v", effects, response)
	}
	if request.ClientToken != "" {
		t.Errorf("the caller's request was given the token %s", request.ClientToken)
	}
	if effects[0].Params.Get("ScalingGroupName") != request.ScalingGroupName {
		t.Errorf("the name arrived as %q", effects[0].Params.Get("ScalingGroupName"))
	}
	attempts := srv.Attempts()
	if len(attempts) != 5 || end.Outcome != retry.Done || len(end.Attempts) != 5 || end.Operation.Product != "Ess" {
		t.Errorf("%d attempts, %+v", len(attempts), end)
	}
	for i, a := range attempts {
		if a.Problem != "" || a.ClientToken != end.ClientToken || a.Nonce != end.Attempts[i].Nonce {
			t.Errorf("attempt %d: %+v", i+1, a)
		}
	}
	if got := end.Attempts[4].RequestID; got != response.RequestId {
		t.Errorf("the last attempt's request ID is %s, the reply's %s", got, response.RequestId)
	}
	info, ok := retry.InfoOfResponse(response.GetOriginHttpResponse())
	if !ok || info.Outcome != retry.Done || len(info.Attempts) != 5 {
		t.Errorf("InfoOfResponse = %+v, %v", info, ok)
	}
}

// Every failure keeps the SDK's own error, and the Info in it.
func TestWrappedClientErrors(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	client := newEss(t)
	c := mustWrap(t, client, func(tr *retry.Transport) { tr.Policy.MaxAttempts, tr.Budget = 2, retry.Unlimited() })
	tests := map[string]struct {
		faults  []retrytest.Fault
		code    string // of the SDK's ServerError; "" if it is an *Error
		outcome retry.Outcome
	}{
		"rejected":               {[]retrytest.Fault{retrytest.Reply(403, "QuotaExceeded.ScalingGroup", "x")}, "QuotaExceeded.ScalingGroup", retry.NotDone},
		"exhausted":              {[]retrytest.Fault{retrytest.Reset(), retrytest.Reply(500, "InternalError", "x").AfterEffect()}, "InternalError", retry.Unknown},
		"exhausted, no response": {[]retrytest.Fault{retrytest.Reset().AfterEffect(), retrytest.Close()}, "", retry.Unknown},
		"login page":             {[]retrytest.Fault{retrytest.Raw(200, "text/html", "<html>"), retrytest.Raw(200, "text/html", "<html>")}, "", retry.Unknown},
		"empty 200, which the SDK takes for success": {[]retrytest.Fault{retrytest.Raw(200, "", ""), retrytest.Raw(200, "", "")}, "", retry.Unknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check := func(how string, err error) {
				t.Helper()
				var server *sdkerrors.ServerError
				if errors.As(err, &server) != (tt.code != "") || server != nil && server.ErrorCode() != tt.code {
					t.Errorf("%s: %v, want a ServerError of %q", how, err, tt.code)
				}
				if server != nil && len(server.RespHeaders) == 0 {
					t.Errorf("%s: the ServerError has lost the response's headers", how)
				}
				if i, ok := retry.InfoOf(err); !ok || i.Outcome != tt.outcome || len(i.Attempts) != len(tt.faults) || i.ClientToken == "" {
					t.Errorf("%s: InfoOf = %+v, %v", how, i, ok)
				}
			}
			srv.Script(tt.faults...)
			_, err := client.CreateScalingGroup(createRequest(srv))
			check("plain", err)

			srv.Script(tt.faults...)
			err = c.DoAction(context.Background(), createRequest(srv), ess.CreateCreateScalingGroupResponse())
			check("DoAction", err)
			var ours *retry.Error
			if !errors.As(err, &ours) {
				t.Errorf("DoAction returned a %T", err)
			}
		})
	}
}

// The SDK's default read timeout of 10 s spans all attempts unless Wrap lifts it; what
// was set becomes the attempt timeout.
func TestWrapTimeouts(t *testing.T) {
	tests := map[string]struct {
		set  func(*ess.Client)
		want time.Duration
	}{
		"nothing set":        {func(*ess.Client) {}, 0},
		"Config.Timeout":     {func(c *ess.Client) { c.GetConfig().Timeout = 3 * time.Second }, 3 * time.Second},
		"read timeout":       {func(c *ess.Client) { c.SetReadTimeout(4 * time.Second) }, 4 * time.Second},
		"both: the client's": {func(c *ess.Client) { c.GetConfig().Timeout = 3; c.SetReadTimeout(4 * time.Second) }, 4 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			client := newEss(t)
			client.GetConfig().AutoRetry = true
			tt.set(client)
			c := mustWrap(t, client)
			if got := c.Transport.Policy.AttemptTimeout; got != tt.want {
				t.Errorf("attempt timeout %v, want %v", got, tt.want)
			}
			if client.GetReadTimeout() >= 0 || client.GetConfig().AutoRetry {
				t.Errorf("read timeout %v, AutoRetry %v", client.GetReadTimeout(), client.GetConfig().AutoRetry)
			}
		})
	}
	t.Run("an attempt hangs", func(t *testing.T) {
		srv := retrytest.NewServer()
		defer srv.Close()
		srv.Script(retrytest.Hang().AfterEffect())
		client := newEss(t)
		client.SetReadTimeout(50 * time.Millisecond)
		mustWrap(t, client)
		if _, err := client.CreateScalingGroup(createRequest(srv)); err != nil {
			t.Fatal(err)
		}
		if a, e := len(srv.Attempts()), len(srv.Effects()); a != 2 || e != 1 {
			t.Errorf("%d attempts, %d effects", a, e)
		}
	})
}

type otherTransport struct{ http.RoundTripper }

func TestWrapRefuses(t *testing.T) {
	var typedNil *ess.Client
	set := func(rt http.RoundTripper) func(*ess.Client) { return func(c *ess.Client) { c.SetTransport(rt) } }
	tests := map[string]struct {
		client     retry.SDKClient // nil: a good one
		change     func(*ess.Client)
		credential auth.Credential
		opt        retry.Option
		want       error
	}{
		"nil client":                    {client: nilClient{}, credential: sdkKey, want: retry.ErrClient},
		"typed nil client":              {client: typedNil, credential: sdkKey, want: retry.ErrClient},
		"a client that no one made":     {client: &ess.Client{}, credential: sdkKey, want: retry.ErrClient},
		"no credential":                 {want: retry.ErrCredentials},
		"typed nil credential":          {credential: (*credentials.AccessKeyCredential)(nil), want: retry.ErrCredentials},
		"a credential of another kind":  {credential: "id:secret", want: retry.ErrCredentials},
		"an empty AccessKey":            {credential: credentials.NewAccessKeyCredential("", ""), want: retry.ErrCredentials},
		"a transport of its own":        {change: set(otherTransport{http.DefaultTransport}), credential: sdkKey, want: retry.ErrTransport},
		"a second Wrap":                 {change: func(c *ess.Client) { mustWrapQuietly(c) }, credential: sdkKey, want: retry.ErrWrapped},
		"a second Wrap of its own Base": {change: func(c *ess.Client) { mustWrapQuietly(c) }, credential: sdkKey, opt: func(tr *retry.Transport) { tr.Base = http.DefaultTransport }, want: retry.ErrWrapped},
		"a policy that makes no sense":  {credential: sdkKey, opt: func(tr *retry.Transport) { tr.Policy.MaxAttempts = -1 }, want: retry.ErrPolicy},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			client := tt.client
			switch client.(type) {
			case nil:
				good := newEss(t)
				if tt.change != nil {
					tt.change(good)
				}
				client = good
			case nilClient:
				client = nil
			}
			if c, err := retry.Wrap(client, tt.credential, tt.opt); !errors.Is(err, tt.want) || c != nil {
				t.Errorf("Wrap = %v, %v; want %v", c, err, tt.want)
			}
		})
	}
}

// embedding clients, as programs write them to add methods.
type (
	byPointer struct{ *ess.Client }
	byValue   struct{ ess.Client }
)

// A client that embeds the SDK's is looked through.
func TestWrapEmbedded(t *testing.T) {
	if _, err := retry.Wrap(byPointer{}, sdkKey); !errors.Is(err, retry.ErrClient) {
		t.Errorf("nil inside: %v", err)
	}
	inner := newEss(t)
	inner.SetTransport(otherTransport{http.DefaultTransport})
	if _, err := retry.Wrap(byPointer{inner}, sdkKey); !errors.Is(err, retry.ErrTransport) || !strings.Contains(err.Error(), "otherTransport") {
		t.Errorf("a transport of its own: %v", err)
	}
	for _, client := range []retry.SDKClient{byPointer{newEss(t)}, &byValue{*newEss(t)}} {
		if _, err := retry.Wrap(client, sdkKey); err != nil {
			t.Error(err)
		}
		if _, err := retry.Wrap(client, sdkKey); !errors.Is(err, retry.ErrWrapped) {
			t.Errorf("second Wrap of %T: %v", client, err)
		}
	}
}

// A client that is hidden in a field shows neither its transport nor that it is wrapped.
func TestWrapHidden(t *testing.T) {
	inner := newEss(t)
	if _, err := retry.Wrap(shim{inner}, sdkKey); !errors.Is(err, retry.ErrTransport) {
		t.Errorf("without a Base: %v", err)
	}
	base := func(tr *retry.Transport) { tr.Base = otherTransport{http.DefaultTransport} }
	if _, err := retry.Wrap(shim{inner}, sdkKey, base); err != nil {
		t.Error(err)
	}
	if _, err := retry.Wrap(shim{inner}, sdkKey, base); !errors.Is(err, retry.ErrWrapped) {
		t.Errorf("second Wrap: %v", err)
	}
}

// A proxy setting that is no URL: no attempt gets past it, and its password is not shown.
func TestWrapBadProxy(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	client := newEss(t)
	c := mustWrap(t, client)
	client.SetHttpProxy("http://user:hunter2@host:80x")
	err := c.DoAction(context.Background(), createRequest(srv), ess.CreateCreateScalingGroupResponse())
	i, _ := retry.InfoOf(err)
	if i.Outcome != retry.NotDone || len(i.Attempts) != 1 || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v: %+v", err, i)
	}
}

// shim is a client of a program's own making, in front of the SDK's.
type shim struct{ client *ess.Client }

func (s shim) BuildRequestWithSigner(r requests.AcsRequest, a auth.Signer) error {
	return s.client.BuildRequestWithSigner(r, a)
}
func (s shim) GetConfig() *sdk.Config               { return s.client.GetConfig() }
func (s shim) GetConnectTimeout() time.Duration     { return s.client.GetConnectTimeout() }
func (s shim) GetHTTPSInsecure() bool               { return s.client.GetHTTPSInsecure() }
func (s shim) GetHttpProxy() string                 { return s.client.GetHttpProxy() }
func (s shim) GetHttpsProxy() string                { return s.client.GetHttpsProxy() }
func (s shim) GetNoProxy() string                   { return s.client.GetNoProxy() }
func (s shim) GetReadTimeout() time.Duration        { return s.client.GetReadTimeout() }
func (s shim) SetReadTimeout(timeout time.Duration) { s.client.SetReadTimeout(timeout) }
func (s shim) SetTransport(rt http.RoundTripper)    { s.client.SetTransport(rt) }

type nilClient struct{ retry.SDKClient }

func mustWrapQuietly(c *ess.Client) {
	if _, err := retry.Wrap(c, sdkKey); err != nil {
		panic(err)
	}
}

// A refused Wrap leaves the client as it was; a Base by Option lets any transport pass,
// and a bare *sdk.Client is wrapped like a service's.
func TestWrapOtherClients(t *testing.T) {
	client := newEss(t)
	client.GetConfig().AutoRetry = true
	client.SetTransport(otherTransport{http.DefaultTransport})
	if _, err := retry.Wrap(client, sdkKey); err == nil {
		t.Fatal("wrapped")
	}
	if !client.GetConfig().AutoRetry || client.GetReadTimeout() != 0 {
		t.Error("a refused Wrap changed the client")
	}
	if _, err := retry.Wrap(client, sdkKey, func(tr *retry.Transport) { tr.Base = otherTransport{http.DefaultTransport} }); err != nil {
		t.Error(err)
	}
	bare, err := sdk.NewClientWithOptions("cn-qingdao", sdk.NewConfig(), sdkKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := retry.Wrap(bare, sdkKey); err != nil {
		t.Error(err)
	}
	if _, err := retry.Wrap(bare, sdkKey); !errors.Is(err, retry.ErrWrapped) {
		t.Errorf("second Wrap of an *sdk.Client: %v", err)
	}
}

// A client built for one account, wrapped with another's key: its request would be signed
// for the wrong account.
func TestWrapAnotherAccount(t *testing.T) {
	srv := retrytest.NewServer(retrytest.DefaultAccount(), retrytest.Account{AccessKeyID: "other", AccessKeySecret: "s"})
	defer srv.Close()
	client := newEss(t)
	if _, err := retry.Wrap(client, credentials.NewAccessKeyCredential("other", "s")); err != nil {
		t.Fatal(err)
	}
	_, err := client.CreateScalingGroup(createRequest(srv))
	if i, ok := retry.InfoOf(err); !errors.Is(err, retry.ErrAccount) || !ok || i.Outcome != retry.NotDone {
		t.Errorf("error %v", err)
	}
	if n := len(srv.Attempts()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// A client's proxy setting holds, read when a connection is made, and NO_PROXY's pattern
// takes a host out of it.
func TestWrapKeepsProxy(t *testing.T) {
	proxy := retrytest.NewServer() // answers whatever it is asked, as a forward proxy would
	defer proxy.Close()
	srv := retrytest.NewServer()
	defer srv.Close()
	client := newEss(t)
	c := mustWrap(t, client)
	client.SetHttpProxy(proxy.URL)
	if _, err := client.CreateScalingGroup(createRequest(srv)); err != nil {
		t.Fatal(err)
	}
	if len(proxy.Attempts()) != 1 || len(srv.Attempts()) != 0 {
		t.Errorf("%d requests through the proxy, %d past it", len(proxy.Attempts()), len(srv.Attempts()))
	}
	client.SetNoProxy("example.com,*.0.0.1")
	c.Transport.CloseIdleConnections()
	if _, err := client.CreateScalingGroup(createRequest(srv)); err != nil {
		t.Fatal(err)
	}
	if len(proxy.Attempts()) != 1 || len(srv.Attempts()) != 1 {
		t.Errorf("%d requests through the proxy, %d past it", len(proxy.Attempts()), len(srv.Attempts()))
	}
}

// The transport's own proxy holds where the client names none.
func TestWrapKeepsTransportProxy(t *testing.T) {
	proxy, srv := retrytest.NewServer(), retrytest.NewServer()
	defer proxy.Close()
	defer srv.Close()
	through, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := ess.NewClientWithOptions("cn-qingdao", sdk.NewConfig().WithHttpTransport(&http.Transport{Proxy: http.ProxyURL(through)}), sdkKey)
	if err != nil {
		t.Fatal(err)
	}
	mustWrap(t, client)
	if _, err := client.CreateScalingGroup(createRequest(srv)); err != nil || len(proxy.Attempts()) != 1 {
		t.Errorf("%d requests through the proxy, %v", len(proxy.Attempts()), err)
	}
}

// The client's connect timeout holds, read when a connection is made.
func TestWrapKeepsConnectTimeout(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	client := newEss(t)
	mustWrap(t, client, func(tr *retry.Transport) { tr.Policy.MaxAttempts = 1 })
	client.SetConnectTimeout(time.Nanosecond)
	_, err := client.CreateScalingGroup(createRequest(srv))
	if i, _ := retry.InfoOf(err); i.Outcome != retry.NotDone || len(i.Attempts) != 1 || i.Attempts[0].Class != retry.NoResponse {
		t.Errorf("%v: %+v", err, i)
	}
	client.SetConnectTimeout(0)
	if _, err := client.CreateScalingGroup(createRequest(srv)); err != nil {
		t.Error(err)
	}
}

// What the client's *http.Transport is set up with holds: how it dials, and whom it
// trusts. So does the client's own word that any certificate will do.
func TestWrapKeepsTransportSettings(t *testing.T) {
	fake := retrytest.NewServer()
	host, trust := newTLSFront(t, fake, nil)
	call := func(t *testing.T, client *ess.Client) {
		t.Helper()
		mustWrap(t, client)
		request := createRequest(fake)
		request.Scheme, request.Domain = "https", host
		if _, err := client.CreateScalingGroup(request); err != nil {
			t.Error(err)
		}
	}
	t.Run("trust and dialling", func(t *testing.T) {
		dials := 0
		own := &http.Transport{TLSClientConfig: trust}
		own.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			dials++
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		client, err := ess.NewClientWithOptions("cn-qingdao", sdk.NewConfig().WithHttpTransport(own), sdkKey)
		if err != nil {
			t.Fatal(err)
		}
		call(t, client)
		if dials != 1 {
			t.Errorf("the transport's own DialContext was called %d times", dials)
		}
	})
	t.Run("certificates again, after one insecure request", func(t *testing.T) {
		own := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // as the SDK leaves it
		client := newEss(t)
		client.SetTransport(own)
		mustWrap(t, client)
		request := createRequest(fake)
		request.Scheme, request.Domain = "https", host
		_, err := client.CreateScalingGroup(request)
		if i, _ := retry.InfoOf(err); len(i.Attempts) != 1 || i.Attempts[0].Class != retry.Broken {
			t.Errorf("%v", err)
		}
	})
	t.Run("any certificate", func(t *testing.T) {
		client := newEss(t)
		client.SetHTTPSInsecure(true)
		call(t, client)
	})
}

// A budget that cannot be meant is refused as soon as it can be.
func TestWrapRefusesABudget(t *testing.T) {
	_, err := retry.Wrap(newEss(t), sdkKey, func(tr *retry.Transport) { tr.Budget = &retry.Budget{Size: -1} })
	if !errors.Is(err, retry.ErrPolicy) {
		t.Errorf("error %v, want ErrPolicy", err)
	}
}

// A plain call through a wrapped client lasts as long as the policy says, neither the
// SDK's 10 s nor any timeout of the SDK's http.Client.
func TestWrappedCallTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newEss(t)
		_, err := retry.Wrap(client, sdkKey, func(tr *retry.Transport) {
			tr.Policy.MaxAttempts, tr.Budget = 600, retry.Unlimited()
			tr.Policy.Busy.Max = 5 * time.Second // the last wait that does not fit is no longer
			tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 503, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		request := ess.CreateCreateScalingGroupRequest()
		request.Domain = "ess.aliyuncs.com"
		start := time.Now()
		_, err = client.CreateScalingGroup(request)
		if i, ok := retry.InfoOf(err); !ok || i.Outcome != retry.Unknown {
			t.Errorf("%v", err)
		}
		if took := time.Since(start); took < 100*time.Second || took > 2*time.Minute {
			t.Errorf("the call took %v, want nearly 2 minutes", took)
		}
	})
}

// ProviderFrom takes what the SDK's constructors take.
func TestProviderFrom(t *testing.T) {
	session := credentials.NewStaticSTSCredentialsProvider("id", "secret", "session")
	tests := map[string]struct {
		credential auth.Credential
		want       signer.Credentials
	}{
		"AccessKey":           {credentials.NewAccessKeyCredential("id", "secret"), signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}},
		"STS":                 {credentials.NewStsTokenCredential("id", "secret", "sts"), signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret", SecurityToken: "sts"}},
		"bearer token":        {credentials.NewBearerTokenCredential("bearer"), signer.Credentials{BearerToken: "bearer"}},
		"a provider":          {session, signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret", SecurityToken: "session"}},
		"a rotating provider": {rotating{}, signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := retry.ProviderFrom(tt.credential)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := p.Credentials(context.Background()); got != tt.want || err != nil {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

type rotating struct{}

func (rotating) GetProviderName() string { return "rotating" }
func (rotating) GetCredentials() (*credentials.Credentials, error) {
	return &credentials.Credentials{AccessKeyId: "id", AccessKeySecret: "secret"}, nil
}
