package retry_test

import (
	"errors"
	"log"
	"sync"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// Clients that share a Config may be wrapped while others of them are at work.
func TestWrapSharedConfig(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	config := sdk.NewConfig()
	var wg sync.WaitGroup
	for range 8 {
		client, err := ess.NewClientWithOptions("cn-qingdao", config, sdkKey)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			c, err := retry.Wrap(client, sdkKey)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Transport.CloseIdleConnections()
			if _, err := client.CreateScalingGroup(createRequest(srv)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// ownConfig gives a copy of its Config away.
type ownConfig struct{ *ess.Client }

func (o ownConfig) GetConfig() *sdk.Config { c := *o.Client.GetConfig(); return &c }

// It is the SDK's Config in which AutoRetry has to be off.
func TestWrapTypeWithItsOwnConfig(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	srv.Script(retrytest.Reset().AfterEffect())
	client, err := ess.NewClientWithOptions("cn-qingdao", sdk.NewConfig().WithAutoRetry(true).WithMaxRetryTime(3), sdkKey)
	if err != nil {
		t.Fatal(err)
	}
	mustWrap(t, &ownConfig{client}, func(tr *retry.Transport) { tr.Policy.MaxAttempts = 1 })
	if _, err = client.CreateScalingGroup(createRequest(srv)); len(srv.Effects()) != 1 {
		t.Errorf("%d effects, %v", len(srv.Effects()), err)
	}
}

// AutoRetry that is switched on during a call makes the SDK try again after it: the refusal
// must not hide what the first try may have done.
func TestAutoRetryDuringCall(t *testing.T) {
	for name, tt := range map[string]struct {
		fault retrytest.Fault
		want  retry.Outcome
	}{"lost reply": {retrytest.Reset().AfterEffect(), retry.Unknown}, "503": {retrytest.Reply(503, "ServiceUnavailable", "x"), retry.Unknown}} {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			srv.Script(tt.fault)
			client := newEss(t)
			mustWrap(t, client, func(tr *retry.Transport) {
				tr.Policy.MaxAttempts = 1
				tr.Trace = &retry.Trace{AttemptStart: func(retry.Attempt) { client.GetConfig().AutoRetry = true }}
			})
			_, err := client.CreateScalingGroup(createRequest(srv))
			if i, ok := retry.InfoOf(err); !ok || i.Outcome != tt.want || len(srv.Attempts()) != 1 {
				t.Errorf("outcome %v (%v) after %d attempts: %v", i.Outcome, ok, len(srv.Attempts()), err)
			}
		})
	}
}

// Deps is embedded deeper than the client that a type stands for, and both before it.
type Deps struct{ *vpc.Client }

type twoClients struct {
	Deps
	*ess.Client
}

type withLogger struct {
	*log.Logger
	*ess.Client
}

// Of several clients in a type it is the one whose methods Go promotes.
func TestWrapFindsThePromotedClient(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	other, err := vpc.NewClientWithOptions("cn-beijing", sdk.NewConfig(), sdkKey)
	if err != nil {
		t.Fatal(err)
	}
	c := mustWrap(t, &twoClients{Deps{other}, newEss(t)})
	if err := c.DoAction(t.Context(), createRequest(srv), ess.CreateCreateScalingGroupResponse()); err != nil {
		t.Fatal(err)
	}
	if got := srv.Attempts()[0].Query.Get("RegionId"); got != "cn-qingdao" {
		t.Errorf("region %s", got)
	}
	if _, err := retry.Wrap(other, sdkKey); err != nil {
		t.Errorf("the other one: %v", err)
	}
	if _, err := retry.Wrap(&withLogger{nil, newEss(t)}, sdkKey); err != nil {
		t.Errorf("beside a nil logger: %v", err)
	}
}

// promoted has its methods by an interface, over a client that it embeds deeper.
type promoted struct {
	*vpc.Client
	retry.SDKClient
}

// Where the methods are another client's than the one that a type shows, that one is hidden.
func TestWrapTypeWithAnothersMethods(t *testing.T) {
	other, err := vpc.NewClientWithOptions("cn-beijing", sdk.NewConfig(), sdkKey)
	if err != nil {
		t.Fatal(err)
	}
	client := &promoted{other, newEss(t)}
	if _, err := retry.Wrap(client, sdkKey); !errors.Is(err, retry.ErrTransport) {
		t.Errorf("%v", err)
	}
	if client.SDKClient.GetReadTimeout() != 0 || other.GetReadTimeout() != 0 {
		t.Error("a client that was refused is not as it was")
	}
}

// A copy that was made of a client before Wrap stays what it was, and verifies as it did.
func TestWrapLeavesCopiesAlone(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	host, _ := newTLSFront(t, srv, nil)
	client := newEss(t)
	strict := *client
	mustWrap(t, client)
	client.SetHTTPSInsecure(true)
	if _, err := strict.CreateScalingGroup(overTLS(srv, host)); err == nil {
		t.Errorf("verification skipped: %d effects", len(srv.Effects()))
	}
}
