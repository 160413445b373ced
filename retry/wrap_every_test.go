//lint:file-ignore SA1019 the SDK's deprecated constructors make clients, too

package retry_test

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// Whoever made a client, with whatever credential and transport: wrapped, a plain call of it
// succeeds behind a failed attempt, with one effect.
func TestWrapEveryConstructor(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "testid")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "testsecret")
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA", "ecs-role")
	c := newCloud(t)
	all := constructors(c)
	if len(all) != 15+6+40 {
		t.Errorf("%d ways to a client; one of the table's replaces another", len(all))
	}
	for name, of := range all {
		t.Run(name, func(t *testing.T) {
			for _, transport := range []string{"none", "Config.HttpTransport", "Config.Transport", "Config.Transport of another type"} {
				t.Run(transport, func(t *testing.T) { wrapAndCall(t, c, of, transport) })
			}
		})
	}
}

func wrapAndCall(t *testing.T, c *cloud, of constructor, transport string) {
	var used atomic.Int64
	own := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		used.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer own.CloseIdleConnections()
	other := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		used.Add(1)
		return own.RoundTrip(req)
	})
	config, opts := sdk.NewConfig(), []retry.Option{func(tr *retry.Transport) { tr.Policy = quick }}
	switch transport {
	case "Config.HttpTransport":
		config.HttpTransport = own
	case "Config.Transport":
		config.Transport = own
	case "Config.Transport of another type":
		config.Transport = other
		opts = append(opts, func(tr *retry.Transport) { tr.Base = other })
	}
	client, err := of.make(config)
	if err != nil {
		t.Fatal(err)
	}
	if client.GetConfig() != config { // one that takes no Config: as the constructor would have done
		switch {
		case config.Transport != nil:
			client.SetTransport(config.Transport)
		case config.HttpTransport != nil:
			client.SetTransport(config.HttpTransport)
		}
	}
	credential, err := of.credential()
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := retry.Wrap(client, credential, opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer wrapped.Transport.CloseIdleConnections()

	srv := retrytest.NewServer(accounts...)
	defer srv.Close()
	srv.Script(retrytest.Reply(503, "ServiceUnavailable", "x").AfterEffect())
	response := ess.CreateCreateScalingGroupResponse()
	if service, ok := client.(*ess.Client); ok {
		response, err = service.CreateScalingGroup(createRequest(srv))
	} else {
		err = client.DoAction(createRequest(srv), response)
	}
	if err != nil {
		t.Fatal(err)
	}
	attempts, effects := srv.Attempts(), srv.Effects()
	if len(attempts) != 2 || len(effects) != 1 || response.ScalingGroupId != effects[0].ResourceID {
		t.Errorf("%d attempts made the effects %+v; the response names %s", len(attempts), effects, response.ScalingGroupId)
	}
	for _, a := range attempts {
		if a.Problem != "" {
			t.Errorf("an attempt was refused: %s", a.Problem)
		}
	}
	if (used.Load() > 0) != (transport != "none") {
		t.Errorf("the client's own transport was used %d times", used.Load())
	}
	if of.sts != [2]string{} && !c.saw(of.sts[0], of.sts[1]) {
		t.Errorf("STS was not asked under %s", of.sts)
	}
}

// The two constructors that take nothing make no client in this version of the SDK, and two
// old kinds of credential are refused by it as they stand: then by us, too.
func TestWrapWhatTheSDKRefuses(t *testing.T) {
	for name, make := range map[string]func() error{
		"ess": func() error { _, err := ess.NewClient(); return err },
		"sdk": func() error { _, err := sdk.NewClient(); return err },
	} {
		panicked := func() (p any) {
			defer func() { p = recover() }()
			_ = make()
			return nil
		}()
		if panicked == nil {
			t.Errorf("%s.NewClient makes a client: add it to the table", name)
		}
	}
	for _, old := range []any{credentials.NewStsRoleArnCredential("testid", "testsecret", role, "s", 0), credentials.NewStsRoleNameOnEcsCredential("ecs-role")} {
		if _, err := ess.NewClientWithOptions(region, sdk.NewConfig(), old); err == nil {
			t.Errorf("the SDK takes a %T: add it to the table", old)
		}
		if _, err := retry.Wrap(newEss(t), old); err == nil {
			t.Errorf("wrapped with a %T", old)
		}
	}
}
