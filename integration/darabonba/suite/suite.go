// Package suite holds the tests of real clients of the V2 SDK, darabonba-openapi, that have
// a retry.Transport as their HttpClient, against the fake endpoint of package retrytest
// over real sockets. It is a package and not a test file so that it can be run with more
// than one version of the SDK: each module that imports it builds it with its own.
package suite

import (
	"os"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// tests are run one after another until each says that it may overlap.
var tests = []struct {
	name string
	run  func(*testing.T)
}{
	{"NothingIsLeft", nothingIsLeft},              // a thousand calls: no goroutine, few connections
	{"EffectOnce", effectOnce},                    // every way to call, every fault: one effect
	{"Algorithms", algorithms},                    // every signature and key
	{"CallerErrors", callerErrors},                // what a failed call looks like to its caller
	{"InvalidCalls", invalidCalls},                // refused, and nothing is sent
	{"Contexts", contexts},                        // a deadline, a cancellation
	{"ContextToken", contextToken},                // a token that comes with the context
	{"Events", events},                            // a stream arrives as it is sent
	{"EventsAfterFault", eventsAfterFault},        // and can be begun anew
	{"Proxy", throughProxy},                       // of one call, over HTTP and TLS
	{"ProxyDoesNotStay", proxyDoesNotStay},        // calls with and without one
	{"TLS", verification},                         // a certificate that one call does not check
	{"ClientCertificate", clientCertificate},      // of one client
	{"MaxIdleConns", maxIdleConns},                // connections kept, by call
	{"PolicyOutranks", policyOutranksReadTimeout}, // the attempt timeout of a Policy
	{"ClockIsOff", clockIsOff},                    // and set by the refusal
}

// Run runs the tests with the SDK that is built in.
func Run(t *testing.T) {
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

// Main runs a module's tests without the proxies of the environment, behind which the SDK
// would look for 127.0.0.1.
func Main(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// newServer starts an endpoint that ends with the test.
func newServer(t testing.TB, accounts ...retrytest.Account) *retrytest.Server {
	srv := retrytest.NewServer(accounts...)
	t.Cleanup(srv.Close)
	return srv
}

// quick makes waits short enough for thousands of calls.
var quick = retry.Policy{Transient: retry.Delay{Base: time.Millisecond, Max: 5 * time.Millisecond}, Busy: retry.Delay{Base: time.Millisecond, Max: 5 * time.Millisecond}}

var testKey = signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}

// Setup is a client with the Transport that is its HttpClient.
type Setup struct {
	Client    *openapi.Client
	Transport *retry.Transport
	Ended     []retry.Info // of the calls, as a Trace is told
}

// New makes a client that calls the endpoint at host. The Transport, whose zero fields
// are made fit for tests, and the Config may be changed first.
func New(t testing.TB, host string, change ...func(*retry.Transport, *openapi.Config)) *Setup {
	t.Helper()
	s := &Setup{Transport: &retry.Transport{Credentials: signer.Static(testKey), Policy: quick}}
	s.Transport.Trace = &retry.Trace{CallEnd: func(i retry.Info) { s.Ended = append(s.Ended, i) }}
	config := &openapi.Config{
		AccessKeyId:     dara.String(testKey.AccessKeyID),
		AccessKeySecret: dara.String(testKey.AccessKeySecret),
		Endpoint:        dara.String(host),
		Protocol:        dara.String("http"),
		HttpClient:      s.Transport,
	}
	for _, f := range change {
		f(s.Transport, config)
	}
	var err error
	if s.Client, err = openapi.NewClient(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Transport.CloseIdleConnections)
	return s
}

// last is what is known of the last call.
func (s *Setup) last(t testing.TB) retry.Info {
	t.Helper()
	if len(s.Ended) == 0 {
		t.Fatal("no call has ended")
	}
	return s.Ended[len(s.Ended)-1]
}

// beside returns another client with the same Transport: the SDK's own clients must not
// make calls of the RPC style concurrently.
func (s *Setup) beside() *Setup {
	client := *s.Client
	return &Setup{Client: &client, Transport: s.Transport}
}
