package retry

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"sync"
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
	ErrClient = errors.New("unusable client")
	// ErrWrapped: the client has been wrapped already, or has a Transport of ours.
	ErrWrapped = errors.New("client is wrapped already")
	// ErrTransport: the client has a transport whose settings cannot be taken over.
	// Give it as the Transport's Base in an Option if each of its round trips sends one
	// request.
	ErrTransport = errors.New("client has a transport of its own, and no Option gives the Base")
)

// noTimeout is the read timeout that a wrapped client gets: the SDK takes 0 for its default
// of 10 s, and hands any other value to its http.Client as the timeout of the whole call, for
// which a negative one is none.
const noTimeout = time.Duration(math.MinInt64)

// Wrap makes a client of alibaba-cloud-sdk-go safe in place: code that calls
// client.CreateScalingGroup(request) stays as it is, and its calls go through the
// Transport that Wrap makes. Credential is the one that the client was made with, since
// the client does not give it away, and every attempt has to be signed; see
// [ProviderFrom].
//
// The attempt timeout is the client's read timeout or Config.Timeout, unless an Option
// sets Policy.AttemptTimeout; without any of them it is what the SDK's own table of slow
// operations gives, or 10 s. A read timeout that a request sets comes before the client's, and
// bounds its whole call. What else a request sets, its connect timeout and HTTPSInsecure, only
// [Client.DoAction] sees.
//
// Unless an Option gives the Base, the client's proxies, NO_PROXY, HTTPSInsecure and connect
// timeout are taken over, and go on being read: a change counts from the next attempt on,
// and no connection that was made insecurely is used once that is over. An *http.Transport
// that the client has is copied as it is, but for protocols that were registered with it:
// changes to its fields do not count, nor does what other clients that share it write there,
// but the hooks of its TLSClientConfig are asked at
// each handshake.
//
// Wrap switches the client's AutoRetry off, which would repeat calls under new tokens: the
// Config is written to for that, also where other clients share it. It writes nothing else to
// the Config. Where AutoRetry is switched on again, calls fail with [ErrLayered], but for those
// of DoAction, which the SDK does not repeat.
//
// The SDK's session providers are not safe for concurrent use, and the client asks its own
// without a lock for each call that it builds: with one, use [Client.DoAction] where calls
// are made at the same time. Ours is a copy, see [ProviderFrom]; a provider that is not the
// SDK's must bear being shared. Wrap the client before its first use, and change its
// transport and read timeout no more. The error wraps [ErrClient],
// [ErrWrapped], [ErrTransport], [ErrCredentials] or [ErrPolicy].
func Wrap(client SDKClient, credential auth.Credential, opts ...Option) (*Client, error) {
	if isNil(client) {
		return nil, fmt.Errorf("aliretry: %w: it is nil", ErrClient)
	}
	core, ok := findCore(client)
	if !ok {
		return nil, fmt.Errorf("aliretry: %w: it embeds a nil one", ErrClient)
	}
	if client.GetReadTimeout() == noTimeout {
		return nil, fmt.Errorf("aliretry: %w", ErrWrapped)
	}
	if core != nil && !leadsTo(client, core) {
		core = nil // its methods are another's
	}
	config := client.GetConfig()
	if config == nil {
		return nil, fmt.Errorf("aliretry: %w: it was not made by a constructor and has no Config", ErrClient)
	}
	if own := hidden[*sdk.Config](core, "config"); own != nil && *own != nil {
		config = *own // a type of the user's may return a copy
	}
	provider, err := ProviderFrom(credential)
	if err != nil {
		return nil, err
	}
	t := &Transport{Credentials: provider}
	for _, option := range opts {
		if option != nil {
			option(t)
		}
	}
	road := &sdkRoad{Transport: t, config: config, attemptTimeout: t.Policy.AttemptTimeout != 0}
	if !road.attemptTimeout {
		t.Policy.AttemptTimeout = cmp.Or(max(0, client.GetReadTimeout()), max(0, config.Timeout))
	}
	_, err = t.Policy.withDefaults()
	if err = cmp.Or(err, t.budget().validate()); err != nil {
		return nil, fmt.Errorf("aliretry: %w", err)
	}
	httpClient := httpClientOf(core)
	var current http.RoundTripper
	if httpClient != nil {
		current = (*httpClient).Transport
	}
	switch like, plain := current.(*http.Transport); {
	case isOurs(current):
		return nil, fmt.Errorf("aliretry: %w", ErrWrapped)
	case t.Base != nil:
	case core == nil:
		return nil, fmt.Errorf("aliretry: %w: a %T does not show it", ErrTransport, client)
	case current == nil, plain:
		t.Base = newSDKBase(client, like)
	default:
		return nil, fmt.Errorf("aliretry: %w: it is a %T", ErrTransport, current)
	}
	switchOff.Lock()
	if config.AutoRetry { // other goroutines may read a shared Config
		config.AutoRetry = false
	}
	switchOff.Unlock()
	if httpClient != nil { // copies of the client stay as they are
		own := **httpClient
		*httpClient = &own
	}
	client.SetTransport(road)
	client.SetReadTimeout(noTimeout)
	return &Client{Transport: t, sdk: client, core: core, building: make(chan struct{}, 1), attemptTimeout: road.attemptTimeout}, nil
}

func isOurs(transport http.RoundTripper) bool {
	switch transport.(type) {
	case *Transport, *sdkRoad:
		return true
	}
	return false
}

// switchOff guards Configs that clients share, as far as Wrap writes to them.
var switchOff sync.Mutex

func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}
