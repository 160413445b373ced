package retry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/aliretry/aliretry/signer"
)

// build lets the SDK fill in a copy of the request, and makes what is sent of it. The SDK
// panics on a request that was not made by its constructor.
func (c *Client) build(ctx context.Context, request requests.AcsRequest, start, end time.Time) (_ *http.Request, up above, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: it cannot be built: %v", ErrRequest, p)
		}
	}()
	up = above{start: start, insecure: request.GetHTTPSInsecure(), reads: true, private: true}
	if !c.attemptTimeout {
		up.readTimeout = max(0, request.GetReadTimeout())
	}
	if request, err = c.filled(ctx, request, start, end); err != nil {
		return nil, up, err
	}
	up.connectTimeout = request.GetConnectTimeout()
	req, err := http.NewRequestWithContext(ctx, request.GetMethod(), request.BuildUrl(), request.GetBodyReader())
	if err != nil {
		return nil, up, fmt.Errorf("%w: it cannot be built: %w", ErrRequest, Redact(err))
	}
	for key, value := range request.GetHeaders() {
		req.Header[key] = []string{value}
		if key == "Host" {
			req.Host = value
		}
	}
	req.Header.Set("User-Agent", c.userAgent(request))
	return req, up, nil
}

// filled returns a copy of the request with all that the SDK adds to it. What is not known
// of its endpoint the SDK looks up, for which it has half of the call's time: where that
// fails, the SDK's own table may know the endpoint.
func (c *Client) filled(ctx context.Context, request requests.AcsRequest, start, end time.Time) (requests.AcsRequest, error) {
	request = copyEmbedded(reflect.ValueOf(request)).Interface().(requests.AcsRequest)
	if err := c.addSource(request); err != nil {
		return nil, err
	}
	lookup, cancel := context.WithDeadline(foreignContext{ctx}, start.Add(end.Sub(start)/2))
	defer cancel()
	ctx, cancelWhole := context.WithDeadline(ctx, end)
	defer cancelWhole()
	var err error
	if builder, unsigned := c.builder(lookup, request); builder != nil {
		if err = builder.BuildRequestWithSigner(request, nil); errors.Is(err, errUnsigned) {
			unsigned.complete()
			err = nil
		}
	} else {
		err = c.buildAside(ctx, request)
	}
	if ctx.Err() != nil { // which the SDK may have taken for a reason to use its table
		return nil, ctx.Err()
	}
	var client *sdkerrors.ClientError
	if errors.As(err, &client) && errors.Is(client.OriginError(), ErrLimiter) { // the SDK hides it
		return nil, fmt.Errorf("%w: the look-up of its endpoint: %w", ErrRequest, client.OriginError())
	}
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be built: %w", ErrRequest, Redact(err))
	}
	if headers := request.GetHeaders(); headers["x-acs-credentials-provider"] == "" {
		delete(headers, "x-acs-credentials-provider")
	}
	return request, nil
}

// builder returns a client to build one request with: a copy of the SDK's that nobody shares,
// that looks endpoints up under ctx, and that asks no provider for credentials, which it
// would do without a context, but has the credentials returned. It is nil where there is none:
// the SDK's client is hidden, or the Transport has to compare its key with the one that a provider
// would give.
func (c *Client) builder(ctx context.Context, request requests.AcsRequest) (*sdk.Client, *unsigned) {
	if c.core == nil {
		return nil, nil
	}
	own := *c.core
	provider := hidden[credentials.CredentialsProvider](&own, "credentialsProvider")
	client := hidden[*http.Client](&own, "httpClient")
	logger := hidden[*sdk.Logger](&own, "logger")
	region := hidden[string](&own, "regionId")
	if provider == nil || client == nil || logger == nil || region == nil {
		return nil, nil
	}
	u := &unsigned{request: request, region: *region}
	if !isStatic(*provider) {
		if _, fixed := c.Transport.Credentials.(signer.FixedProvider); fixed {
			return nil, nil
		}
	} else {
		known, err := (*provider).GetCredentials()
		if err != nil {
			return nil, nil
		}
		u.keyID, u.provider = known.AccessKeyId, known.ProviderName
	}
	if config := hidden[*sdk.Config](&own, "config"); config != nil && (*config).AutoRetry {
		once := **config // a look-up is repeated by the Transport alone
		once.AutoRetry = false
		*config = &once
	}
	*provider = u
	*client = &http.Client{Transport: lookupRoad{c.Transport, ctx}}
	*logger = nil // it keeps the last line without a lock
	return &own, u
}

