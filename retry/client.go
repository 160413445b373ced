package retry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
)

// Client is a client of alibaba-cloud-sdk-go that [Wrap] has made safe. It is safe for
// concurrent use.
type Client struct {
	// Transport carries the client's calls, also those that do not go through DoAction.
	Transport *Transport

	sdk      SDKClient
	building chan struct{} // held while the SDK builds a request, which is not safe for concurrent use
}

// DoAction is the SDK's DoAction with a context: cancellation and deadline end the call
// at once, and [WithToken], [WithTrace] and [WithReplaySafe] take effect. Request and
// response are a pair of the SDK, as in ess.CreateCreateScalingGroupRequest() and
// ess.CreateCreateScalingGroupResponse(), or a CommonRequest and a CommonResponse; the
// request must not be used by another goroutine meanwhile.
//
// It returns nil if the API accepted the call, and an *[Error] for every failure; an
// error reply of the API is found in it as the SDK's *errors.ServerError. This release
// expects the endpoint to be known: in the request's Domain, in the client's, or in the
// SDK's own table. A look-up by the Location service would not be bound by ctx. A
// request's own timeouts, and the client's AppendUserAgent and SourceIp, are not heard.
func (c *Client) DoAction(ctx context.Context, request requests.AcsRequest, response responses.AcsResponse) error {
	switch {
	case ctx == nil:
		return c.unsent(context.Background(), fmt.Errorf("%w: its context is nil", ErrRequest))
	case isNil(request) || isNil(response):
		return c.unsent(ctx, fmt.Errorf("%w: it or the response is nil", ErrRequest))
	}
	req, err := c.build(ctx, request)
	if err != nil {
		return c.unsent(ctx, err)
	}
	resp, err := c.Transport.RoundTrip(req)
	if err != nil {
		return err
	}
	call := callOf(resp.Request)
	// A reply over Policy.MaxReply is still arriving, and is the call's all the same.
	timer := time.AfterFunc(time.Until(call.end), func() { resp.Body.Close() })
	defer timer.Stop()
	err = unmarshal(response, resp, request.GetAcceptFormat())
	if last := &call.attempts[len(call.attempts)-1]; err == nil && last.Class != Success {
		err = &answerError{last.Status, last.Code, last.Message} // the SDK takes every 2xx for success
	}
	if err != nil {
		return &Error{Info: call.snapshot(), Err: err, ctxErr: call.stopErr}
	}
	return nil
}

// unsent ends a call that does not come as far as the Transport.
func (c *Client) unsent(ctx context.Context, err error) error {
	return (&call{hooks: hooksOf(c.Transport, ctx)}).refuse(err)
}

// build lets the SDK fill in and sign the request, and copies it out. The SDK panics on a
// request that was not made by its constructor.
func (c *Client) build(ctx context.Context, request requests.AcsRequest) (_ *http.Request, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: it cannot be built: %v", ErrRequest, p)
		}
	}()
	select {
	case c.building <- struct{}{}:
		defer func() { <-c.building }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if common, ok := request.(*requests.CommonRequest); ok {
		common.TransToAcsRequest()
	}
	if err := c.sdk.BuildRequestWithSigner(request, nil); err != nil {
		return nil, fmt.Errorf("%w: it cannot be built: %w", ErrRequest, Redact(err))
	}
	req, err := http.NewRequestWithContext(ctx, request.GetMethod(), request.BuildUrl(), request.GetBodyReader())
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be built: %w", ErrRequest, Redact(err))
	}
	req.Header.Set("User-Agent", userAgent(request, c.sdk.GetConfig()))
	for key, value := range request.GetHeaders() {
		req.Header[key] = []string{value}
		if key == "Host" {
			req.Host = value
		}
	}
	return req, nil
}

// userAgent is what the SDK would send.
func userAgent(request requests.AcsRequest, config *sdk.Config) string {
	agent := sdk.DefaultUserAgent
	for name, version := range request.GetUserAgent() {
		agent += " " + name + "/" + version
	}
	if config.UserAgent != "" {
		agent += " Extra/" + config.UserAgent
	}
	return agent
}

// unmarshal is the SDK's, which panics on an error body whose Code, Message or RequestId
// is no string.
func unmarshal(response responses.AcsResponse, resp *http.Response, format string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("SDK cannot read the reply with status %d: %v", resp.StatusCode, p)
		}
	}()
	err = responses.Unmarshal(response, resp, format)
	var server *sdkerrors.ServerError
	if errors.As(err, &server) {
		server.RespHeaders = response.GetHttpHeaders()
	}
	return err
}
