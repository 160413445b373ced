// Command limiter creates a hundred scaling groups at once, at a fake endpoint that takes fifty
// requests a second of an account: first without a Limiter, then under one of golang.org/x/time/rate.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/signer"
)

// limiter makes a retry.Limiter of one of x/time/rate, with one quota for all operations.
type limiter struct{ *rate.Limiter }

func (l limiter) Wait(ctx context.Context, _ retry.Operation) error { return l.Limiter.Wait(ctx) }

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer) error {
	const quota = 50 // requests a second
	for _, of := range []struct {
		name    string
		limiter retry.Limiter
	}{
		{"without a limiter", nil},
		{"with a limiter", limiter{rate.NewLimiter(quota, 1)}},
	} {
		attempts, effects, took, err := create(2*quota, quota, of.limiter)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-18s %d groups by %d attempts in %v\n", of.name, effects, attempts, took.Round(100*time.Millisecond))
	}
	return nil
}

// create makes n groups at once, and counts what the endpoint saw of that.
func create(n, quota int, of retry.Limiter) (attempts, effects int, took time.Duration, err error) {
	fake := retrytest.NewServer()
	defer fake.Close()
	allowed := rate.NewLimiter(rate.Limit(quota), quota/2)
	fake.OnAttempt(func(retrytest.Attempt) retrytest.Fault {
		if allowed.Allow() {
			return retrytest.OK()
		}
		return retrytest.Reply(400, "Throttling.User", "Request was denied due to user flow control.")
	})
	account := retrytest.DefaultAccount()
	transport := &retry.Transport{
		Credentials: signer.Static(signer.Credentials{AccessKeyID: account.AccessKeyID, AccessKeySecret: account.AccessKeySecret}),
		Limiter:     of,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}

	start := time.Now()
	errs := make([]error, n)
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() { errs[i] = createGroup(client, fake.URL, fmt.Sprint("web-", i)) })
	}
	calls.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, 0, 0, err
		}
	}
	return len(fake.Attempts()), len(fake.Effects()), time.Since(start), nil
}

func createGroup(client *http.Client, endpoint, name string) error {
	query := url.Values{"Action": {"CreateScalingGroup"}, "Version": {"2014-08-28"}, "Format": {"JSON"}, "ScalingGroupName": {name}}
	resp, err := client.Post(endpoint+"/?"+query.Encode(), "", nil)
	if err != nil {
		return retry.Redact(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", name, resp.Status)
	}
	return nil
}
