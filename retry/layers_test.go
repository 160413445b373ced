package retry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// AutoRetry that is switched on behind Wrap's back: nothing is sent in any of the SDK's
// tries, and the error says why. DoAction, which the SDK does not repeat, goes on.
func TestAutoRetryAfterWrap(t *testing.T) {
	tests := map[string]struct {
		switchOn func(*ess.Client)
		tries    int
	}{
		"the field":     {func(c *ess.Client) { c.GetConfig().AutoRetry = true }, 4},
		"its setter":    {func(c *ess.Client) { c.GetConfig().WithAutoRetry(true).WithMaxRetryTime(9) }, 10},
		"no more tries": {func(c *ess.Client) { c.GetConfig().WithAutoRetry(true).WithMaxRetryTime(0) }, 1},
		"another client": {func(c *ess.Client) {
			_, _ = sdk.NewClientWithOptions("cn-qingdao", c.GetConfig().WithAutoRetry(true), sdkKey)
		}, 4},
		"a read timeout":  {func(c *ess.Client) { c.GetConfig().AutoRetry = true; c.SetReadTimeout(1e9) }, 4},
		"a second client": {func(c *ess.Client) { second := *c; second.GetConfig().AutoRetry = true }, 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			client := newEss(t)
			ends := 0
			c := mustWrap(t, client, func(tr *retry.Transport) { tr.Trace = &retry.Trace{CallEnd: func(retry.Info) { ends++ }} })
			tt.switchOn(client)
			_, err := client.CreateScalingGroup(createRequest(srv))
			var theirs *sdkerrors.ClientError
			if !errors.As(err, &theirs) || !errors.Is(theirs.OriginError(), retry.ErrLayered) || !strings.Contains(err.Error(), "AutoRetry") {
				t.Errorf("error %v", err)
			}
			i, ok := retry.InfoOf(err)
			if !ok || i.Outcome != retry.NotDone || len(i.Attempts) != 0 || i.Operation.Action != "CreateScalingGroup" {
				t.Errorf("%+v, %v", i, ok)
			}
			if n := len(srv.Attempts()); n != 0 || ends != tt.tries {
				t.Errorf("%d requests were sent in %d tries, want none in %d", n, ends, tt.tries)
			}
			if err := c.DoAction(t.Context(), createRequest(srv), ess.CreateCreateScalingGroupResponse()); err != nil {
				t.Errorf("DoAction: %v", err)
			}
			client.GetConfig().AutoRetry = false
			if _, err := client.CreateScalingGroup(createRequest(srv)); err != nil {
				t.Errorf("switched off again: %v", err)
			}
		})
	}
}

// An attempt that comes back to a Transport as a call is refused, and the outer call ends
// with that.
func TestTransportInTransport(t *testing.T) {
	bases := map[string]func(inner *retry.Transport) http.RoundTripper{
		"itself": func(inner *retry.Transport) http.RoundTripper { return inner },
		"under another": func(inner *retry.Transport) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				req = req.Clone(req.Context())
				req.Header.Set("X-Tenant", "1")
				return inner.RoundTrip(req)
			})
		},
		"under an http.Client": func(inner *retry.Transport) http.RoundTripper {
			client := &http.Client{Transport: inner}
			return roundTripFunc(client.Do)
		},
		"as the V2 SDK calls it": func(inner *retry.Transport) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) { return inner.Call(req, &http.Transport{}) })
		},
		"in a goroutine": func(inner *retry.Transport) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (resp *http.Response, err error) {
				done := make(chan struct{})
				go func() { defer close(done); resp, err = inner.RoundTrip(req) }()
				<-done
				return resp, err
			})
		},
	}
	roa := http.Header{"x-acs-version": {"2099-01-01"}, "Authorization": {"acs testid:x"}, "Accept": {"application/json"}}
	for name, base := range bases {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			inner := &retry.Transport{Credentials: static, Policy: quick}
			defer inner.CloseIdleConnections()
			outer := &retry.Transport{Base: base(inner), Credentials: static, Policy: quick}
			for url, header := range map[string]http.Header{
				srv.URL + createQuery: {},
				srv.URL + "/?Action=DescribeRegions&Version=2014-05-26": {},
				srv.URL + "/some/path": roa, // no name at all
			} {
				req, _ := http.NewRequest("POST", url, nil)
				req.Header = header.Clone()
				_, err := outer.RoundTrip(req)
				i, _ := retry.InfoOf(err)
				if !errors.Is(err, retry.ErrLayered) || i.Outcome != retry.NotDone || len(i.Attempts) != 1 || i.Attempts[0].Class != retry.Broken {
					t.Errorf("%s: %v: %+v", url, err, i)
				}
			}
			if n := len(srv.Attempts()); n != 0 {
				t.Errorf("%d requests were sent", n)
			}
		})
	}
}

