package retry

import (
	"cmp"
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

	sdk            SDKClient
	core           *sdk.Client   // the sdk's; nil if that hides it
	building       chan struct{} // held while the sdk itself builds a request, which is not safe for concurrent use
	attemptTimeout bool          // an Option has set it, and outranks what requests ask for
}

// DoAction is the SDK's DoAction with a context: its cancellation and deadline end the call
// at once, and [WithToken], [WithTrace] and [WithReplaySafe] take effect. Request and
// response are a pair of the SDK, as in ess.CreateCreateScalingGroupRequest() and
// ess.CreateCreateScalingGroupResponse(), or a CommonRequest and a CommonResponse. The
// request is not changed, and may serve several calls at a time.
//
// It costs less than the SDK's: in the RPC style the SDK is stopped before it signs the request,
// which the Transport does for every attempt.
//
// It returns nil if the API accepted the call, and an *[Error] for every failure, in which an
// error reply of the API is found as the SDK's *errors.ServerError.
//
// What client and request are set to has the SDK's meaning, but for the client's Logger and
// tracer, which are not used. The request's read timeout is the attempt timeout, unless an
// Option has set Policy.AttemptTimeout. Its HTTPSInsecure and connect timeout reach the
// client's own Base and an *http.Transport; any other Base does not learn of the timeout, and
// over TLS a call with the former is refused. The SDK may look the endpoint up: that is a
// call of its own under ctx, without its token, and takes half of the time at most.
//
// A client that hides the SDK's in a field, or one that would fetch a session for a Transport
// with a fixed key, has to build its request itself. It builds one at a time, without a
// context: when ctx ends meanwhile, it goes on behind DoAction's back and reads the request.
func (c *Client) DoAction(ctx context.Context, request requests.AcsRequest, response responses.AcsResponse) error {
	switch {
	case c.sdk == nil:
		return (&call{}).refuse(fmt.Errorf("%w: Wrap has not made it", ErrClient))
	case ctx == nil:
		return c.unsent(context.Background(), fmt.Errorf("%w: its context is nil", ErrRequest))
	case isNil(request) || isNil(response):
		return c.unsent(ctx, fmt.Errorf("%w: it or the response is nil", ErrRequest))
	}
	policy, err := c.Transport.Policy.withDefaults()
	if err = cmp.Or(err, c.Transport.budget().validate()); err != nil {
		return c.unsent(ctx, err)
	}
	start := time.Now()
	deadline, _ := ctx.Deadline()
	req, up, err := c.build(ctx, request, start, policy.end(start, deadline))
	if err != nil {
		return c.unsent(ctx, err)
	}
	resp, err := c.Transport.do(req, nil, up)
	if err != nil {
		return err
	}
	call := callOf(resp.Request)
	reading, cancel := context.WithDeadline(ctx, call.end)
	defer cancel()
	if call.reply.rest != nil { // it is still arriving, and is the call's all the same
		defer context.AfterFunc(reading, func() { resp.Body.Close() })()
	}
	err = unmarshal(response, resp, request.GetAcceptFormat())
	if call.broken.Load() {
		call.stopErr = cmp.Or(reading.Err(), call.stopErr)
	}
	if call.reply.rest != nil {
		call.hooks.callEnd(call.snapshot)
	}
	if n := len(call.attempts); err == nil && n > 0 && call.attempts[n-1].Class != Success {
		err = call.lastAnswer() // the SDK takes every 2xx for success
	}
	var ours *Error
	if errors.As(err, &ours) { // of a reply that broke off
		err = ours.Err
	}
	if err != nil {
		return &Error{Info: call.snapshot(), Err: err, stopErr: call.stopErr}
	}
	return nil
}

// unsent ends a call that does not come as far as the Transport.
func (c *Client) unsent(ctx context.Context, err error) error {
	return (&call{hooks: hooksOf(c.Transport, ctx), keyed: newUnderKey(ctx)}).refuse(err)
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