// buildAside lets the client build as it is, one request at a time. It returns when ctx
// ends; the build goes on and keeps the others waiting, since it cannot be told to stop.
func (c *Client) buildAside(ctx context.Context, request requests.AcsRequest) error {
	select {
	case c.building <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("%v", p)
			}
			<-c.building
		}()
		done <- c.sdk.BuildRequestWithSigner(request, nil)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// networkName is what the SDK takes for the network of an endpoint's name.
var networkName = regexp.MustCompile(`^[a-zA-Z0-9_-]*$`)

// addSource follows the SDK's DoAction up to where it builds.
func (c *Client) addSource(request requests.AcsRequest) error {
	switch client := c.core; {
	case client == nil:
	case !networkName.MatchString(client.Network):
		return fmt.Errorf("%w: its Network contains invalid characters", ErrClient)
	case client.SourceIp == "" || client.SecureTransport != "true" && client.SecureTransport != "false":
	case request.GetStyle() == requests.ROA:
		request.GetHeaders()["x-acs-proxy-source-ip"] = client.SourceIp
		request.GetHeaders()["x-acs-proxy-secure-transport"] = client.SecureTransport
	default:
		request.GetQueryParams()["SourceIp"] = client.SourceIp
		request.GetQueryParams()["SecureTransport"] = client.SecureTransport
	}
	return nil
}

// userAgent is what the SDK would send.
func (c *Client) userAgent(request requests.AcsRequest) string {
	agents := make(map[string]string)
	if c.core != nil {
		if own := hidden[map[string]string](c.core, "userAgent"); own != nil {
			maps.Copy(agents, *own)
		}
	}
	maps.Copy(agents, request.GetUserAgent())
	agent := sdk.DefaultUserAgent
	for _, name := range slices.Sorted(maps.Keys(agents)) {
		agent += " " + name + "/" + agents[name]
	}
	if extra := c.sdk.GetConfig().UserAgent; extra != "" {
		agent += " Extra/" + extra
	}
	return agent
}

// lookupRoad leads from a builder to the Transport.
type lookupRoad struct {
	t   *Transport
	ctx context.Context
}

func (r lookupRoad) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.t.RoundTrip(req.WithContext(r.ctx))
}

// copyEmbedded copies what v points to, what that embeds, and the maps of strings in it. In
// a request of the SDK's this is all that building writes to.
func copyEmbedded(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type().Elem())
	c.Elem().Set(v.Elem())
	unshare(c.Elem())
	return c
}

func unshare(of reflect.Value) {
	for i := range of.NumField() {
		field, embedded := private(of.Field(i)), of.Type().Field(i).Anonymous
		if embedded && field.Kind() == reflect.Interface && field.Elem().Kind() == reflect.Pointer {
			field.Set(copyEmbedded(field.Elem()))
			continue
		}
		switch kind := field.Kind(); {
		case field.Type() == reflect.TypeFor[map[string]string]():
			field.Set(reflect.ValueOf(maps.Clone(field.Interface().(map[string]string))))
		case embedded && kind == reflect.Struct:
			unshare(field)
		case embedded && kind == reflect.Pointer && !field.IsNil() && field.Type().Elem().Kind() == reflect.Struct:
			field.Set(copyEmbedded(field))
		}
	}
	if common, ok := of.Addr().Interface().(*requests.CommonRequest); ok {
		common.TransToAcsRequest() // what it had is bound to the original
	}
}
