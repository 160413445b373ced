package integration

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// TestMain sets what the command line does not: the SDK, which asks the environment,
// is not to look for 127.0.0.1 behind a proxy; and tests that wait for a timeout more
// than they compute may overlap on few cores.
func TestMain(m *testing.M) {
	os.Setenv("NO_PROXY", "127.0.0.1")
	flag.Set("test.parallel", "8")
	if _, given := os.LookupEnv("RAPID_CHECKS"); !given {
		flag.Set("rapid.checks", "300")
	}
	os.Exit(m.Run())
}

// newServer starts an endpoint that ends with the test, or with one check of a
// property.
func newServer(t interface{ Cleanup(func()) }) *retrytest.Server {
	srv := retrytest.NewServer()
	t.Cleanup(srv.Close)
	return srv
}

// quick is the option that makes waits short enough for thousands of calls.
func quick(t *retry.Transport) {
	t.Policy.Transient = retry.Delay{Base: time.Millisecond, Max: 5 * time.Millisecond}
	t.Policy.Busy = t.Policy.Transient
}

// patient is the option that lets a call repeat what meets more trouble than a budget allows.
func patient(t *retry.Transport) { t.Budget = retry.Unlimited() }

// maxAttempts is the option that bounds a call's attempts.
func maxAttempts(n int) retry.Option {
	return func(t *retry.Transport) { t.Policy.MaxAttempts = n }
}
