package client

import (
	"context"
	"testing"

	"github.com/aliretry/aliretry/retry/retrytest"
)

var all = []Client{V1, V1AutoRetry, V1AutoRetryToken, V1Loop, V1Wrapped, V1DoAction, V2, V2Retry, V2RetryToken, V2Transport,
	NetHTTP, RetryableHTTP, RetryableHTTPSigning, FailsafeHTTP, Azcore, TransportSigned, Transport}

// Each client asks for the same thing, signs it so that an endpoint takes it, and reads the
// reply.
func TestOverSockets(t *testing.T) {
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			id := mustCall(t, c, Endpoint{Host: srv.Host})
			effects := srv.Effects()
			if len(effects) != 1 || effects[0].ResourceID != id {
				t.Fatalf("told of %q; effects are %v", id, effects)
			}
			if e := effects[0]; e.Action != Action || e.Version != Version {
				t.Errorf("called %s %s", e.Version, e.Action)
			}
			for name, want := range Parameters {
				if got := effects[0].Params.Get(name); got != want {
					t.Errorf("%s is %q; want %q", name, got, want)
				}
			}
		})
	}
}

func TestOverStub(t *testing.T) {
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) {
			if id := mustCall(t, c, Stub); id != ID {
				t.Errorf("told of %q; want %q", id, ID)
			}
		})
	}
	for _, c := range []Client{AWS, AWSWithoutRetry} {
		t.Run(c.Name, func(t *testing.T) {
			if id := mustCall(t, c, StubAWS); id != ID {
				t.Errorf("told of %q; want %q", id, ID)
			}
		})
	}
}

func mustCall(t *testing.T, c Client, e Endpoint) string {
	t.Helper()
	call, err := c.New(e)
	if err != nil {
		t.Fatal(err)
	}
	id, err := call(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return id
}
