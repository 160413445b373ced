package retry_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// Two clients of one service share what they may add to its load. The first uses the budget up
// while the service is down; the second makes its first attempt and no other.
func ExampleBudget() {
	fake := retrytest.NewServer()
	defer fake.Close()
	down := retrytest.Reply(500, "InternalError", "The request processing has failed due to some unknown error.")
	fake.OnAttempt(func(retrytest.Attempt) retrytest.Fault { return down })

	shared := &retry.Budget{Size: 150} // two retries
	for range 2 {
		client := &http.Client{Transport: &retry.Transport{Credentials: static, Budget: shared, Policy: quick}}
		resp, err := client.Post(fake.URL+"/?Action=CreateScalingGroup&Version=2014-08-28&Format=JSON", "", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		info, _ := retry.InfoOfResponse(resp)
		fmt.Println(resp.Status, "after", len(info.Attempts), "attempts:", info.Reason)
	}
	// Output:
	// 500 Internal Server Error after 3 attempts: this program's own retry budget is spent: too many of its calls failed lately
	// 500 Internal Server Error after 1 attempts: this program's own retry budget is spent: too many of its calls failed lately
}

// fleetLimiter asks a service of the fleet's own, which knows how much of the account's quota is
// left, before each attempt.
type fleetLimiter struct{ url string }

func (l fleetLimiter) Wait(ctx context.Context, operation retry.Operation) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/"+operation.Product, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req) // answered when it is our turn
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the fleet's quota: %s", resp.Status)
	}
	return nil
}

// A limiter may be shared by a fleet. For one process, the example limiter in the examples
// directory has golang.org/x/time/rate.
func ExampleLimiter() {
	var turns atomic.Int32
	quota := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if turns.Add(1) > 2 {
			http.Error(w, "come again tomorrow", http.StatusTooManyRequests)
		}
	}))
	defer quota.Close()
	fake := retrytest.NewServer()
	defer fake.Close()
	fake.Script(retrytest.Reset().AfterEffect()) // costs the first call a second turn

	client := &http.Client{Transport: &retry.Transport{Credentials: static, Limiter: fleetLimiter{quota.URL}}}
	for range 2 {
		resp, err := client.Post(fake.URL+"/?Action=CreateScalingGroup&Version=2014-08-28&Format=JSON", "", nil)
		if err != nil {
			info, _ := retry.InfoOf(err)
			fmt.Println(info.Outcome, info.Reason)
			continue
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
	}
	// Output:
	// 200 OK
	// NotDone attempt 1 could not begin: the limiter allowed no attempt: the fleet's quota: 429 Too Many Requests
}
