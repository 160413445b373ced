// Package models holds the simulation's models of other clients against those clients: each gets
// the same replies as its library does, which runs as it comes, waits included, in virtual time.
// Not here are Terraform's loop, which is no library, and stripe-go, which is no dependency.
package models

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/aliretry/aliretry/benchmarks/client"
	"github.com/aliretry/aliretry/internal/storm"
)

func TestModels(t *testing.T) {
	for _, c := range []struct {
		model   *storm.Model
		library func(client.Endpoint) (client.Call, error)
		answers answers
		env     string // AWS_NEW_RETRIES_2026
	}{
		{storm.NoRetry(), client.V1.New, alibaba, ""},
		{storm.AutoRetry(), client.V1AutoRetry.New, alibaba, ""},
		{storm.V2(), newV2, alibaba, ""},
		{storm.RetryableHTTP(), newRetryable, alibaba, ""},
		{storm.AWSStandard(), client.AWS.New, amazon, ""},
		{storm.AWSStandard2026(), client.AWS.New, amazon, "true"},
	} {
		t.Run(c.model.Name, func(t *testing.T) {
			t.Setenv("AWS_NEW_RETRIES_2026", c.env)
			synctest.Test(t, func(t *testing.T) {
				seen := make(spread)
				random := rand.New(rand.NewPCG(1, 2))
				for range 20 { // programs: the first calls of each find a full bucket, the last ones an empty one
					s := &script{answer: c.answers, timeout: c.model.Program().Call(time.Now()).Timeout(time.Now())}
					call, err := c.library(client.Endpoint{Host: "ess.aliyuncs.com", Base: s})
					if err != nil {
						t.Fatal(err)
					}
					p := program{low: c.model.Program(), high: c.model.Program()}
					for range 150 {
						given := draw(random)
						s.begin(given)
						began := time.Now()
						_, err := call(context.Background())
						if err := p.follow(s, given, began, err == nil, seen); err != nil {
							t.Fatalf("replies %v: %v", given[:len(s.attempts)], err)
						}
					}
				}
				seen.check(t)
				time.Sleep(time.Minute) // AutoRetry closes no body of a 5xx: until its timeout, a goroutine waits for that
			})
		})
	}
}

// draw returns more replies than any call has attempts; a quarter of them are OK.
func draw(random *rand.Rand) []storm.Reply {
	given := make([]storm.Reply, 8)
	for i := range given {
		if random.IntN(4) > 0 {
			given[i] = storm.Refused + storm.Reply(random.IntN(int(storm.InProgress)))
		}
	}
	return given
}

// program is a model's program twice, with jitter at its one end and at its other.
type program struct{ low, high storm.Program }

type always uint64

func (a always) Uint64() uint64 { return uint64(a) }

// follow makes the call that the library has made, and tells where they differ.
func (p program) follow(s *script, given []storm.Reply, began time.Time, ok bool, seen spread) error {
	low, high := p.low.Call(began), p.high.Call(began)
	for i, a := range s.attempts {
		if given[i] == storm.TimedOut {
			if got, want := a.ended.Sub(a.began), low.Timeout(a.began); got != want {
				return fmt.Errorf("attempt %d lasts %v; in the model %v", i+1, got, want)
			}
		}
		one := low.Next(given[i], a.ended, rand.New(always(0)))
		other := high.Next(given[i], a.ended, rand.New(always(math.MaxUint64)))
		if i == len(s.attempts)-1 {
			if one.Retry || other.Retry || one.Success != ok || a.ended.Add(one.Delay) != time.Now() {
				return fmt.Errorf("the library ends the call, success %t; in the model %+v and %+v", ok, one, other)
			}
			break
		}
		if !one.Retry || !other.Retry {
			return fmt.Errorf("attempt %d comes; in the model %+v and %+v", i+2, one, other)
		}
		least, most := min(one.Delay, other.Delay), max(one.Delay, other.Delay)
		wait := s.attempts[i+1].began.Sub(a.ended)
		if wait < least || wait > most {
			return fmt.Errorf("attempt %d comes after %v; in the model after %v to %v", i+2, wait, least, most)
		}
		if most > least {
			seen.add(i+1, given[i], float64(wait-least)/float64(most-least))
		}
	}
	return nil
}

// spread is where, between the model's least and most, the library's waits were.
type spread map[place][]float64

type place struct {
	retry int
	after storm.Reply
}

func (s spread) add(retry int, after storm.Reply, part float64) {
	p := place{retry, after}
	s[p] = append(s[p], part)
}

// check is that they were everywhere, so that the model's range is no wider than the library's.
func (s spread) check(t *testing.T) {
	for p, parts := range s {
		least, most := 1.0, 0.0
		for _, part := range parts {
			least, most = min(least, part), max(most, part)
		}
		if least > 0.2 || most < 0.8 {
			t.Errorf("retry %d after reply %d: %d waits, from %.2f to %.2f of the model's", p.retry, p.after, len(parts), least, most)
		}
	}
}

// newV2 returns a call of the V2 SDK under RetryOptions with nothing but codes.
func newV2(e client.Endpoint) (client.Call, error) {
	api, err := openapi.NewClient(&utils.Config{
		AccessKeyId: &client.Key.AccessKeyID, AccessKeySecret: &client.Key.AccessKeySecret, Endpoint: &e.Host,
		HttpClient: httpClient{&http.Client{Transport: e.Base}},
		RetryOptions: &dara.RetryOptions{Retryable: true, RetryCondition: []*dara.RetryCondition{{
			ErrorCode: []string{"InternalError", "ServiceUnavailable", "Throttling.User"},
		}}},
	})
	params := &utils.Params{
		Action: dara.String(client.Action), Version: dara.String(client.Version), Style: dara.String("RPC"),
		Method: dara.String(http.MethodPost), Pathname: dara.String("/"), Protocol: dara.String("https"),
		AuthType: dara.String("AK"), ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
	return func(context.Context) (string, error) {
		_, err := api.CallApi(params, &utils.OpenApiRequest{}, &dara.RuntimeOptions{
			Autoretry: dara.Bool(true), MaxAttempts: dara.Int(10), // as the manual has it; read no more
		})
		return "", err
	}, err
}

type httpClient struct{ *http.Client }

func (c httpClient) Call(req *http.Request, _ *http.Transport) (*http.Response, error) {
	return c.Do(req)
}

// newRetryable returns a call through go-retryablehttp's client with all its defaults. It may
// return a reply of any status without an error.
func newRetryable(e client.Endpoint) (client.Call, error) {
	c := retryablehttp.NewClient()
	c.Logger, c.HTTPClient.Transport = nil, e.Base
	return func(ctx context.Context) (string, error) {
		req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, "https://"+e.Host+"/", nil)
		if err != nil {
			return "", err
		}
		resp, err := c.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode == http.StatusOK {
			return "", err
		}
		return "", fmt.Errorf("status %d", resp.StatusCode)
	}, nil
}
