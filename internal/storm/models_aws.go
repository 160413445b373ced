package storm

import (
	"math/rand/v2"
	"time"
)

// The defaults of the standard retryer in both modes; the bucket all calls of a client share.
// (aws-sdk-go-v2 v1.47.7, aws/retry/standard.go; aws/ratelimit.)
const (
	awsAttempts = 3
	awsBucket   = 500
)

// AWSStandard is aws-sdk-go-v2 as it comes. A retry costs 5 tokens, after a timeout 10, and comes
// after a random part of 2 s, then of 4 s: the exponent is the number of attempts made, not that of
// retries. Success returns the cost of the call's last retry and, after retries too, one token
// more. (aws/retry/standard.go, jitter_backoff.go and middleware.go.) That from the fifth retry on
// this backoff is its bare cap of 20 s, without jitter, is out of reach of three attempts.
//
// Of the replies, Throttled stands for the Throttling, and InProgress for the
// TransactionInProgressException, that AWS's services answer in their place, both retried as
// throttling; Alibaba Cloud's own codes for them the SDK does not know. It has no timeout of an
// attempt (but 30 s to connect, in aws/transport/http/client.go); the caller's is that of an
// http.Client, after which it retries, unlike after the end of a context.
func AWSStandard() *Model {
	return awsModel("aws-sdk-go-v2", awsRules{
		cost: func(reply Reply) int {
			if reply == TimedOut {
				return 10
			}
			return 5
		},
		ceiling: func(_ Reply, tries int) time.Duration { return time.Second << tries },
		earn:    func(int) int { return 1 },
	})
}

// AWSStandard2026 is aws-sdk-go-v2 under AWS_NEW_RETRIES_2026=true: a retry costs 14 tokens, after
// throttling 5, and comes after a random part of 50 ms, then of 100 ms, after throttling of 1 s
// and 2 s. A call with retries earns no token. The cap of 20 s, which comes before the jitter
// here, is out of reach too. All else is as in AWSStandard.
func AWSStandard2026() *Model {
	throttled := func(reply Reply) bool { return reply == Throttled || reply == InProgress }
	return awsModel("aws-sdk-go-v2, 2026", awsRules{
		cost: func(reply Reply) int {
			if throttled(reply) {
				return 5
			}
			return 14
		},
		ceiling: func(reply Reply, tries int) time.Duration {
			base := 50 * time.Millisecond
			if throttled(reply) {
				base = time.Second
			}
			return base << (tries - 1)
		},
		earn: func(tries int) int {
			if tries == 1 {
				return 1
			}
			return 0
		},
	})
}

// awsRules are where the two modes differ. Tries is how many attempts were made.
type awsRules struct {
	cost    func(Reply) int
	ceiling func(reply Reply, tries int) time.Duration // of the random delay
	earn    func(tries int) int                        // by a success
}

func awsModel(name string, rules awsRules) *Model {
	return &Model{Name: name, Token: TokenPerCall, Program: func() Program {
		return &awsProgram{&rules, awsBucket}
	}}
}

type awsProgram struct {
	rules  *awsRules
	tokens int
}

func (p *awsProgram) Call(time.Time) Call { return &awsCall{program: p} }

type awsCall struct {
	program *awsProgram
	tries   int
	spent   int // by the last retry; that of an earlier one is lost
}

func (c *awsCall) Timeout(time.Time) time.Duration { return callerTimeout }

func (c *awsCall) Next(reply Reply, _ time.Time, random *rand.Rand) Step {
	c.tries++
	p := c.program
	if reply == OK {
		p.tokens = min(p.tokens+c.spent+p.rules.earn(c.tries), awsBucket)
		return Step{Success: true}
	}
	if c.tries == awsAttempts {
		return Step{}
	}
	cost := p.rules.cost(reply)
	if cost > p.tokens {
		return Step{Refused: true}
	}
	p.tokens -= cost
	c.spent = cost
	ceiling := p.rules.ceiling(reply, c.tries)
	return Step{Retry: true, Delay: time.Duration(random.Float64() * float64(ceiling))}
}
