package retry_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// The request's read timeout is the attempt timeout, and outranks the client's.
func TestDoActionReadTimeout(t *testing.T) {
	tests := map[string]struct {
		client, request, option, want time.Duration
	}{
		"nothing":                    {0, 0, 0, 10 * time.Second},
		"client's":                   {3 * time.Second, 0, 0, 3 * time.Second},
		"request's":                  {0, 4 * time.Second, 0, 4 * time.Second},
		"both":                       {3 * time.Second, 4 * time.Second, 0, 4 * time.Second},
		"an Option outranks both":    {3 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second},
		"none, by a negative number": {3 * time.Second, -1, 0, 3 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			client, request := newEss(t), ess.CreateCreateScalingGroupRequest()
			client.SetReadTimeout(tt.client)
			request.SetReadTimeout(tt.request)
			var got time.Duration
			c := mustWrap(t, client, func(tr *retry.Transport) {
				tr.Base, tr.Policy.AttemptTimeout = stub, tt.option
				tr.Trace = &retry.Trace{CallEnd: func(i retry.Info) { got = i.Operation.AttemptTimeout }}
			})
			if err := c.DoAction(context.Background(), request, ess.CreateCreateScalingGroupResponse()); err != nil || got != tt.want {
				t.Errorf("attempt timeout %v, %v; want %v", got, err, tt.want)
			}
		})
	}
	t.Run("an attempt hangs", func(t *testing.T) {
		srv := retrytest.NewServer()
		defer srv.Close()
		srv.Script(retrytest.Hang().AfterEffect())
		c := mustWrap(t, newEss(t))
		request := createRequest(srv)
		request.SetReadTimeout(300 * time.Millisecond)
		if err := c.DoAction(context.Background(), request, ess.CreateCreateScalingGroupResponse()); err != nil {
			t.Fatal(err)
		}
		if a, e := len(srv.Attempts()), len(srv.Effects()); a != 2 || e != 1 {
			t.Errorf("%d attempts, %d effects", a, e)
		}
	})
}

// The request's connect timeout holds for its own connections, whoever dials them.
func TestDoActionConnectTimeout(t *testing.T) {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	tests := map[string]struct {
		config *sdk.Config
		opt    retry.Option
	}{
		"client's own":                  {config: sdk.NewConfig()},
		"a transport that dials itself": {config: sdk.NewConfig().WithHttpTransport(&http.Transport{DialContext: dial})},
		"the Option's":                  {sdk.NewConfig(), func(tr *retry.Transport) { tr.Base = &http.Transport{} }},
		"the Option's that dials":       {sdk.NewConfig(), func(tr *retry.Transport) { tr.Base = &http.Transport{DialContext: dial} }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			client, err := ess.NewClientWithOptions("cn-qingdao", tt.config, sdkKey)
			if err != nil {
				t.Fatal(err)
			}
			c := mustWrap(t, client, func(tr *retry.Transport) {
				tr.Policy.MaxAttempts = 1
				if tt.opt != nil {
					tt.opt(tr)
				}
			})
			hasty := createRequest(srv)
			hasty.SetConnectTimeout(time.Nanosecond)
			err = c.DoAction(context.Background(), hasty, ess.CreateCreateScalingGroupResponse())
			if i, _ := retry.InfoOf(err); i.Outcome != retry.NotDone || len(i.Attempts) != 1 || i.Attempts[0].Class != retry.NoResponse {
				t.Errorf("%v: %+v", err, i)
			}
			if err := c.DoAction(context.Background(), createRequest(srv), ess.CreateCreateScalingGroupResponse()); err != nil {
				t.Error(err)
			}
		})
	}
}

// The request's word on certificates holds for it alone, also where a connection of the other
// kind is idle. Where it cannot be told to the Base nothing is sent.
func TestDoActionHTTPSInsecure(t *testing.T) {
	fake := retrytest.NewServer()
	host, _ := newTLSFront(t, fake, nil)
	ownTLS := func(ctx context.Context, network, address string) (net.Conn, error) {
		return (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(ctx, network, address)
	}
	option := func(base http.RoundTripper) retry.Option { return func(tr *retry.Transport) { tr.Base = base } }
	insecure := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	const (
		fails, works, refused = "fails", "works", "refused"
	)
	tests := map[string]struct {
		client               bool
		opt                  retry.Option
		unset, secure, blind string // a request that says nothing, false, true
	}{
		"client verifies":             {false, nil, fails, fails, works},
		"client does not":             {true, nil, works, fails, works},
		"an *http.Transport verifies": {false, option(&http.Transport{}), fails, fails, works},
		"one that does not":           {false, option(insecure), works, fails, works},
		"one that does TLS itself":    {false, option(&http.Transport{DialTLSContext: ownTLS}), works, refused, refused},
		"any other Base":              {false, option(otherTransport{insecure}), works, refused, refused},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			nothingLeft(t)
			defer insecure.CloseIdleConnections()
			client := newEss(t)
			client.SetHTTPSInsecure(tt.client)
			c := mustWrap(t, client, func(tr *retry.Transport) {
				if tt.opt != nil {
					tt.opt(tr)
				}
			})
			call := func(set *bool, scheme string) string {
				request := createRequest(fake)
				if request.Scheme = scheme; scheme == "https" {
					request.Domain = host
				}
				if set != nil {
					request.SetHTTPSInsecure(*set)
				}
				err := c.DoAction(context.Background(), request, ess.CreateCreateScalingGroupResponse())
				i, _ := retry.InfoOf(err)
				switch {
				case err == nil:
					return works
				case errors.Is(err, retry.ErrRequest) && len(i.Attempts) == 0:
					return refused
				case len(i.Attempts) == 1 && i.Attempts[0].Class == retry.Broken && i.Outcome == retry.NotDone:
					return fails
				}
				return err.Error()
			}
			yes, no := true, false
			for range 2 { // now with idle connections
				if got := [...]string{call(nil, "https"), call(&no, "https"), call(&yes, "https")}; got != [...]string{tt.unset, tt.secure, tt.blind} {
					t.Errorf("unset, false, true: %q; want %q, %q, %q", got, tt.unset, tt.secure, tt.blind)
				}
			}
			if got := call(&no, "http"); got != works {
				t.Errorf("without TLS it %s", got)
			}
		})
	}
}
