package retry

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// SDKClient is a client of alibaba-cloud-sdk-go: *ess.Client, *vpc.Client and every
// other service's, and *sdk.Client itself.
type SDKClient interface {
	BuildRequestWithSigner(request requests.AcsRequest, signer auth.Signer) error
	GetConfig() *sdk.Config
	GetConnectTimeout() time.Duration
	GetHTTPSInsecure() bool
	GetHttpProxy() string
	GetHttpsProxy() string
	GetNoProxy() string
	GetReadTimeout() time.Duration
	SetReadTimeout(time.Duration)
	SetTransport(http.RoundTripper)
}

// Option sets up the Transport that [Wrap] makes: any func that sets its fields, such
// as func(t *retry.Transport) { t.Policy.MaxAttempts = 3 }.
type Option func(*Transport)

// Errors of [Wrap]. The client is then as it was.
var (
	// ErrClient: the client is nil, or was not made by a constructor.
	ErrClient = errors.New("client")
	// ErrWrapped: the client has been wrapped already.
	ErrWrapped = errors.New("client is wrapped already")
	// ErrTransport: the client has a transport whose settings cannot be taken over.
	// Give it as the Transport's Base in an Option if each of its round trips sends one
	// request.
	ErrTransport = errors.New("client has a transport of its own, and no Option gives the Base")
)

// sdkTimeout is the read timeout that a wrapped client gets. The SDK makes it the
// timeout of its http.Client, which would span all attempts and waits.
const sdkTimeout = 24 * time.Hour

// Wrap makes a client of alibaba-cloud-sdk-go safe in place: code that calls
// client.CreateScalingGroup(request) stays as it is, and its calls go through the
// Transport that Wrap makes. Credential is the one that the client was made with, since
// the client does not give it away, and every attempt has to be signed; see
// [ProviderFrom].
//
// The attempt timeout is the client's read timeout or Config.Timeout, unless an Option
// sets Policy.AttemptTimeout. The client's proxy, TLS and connect-timeout settings, and
// those of an *http.Transport that it has, are taken over. Wrap switches the client's
// AutoRetry off, which would repeat calls under new tokens: the Config is written to
// for that, also where other clients share it. It writes nothing else to the Config.
//
// Wrap the client before its first use and change its transport, timeouts and retry
// settings no more. The error wraps [ErrClient], [ErrWrapped], [ErrTransport],
// [ErrCredentials] or [ErrPolicy].
func Wrap(client SDKClient, credential auth.Credential, opts ...Option) (*Client, error) {
	if isNil(client) {
		return nil, fmt.Errorf("aliretry: %w is nil", ErrClient)
	}
	config := client.GetConfig()
	if config == nil {
		return nil, fmt.Errorf("aliretry: %w was not made by a constructor: it has no Config", ErrClient)
	}
	provider, err := ProviderFrom(credential)
	if err != nil {
		return nil, err
	}
	t := &Transport{Credentials: provider, sdkTimeout: sdkTimeout}
	if t.Policy.AttemptTimeout = client.GetReadTimeout(); t.Policy.AttemptTimeout == 0 {
		t.Policy.AttemptTimeout = config.Timeout
	}
	for _, option := range opts {
		if option != nil {
			option(t)
		}
	}
	if _, err := t.Policy.withDefaults(); err != nil {
		return nil, fmt.Errorf("aliretry: %w", err)
	}
	switch current := transportOf(client).(type) {
	case *Transport:
		return nil, fmt.Errorf("aliretry: %w", ErrWrapped)
	case nil:
		if t.Base == nil {
			t.Base = baseFor(client, nil)
		}
	case *http.Transport:
		if t.Base == nil {
			t.Base = baseFor(client, current)
		}
	default:
		if t.Base == nil {
			return nil, fmt.Errorf("aliretry: %w: %T", ErrTransport, current)
		}
	}
	config.AutoRetry = false
	client.SetTransport(t)
	client.SetReadTimeout(sdkTimeout)
	return &Client{Transport: t, sdk: client, building: make(chan struct{}, 1)}, nil
}

func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}

// transportOf returns the transport that a client has. The SDK has no getter for it;
// reading its private field by reflection is the one way to see a transport that was
// set with SetTransport, our own above all.
func transportOf(client SDKClient) http.RoundTripper {
	v := reflect.Indirect(reflect.ValueOf(client))
	if v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[sdk.Client]() {
		v = reflect.Indirect(v.FieldByName("Client"))
	}
	if v.IsValid() && v.Type() == reflect.TypeFor[sdk.Client]() {
		if hc := reflect.Indirect(v.FieldByName("httpClient")); hc.IsValid() {
			return exported(hc.FieldByName("Transport"))
		}
	}
	if config := client.GetConfig(); config.Transport != nil {
		return config.Transport
	} else if config.HttpTransport != nil {
		return config.HttpTransport
	}
	return nil
}

// exported returns the transport in a field that reflection found behind a private one.
// Only pointers of the two kinds that Wrap knows can be had; any other is opaque.
func exported(field reflect.Value) http.RoundTripper {
	switch v := field.Elem(); {
	case !v.IsValid():
		return nil
	case v.Type() == reflect.TypeFor[*Transport]():
		return (*Transport)(v.UnsafePointer())
	case v.Type() == reflect.TypeFor[*http.Transport]():
		return (*http.Transport)(v.UnsafePointer())
	default:
		return opaque{v.Type()}
	}
}

// opaque stands for a transport of which only the type can be told.
type opaque struct{ reflect.Type }

func (o opaque) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%w: %v", ErrTransport, o.Type)
}
