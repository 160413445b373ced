package retry_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/cs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// What a request carries by the settings of client and request is the same whether the SDK's
// DoAction sends it or ours.
func TestDoActionSendsWhatTheSDKSends(t *testing.T) {
	rules := func(endpointMap map[string]string, kind, network string) func(*ess.Client, *ess.CreateScalingGroupRequest) {
		return func(c *ess.Client, _ *ess.CreateScalingGroupRequest) { c.SetEndpointRules(endpointMap, kind, network) }
	}
	tests := map[string]func(*ess.Client, *ess.CreateScalingGroupRequest){
		"nothing set":     func(*ess.Client, *ess.CreateScalingGroupRequest) {},
		"client's Domain": func(c *ess.Client, _ *ess.CreateScalingGroupRequest) { c.Domain = "one.example.com" },
		"request's Domain": func(c *ess.Client, q *ess.CreateScalingGroupRequest) {
			c.Domain, q.Domain = "one.example.com", "two.example.com"
		},
		"regional rule":       rules(nil, "regional", ""),
		"central rule":        rules(nil, "central", ""),
		"network":             rules(nil, "regional", "vpc"),
		"endpoint map":        rules(map[string]string{"cn-qingdao": "three.example.com"}, "regional", "public"),
		"request's region":    func(_ *ess.Client, q *ess.CreateScalingGroupRequest) { q.RegionId = "cn-hangzhou" },
		"scheme and port":     func(_ *ess.Client, q *ess.CreateScalingGroupRequest) { q.Scheme, q.Port = "https", "8443" },
		"the config's scheme": func(c *ess.Client, _ *ess.CreateScalingGroupRequest) { c.GetConfig().Scheme = "HTTPS" },
		"source": func(c *ess.Client, _ *ess.CreateScalingGroupRequest) {
			c.SourceIp, c.SecureTransport = "10.0.0.1", "true"
		},
		"source, half": func(c *ess.Client, _ *ess.CreateScalingGroupRequest) {
			c.SourceIp, c.SecureTransport = "10.0.0.1", "yes"
		},
		"client's agent":  func(c *ess.Client, _ *ess.CreateScalingGroupRequest) { c.AppendUserAgent("tool", "1") },
		"request's agent": func(_ *ess.Client, q *ess.CreateScalingGroupRequest) { q.AppendUserAgent("tool", "2") },
		"both, and the config's": func(c *ess.Client, q *ess.CreateScalingGroupRequest) {
			c.AppendUserAgent("tool", "1")
			c.AppendUserAgent("lib", "3")
			q.AppendUserAgent("tool", "2")
			c.GetConfig().UserAgent = "extra"
		},
		"an agent in the headers": func(_ *ess.Client, q *ess.CreateScalingGroupRequest) { q.Headers["User-Agent"] = "mine" },
	}
	for name, set := range tests {
		t.Run(name, func(t *testing.T) {
			var sent []*http.Request
			client, request := newEss(t), ess.CreateCreateScalingGroupRequest()
			set(client, request)
			c := mustWrap(t, client, func(tr *retry.Transport) {
				tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
					sent = append(sent, req)
					return stub(req)
				})
			})
			if err := c.DoAction(context.Background(), request, ess.CreateCreateScalingGroupResponse()); err != nil {
				t.Fatal(err)
			}
			if _, err := client.CreateScalingGroup(request); err != nil {
				t.Fatal(err)
			}
			ours, theirs := sent[0], sent[1]
			if ours.URL.Scheme != theirs.URL.Scheme || ours.URL.Host != theirs.URL.Host || ours.Host != theirs.Host {
				t.Errorf("sent to %s, the SDK's to %s", ours.URL.Host, theirs.URL.Host)
			}
			sameParams(t, ours.URL.Query(), theirs.URL.Query(), "ClientToken", "Signature", "SignatureNonce", "Timestamp")
			agents := func(r *http.Request) string { // the SDK has them in any order
				words := strings.Fields(r.Header.Get("User-Agent"))
				slices.Sort(words)
				return strings.Join(words, " ")
			}
			if got, want := agents(ours), agents(theirs); got != want {
				t.Errorf("User-Agent %q, the SDK's %q", got, want)
			}
			sameParams(t, ours.Header, theirs.Header, "User-Agent")
		})
	}
}

func sameParams(t *testing.T, got, want map[string][]string, but ...string) {
	t.Helper()
	for name := range want {
		if !slices.Contains(but, name) && !slices.Equal(got[name], want[name]) {
			t.Errorf("%s is %q, the SDK's %q", name, got[name], want[name])
		}
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is %q, the SDK has none", name, got[name])
		}
	}
}

// A ROA request tells the source in headers, which are signed.
func TestDoActionSourceROA(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	client, err := cs.NewClientWithOptions("cn-qingdao", sdk.NewConfig(), sdkKey)
	if err != nil {
		t.Fatal(err)
	}
	client.SourceIp, client.SecureTransport = "10.0.0.1", "false"
	c := mustWrap(t, client)
	common := requests.NewCommonRequest()
	common.Version, common.ApiName, common.PathPattern, common.Domain = "2015-12-15", "DescribeClusters", "/clusters", srv.Host
	generated := cs.CreateDescribeClustersV1Request()
	generated.Domain = srv.Host
	for _, request := range []requests.AcsRequest{common, generated} {
		if err := c.DoAction(context.Background(), request, responses.NewCommonResponse()); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range srv.Attempts() {
		if a.Header.Get("x-acs-proxy-source-ip") != "10.0.0.1" || a.Header.Get("x-acs-proxy-secure-transport") != "false" || a.Problem != "" {
			t.Errorf("headers %v, %s", a.Header, a.Problem)
		}
	}
}

// The SDK refuses a network that would make a host of anybody's.
func TestDoActionBadNetwork(t *testing.T) {
	client := newEss(t)
	client.Network = "x.example.com/"
	c := mustWrap(t, client)
	err := c.DoAction(context.Background(), ess.CreateCreateScalingGroupRequest(), ess.CreateCreateScalingGroupResponse())
	if i, ok := retry.InfoOf(err); !errors.Is(err, retry.ErrClient) || !ok || i.Outcome != retry.NotDone {
		t.Errorf("%v: %+v", err, i)
	}
}
