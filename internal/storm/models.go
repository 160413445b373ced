package storm

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Peers are the models of other clients.
func Peers() []*Model {
	return []*Model{NoRetry(), AutoRetry(), TerraformLoop(), V2(), RetryableHTTP(), AWSStandard(), AWSStandard2026(), StripeLike()}
}

// callerTimeout stands in for a caller's own where a library has no timeout of an attempt.
const callerTimeout = time.Minute

// loop is a program whose calls share nothing.
type loop struct {
	timeout  time.Duration
	attempts int           // of one call; 0 is no limit
	limit    time.Duration // of one call; 0 is none
	again    []Reply       // what is tried again
	delay    func(tries int, random *rand.Rand) time.Duration
}

func (p *loop) model(name string, token Token) *Model {
	return &Model{Name: name, Token: token, Program: func() Program { return p }}
}

func (p *loop) Call(now time.Time) Call { return &loopCall{loop: p, began: now} }

type loopCall struct {
	loop  *loop
	began time.Time
	tries int
}

func (c *loopCall) Timeout(time.Time) time.Duration { return c.loop.timeout }

func (c *loopCall) Next(reply Reply, now time.Time, random *rand.Rand) Step {
	c.tries++
	p := c.loop
	if c.tries == p.attempts || !slices.Contains(p.again, reply) {
		return Step{Success: reply == OK}
	}
	delay := p.delay(c.tries, random)
	if left := p.limit - now.Sub(c.began); p.limit > 0 && left <= delay {
		return Step{Delay: max(left, 0)}
	}
	return Step{Retry: true, Delay: delay}
}

func fixed(d time.Duration) func(int, *rand.Rand) time.Duration {
	return func(int, *rand.Rand) time.Duration { return d }
}

// v1Timeout is the V1 SDK's default read timeout, which it gives its http.Client, where it
// bounds connecting too: the 5 s for that are within it. Its table of slow operations has none
// of Ess. (alibaba-cloud-sdk-go v1.63.107, sdk/client.go, setTimeout; sdk/api_timeout.go.)
const v1Timeout = 10 * time.Second

// NoRetry is the V1 SDK as it comes: AutoRetry is off, and requests have no client token unless
// their program sets one. (alibaba-cloud-sdk-go v1.63.107, sdk/config.go.)
func NoRetry() *Model {
	return (&loop{timeout: v1Timeout, attempts: 1}).model("V1", NoToken)
}

// AutoRetry is the V1 SDK with AutoRetry, and its default MaxRetryTime of 3: whatever gave no
// reply, and any status from 500 on, is sent again at once. The nonce is new each time; a client
// token there is none. (alibaba-cloud-sdk-go v1.63.107, sdk/client.go, DoActionWithSigner.)
func AutoRetry() *Model {
	return (&loop{
		timeout: v1Timeout, attempts: 4, delay: fixed(0),
		again: []Reply{Refused, Lost, TimedOut, Internal, Unavailable},
	}).model("V1, AutoRetry", NoToken)
}

// TerraformLoop is the loop around creations in terraform-provider-alicloud: incrementalWait(3 s,
// 5 s), which forgets what it has added up, so that it waits 3 s and then 5 s for ever, and a
// token made anew inside the loop. (alicloud/common.go at 00afb93, resource_alicloud_vpn_gateway.go
// at 0612d75. Its NeedRetry takes all replies below but InProgress, which many resources name
// themselves.) The limit differs by resource, 5 to 15 minutes in the main; 10 is our choice.
// An attempt has the provider's client_read_timeout. Left out are the SDK's own retries that some
// resources switch on within each attempt, which would send more, and the 0.5 to 10 s that the
// plugin SDK's Retry waits besides, which would send less.
func TerraformLoop() *Model {
	return (&loop{
		timeout: time.Minute, limit: 10 * time.Minute,
		again: []Reply{Refused, Lost, TimedOut, Internal, Unavailable, Throttled, InProgress},
		delay: func(tries int, _ *rand.Rand) time.Duration {
			if tries == 1 {
				return 3 * time.Second
			}
			return 5 * time.Second
		},
	}).model("Terraform's loop", TokenPerAttempt)
}

// V2 is the V2 SDK in a program that sets a client token and RetryOptions with one condition,
// which names the codes InternalError, ServiceUnavailable and Throttling.User and leaves all else
// unset: then it makes 3 attempts, 100 ms apart. What is not an error of the API, such as a
// broken connection, no condition can name. RuntimeOptions.Autoretry, which the manual speaks of,
// is not read any more. There is no timeout unless set. (tea v1.5.4, dara/retry.go and
// dara/core.go; darabonba-openapi v2.2.4, client/client.go.)
func V2() *Model {
	return (&loop{
		timeout: callerTimeout, attempts: 3, delay: fixed(100 * time.Millisecond),
		again: []Reply{Internal, Unavailable, Throttled},
	}).model("V2, RetryOptions, own token", TokenPerCall)
}

// RetryableHTTP is go-retryablehttp's client under a request with a client token: 4 retries, 1 s
// before the first and twice as much before each further one, without jitter; its cap of 30 s is
// never met. It tries again what gave no reply, 429, and 5xx but 501; Throttled is a 400, and none
// of these. Retry-After, which it heeds, the simulated service does not send. It has no timeout
// (but 30 s to connect). (go-retryablehttp v0.7.8, client.go.)
//
// A request that was signed once repeats its nonce, which a real endpoint refuses. The simulated
// one does not look at nonces: this is the client with a PrepareRetry that signs anew.
func RetryableHTTP() *Model {
	return (&loop{
		timeout: callerTimeout, attempts: 5,
		again: []Reply{Refused, Lost, TimedOut, Internal, Unavailable},
		delay: func(tries int, _ *rand.Rand) time.Duration { return time.Second << (tries - 1) },
	}).model("go-retryablehttp", TokenPerCall)
}

// StripeLike is stripe-go's policy: 2 retries under one Idempotency-Key, the first after 0.5 s
// and the second after 0.75 to 1 s, of what gave no reply, of 409 and of 5xx; not of a rate limit,
// which here is Throttled. InProgress is its 409 idempotency_key_in_use. An attempt lasts 80 s at
// most. (stripe-go v82.5.1, stripe.go, shouldRetry, sleepTime and defaultHTTPTimeout.)
//
// It is the policy as shouldRetry states it. In that version the statuses are only looked at where
// the body is not Stripe's own error, say a proxy's page: one that is ends the call there, whatever
// its status, unless it is a lock_timeout (error.go, canRetry).
func StripeLike() *Model {
	return (&loop{
		timeout: 80 * time.Second, attempts: 3,
		again: []Reply{Refused, Lost, TimedOut, Internal, Unavailable, InProgress},
		delay: func(tries int, random *rand.Rand) time.Duration {
			const least = 500 * time.Millisecond
			retried := time.Duration(tries - 1)
			most := least + least*retried*retried
			return max(most-time.Duration(random.Float64()*float64(most/4)), least)
		},
	}).model("stripe-go", TokenPerCall)
}