// assumer is a provider that makes a call of its own through a Transport, under the context
// that it was given.
type assumer struct {
	through *retry.Transport
	query   string
	asking  bool // for the key that its own call is signed with
}

func (a *assumer) Credentials(ctx context.Context) (signer.Credentials, error) {
	if a.asking {
		return static.Credentials(ctx)
	}
	a.asking = true
	defer func() { a.asking = false }()
	req, _ := http.NewRequestWithContext(ctx, "POST", a.query, nil)
	resp, err := a.through.RoundTrip(req)
	if err != nil {
		return signer.Credentials{}, err
	}
	_ = resp.Body.Close()
	return static.Credentials(ctx)
}

// What is no attempt passes, although a context says that it comes from a call: a provider's
// own call, one that a base makes for its ends, and one under a response's context.
func TestCallsWithinCalls(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	describe := srv.URL + "/?Action=DescribeRegions&Version=2014-05-26&Format=JSON"
	other := &retry.Transport{Credentials: static, Policy: quick}
	defer other.CloseIdleConnections()
	do := func(t *testing.T, ctx context.Context, rt http.RoundTripper, url string) *http.Response {
		t.Helper()
		req, _ := http.NewRequestWithContext(ctx, "POST", url, nil)
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp
	}
	seen := 0
	check := func(t *testing.T, want int) {
		t.Helper()
		if n := len(srv.Attempts()) - seen; n != want {
			t.Errorf("%d requests were sent, want %d", n, want)
		}
		seen = len(srv.Attempts())
	}
	asking := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		do(t, req.Context(), other, describe)
		return http.DefaultTransport.RoundTrip(req)
	})
	t.Run("a provider, through another Transport", func(t *testing.T) {
		tr := &retry.Transport{Credentials: &assumer{through: other, query: srv.URL + createQuery}, Policy: quick}
		defer tr.CloseIdleConnections()
		do(t, t.Context(), tr, srv.URL+createQuery)
		check(t, 2)
	})
	t.Run("a provider, through its own", func(t *testing.T) {
		a := &assumer{query: describe}
		a.through = &retry.Transport{Credentials: a, Policy: quick}
		defer a.through.CloseIdleConnections()
		do(t, t.Context(), a.through, srv.URL+createQuery)
		check(t, 2)
	})
	t.Run("a provider of the one that a base asks", func(t *testing.T) {
		inner := &retry.Transport{Credentials: &assumer{through: other, query: srv.URL + createQuery}, Policy: quick}
		defer inner.CloseIdleConnections()
		tr := &retry.Transport{Credentials: static, Policy: quick, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			do(t, req.Context(), inner, describe)
			return http.DefaultTransport.RoundTrip(req)
		})}
		do(t, t.Context(), tr, srv.URL+createQuery)
		check(t, 3)
	})
	t.Run("a base, of another operation", func(t *testing.T) {
		do(t, t.Context(), &retry.Transport{Base: asking, Credentials: static, Policy: quick}, srv.URL+createQuery)
		check(t, 2)
	})
	t.Run("the next page, under a response's context", func(t *testing.T) {
		first := do(t, t.Context(), other, describe)
		do(t, context.WithoutCancel(first.Request.Context()), other, describe)
		check(t, 2)
	})
}

// The V2 SDK's repeated try is refused. The try before it may have had an effect, unless the
// operation only reads.
func TestRepeatedTry(t *testing.T) {
	srv := retrytest.NewServer()
	defer srv.Close()
	for query, want := range map[string]retry.Outcome{
		createQuery: retry.Unknown,
		"/?Action=DescribeRegions&Version=2014-05-26": retry.NotDone,
	} {
		for _, key := range []string{"x-acs-retry-attempts", "X-Acs-Retry-Attempts"} {
			ends := 0
			tr := &retry.Transport{Credentials: static, Policy: quick, Trace: &retry.Trace{CallEnd: func(retry.Info) { ends++ }}}
			req, _ := http.NewRequest("POST", srv.URL+query, nil)
			req.Header[key] = []string{"1"}
			_, err := tr.Call(req, &http.Transport{})
			i, ok := retry.InfoOf(err)
			if !errors.Is(err, retry.ErrLayered) || !ok || i.Outcome != want || i.Operation.Action == "" || i.Reason == "" || ends != 1 {
				t.Errorf("%s: %v: %+v, %d calls ended", query, err, i, ends)
			}
		}
	}
	if n := len(srv.Attempts()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
