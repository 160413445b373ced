package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/signer"
	"github.com/aliretry/aliretry/token"
)

// signedOnce is how a program uses a client that knows nothing of signatures.
const signedOnce = "the request has a client token, and was signed once, by the V1 SDK's signer"

// The clients of any HTTP API.
var (
	NetHTTP = Client{"net/http", "an http.Client; " + signedOnce, func(e Endpoint) (Call, error) {
		return sendSigned(e, (&http.Client{Transport: e.Base}).Do)
	}}
	RetryableHTTP = Client{"go-retryablehttp", "up to four retries, 1 to 5 ms apart; " + signedOnce, func(e Endpoint) (Call, error) {
		return sendRetryable(e, nil)
	}}
	RetryableHTTPSigning = Client{"go-retryablehttp, re-signing", "the same, with a PrepareRetry that signs anew, by package signer", func(e Endpoint) (Call, error) {
		return sendRetryable(e, func(req *http.Request) error { return signer.Sign(req, nil, Key, signer.Stamp{}) })
	}}
	FailsafeHTTP = Client{"failsafehttp", "failsafe-go's retry policy for HTTP: up to two retries, no waits; " + signedOnce, func(e Endpoint) (Call, error) {
		rt := failsafehttp.NewRoundTripper(e.Base, failsafehttp.NewRetryPolicyBuilder().Build())
		return sendSigned(e, (&http.Client{Transport: rt}).Do)
	}}
	Azcore = Client{"azcore", "the pipeline of Azure's SDK: up to three retries, at most 5 ms apart; " + signedOnce, func(e Endpoint) (Call, error) {
		options := &policy.ClientOptions{Retry: policy.RetryOptions{RetryDelay: minWait, MaxRetryDelay: maxWait}}
		if e.Base != nil {
			options.Transport = &http.Client{Transport: e.Base}
		}
		pipeline := runtime.NewPipeline("benchmarks", "v0", runtime.PipelineOptions{}, options)
		return sendSigned(e, func(req *http.Request) (*http.Response, error) {
			wrapped, err := runtime.NewRequestFromRequest(req)
			if err != nil {
				return nil, err
			}
			return pipeline.Do(wrapped)
		})
	}}
	TransportSigned = Client{"retry.Transport, signed request", "aliretry, under an http.Client; " + signedOnce, func(e Endpoint) (Call, error) {
		return sendSigned(e, (&http.Client{Transport: newTransport(e)}).Do)
	}}
	Transport = Client{"retry.Transport", "aliretry, under an http.Client; the request comes unsigned and without a client token; waits of at most 5 ms", func(e Endpoint) (Call, error) {
		client := &http.Client{Transport: newTransport(e)}
		return func(ctx context.Context) (string, error) {
			query := make(url.Values, len(Parameters)+4)
			for name, value := range Parameters {
				query[name] = []string{value}
			}
			query["Action"], query["Version"] = []string{Action}, []string{Version}
			query["Format"], query["RegionId"] = []string{"JSON"}, []string{Region}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.Host+"/?"+query.Encode(), nil)
			if err != nil {
				return "", err
			}
			return send(client.Do, req)
		}, nil
	}}
)

func newTransport(e Endpoint) *retry.Transport {
	t := &retry.Transport{Base: e.Base, Credentials: signer.Static(Key)}
	quick(t)
	return t
}

func quick(t *retry.Transport) {
	t.Policy.Transient = retry.Delay{Base: minWait, Max: maxWait}
	t.Policy.Busy = t.Policy.Transient
}

// sendRetryable returns the call through go-retryablehttp.
func sendRetryable(e Endpoint, prepare retryablehttp.PrepareRetry) (Call, error) {
	client := retryablehttp.NewClient()
	client.Logger, client.RetryWaitMin, client.RetryWaitMax = nil, minWait, maxWait
	client.PrepareRetry = prepare
	if e.Base != nil {
		client.HTTPClient = &http.Client{Transport: e.Base}
	}
	return sendSigned(e, func(req *http.Request) (*http.Response, error) {
		wrapped, err := retryablehttp.FromRequest(req)
		if err != nil {
			return nil, err
		}
		return client.Do(wrapped)
	})
}

type doFunc func(*http.Request) (*http.Response, error)

// sendSigned returns the call through a client that takes signed requests.
func sendSigned(e Endpoint, do doFunc) (Call, error) {
	provider, err := auth.ToCredentialsProvider(v1Key)
	return func(ctx context.Context) (string, error) {
		request := new(requests.RpcRequest)
		request.InitWithApiInfo("Ess", Version, Action, "ess", "openAPI")
		request.Method, request.Scheme, request.Domain = http.MethodPost, "http", e.Host
		for name, value := range Parameters {
			request.QueryParams[name] = value
		}
		request.QueryParams["ClientToken"] = token.New()
		if err := auth.Sign(request, nil, Region, provider); err != nil {
			return "", err
		}
		req, err := http.NewRequestWithContext(ctx, request.GetMethod(), request.BuildUrl(), nil)
		if err != nil {
			return "", err
		}
		for name, value := range request.GetHeaders() {
			req.Header[name] = []string{value}
		}
		return send(do, req)
	}, err
}

// send sends the request and reads the reply.
func send(do doFunc, req *http.Request) (string, error) {
	resp, err := do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	var reply struct{ ScalingGroupId, Code, Message string }
	switch err := json.Unmarshal(body, &reply); {
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s: %s: %s", resp.Status, reply.Code, reply.Message)
	case err != nil:
		return "", err
	}
	return reply.ScalingGroupId, nil
}
