package retry

import (
	"cmp"
	"net/http"
	"time"

	"github.com/aliretry/aliretry/internal/openapi"
	"github.com/aliretry/aliretry/internal/seam"
)

func init() {
	seam.Classify = func(status int, body string) seam.Class {
		e := evidence{request: &openapi.Request{Format: "JSON"}, method: http.MethodPost, replaySafe: true,
			header: http.Header{"Content-Type": {"application/json"}}, status: status, body: []byte(body)}
		if status == 0 {
			e.err = errNoReply
		}
		class, _ := classify(&e)
		return seam.Class(class)
	}
	seam.New = newSeamClient
}

type seamClient struct {
	policy Policy
	budget Budget
	growth [delayKinds]float64
}

func newSeamClient(r seam.Rules) seam.Client {
	c := &seamClient{policy: Policy{
		MaxAttempts: r.MaxAttempts, CallTimeout: r.CallTimeout, AttemptTimeout: cmp.Or(r.AttemptTimeout, defaultAttemptTimeout),
		Transient: Delay{r.Transient.Base, r.Transient.Max}, Busy: Delay{r.Busy.Base, r.Busy.Max},
	}}
	c.growth = [...]float64{transientDelay: cmp.Or(r.Transient.Growth, defaultGrowth[transientDelay]), busyDelay: cmp.Or(r.Busy.Growth, defaultGrowth[busyDelay])}
	var err error
	if c.policy, err = c.policy.withDefaults(); err != nil {
		panic(err)
	}
	b, def := r.Budget, defaultBudget
	c.budget.Size, c.budget.rules = b.Size, &budgetRules{
		costs:  [prices]float64{lowPrice: cmp.Or(b.Low, def.costs[lowPrice]), fullPrice: cmp.Or(b.Full, def.costs[fullPrice])},
		earn:   cmp.Or(b.Earn, def.earn),
		refill: cmp.Or(b.Refill, def.refill),
		forget: cmp.Or(b.Forget, def.forget),
		most:   cmp.Or(b.Most, def.most),
	}
	if b.Unlimited {
		c.budget.rules = &unlimited
	}
	return c
}

func (c *seamClient) Call(now time.Time) seam.Call {
	s := &seamCall{client: c, end: c.policy.end(now, time.Time{}), purse: purse{budget: &c.budget}}
	s.delays.policy, s.delays.growth = &c.policy, &c.growth
	return s
}

type seamCall struct {
	client   *seamClient
	end      time.Time
	delays   delays
	attempts int
	purse    purse
}

func (s *seamCall) Timeout(now time.Time) time.Duration {
	return min(s.client.policy.AttemptTimeout, s.end.Sub(now))
}

func (s *seamCall) Next(class seam.Class, now time.Time, jitter float64) seam.Step {
	s.attempts++
	p := &s.client.policy
	s.purse.answered(now, Class(class))
	d := decide(&situation{class: Class(class), replaySafe: true, attempts: s.attempts, maxAttempts: p.MaxAttempts, now: now, end: s.end},
		func(t traits) time.Duration { return s.delays.next(t, jitter, 0) },
		func(p price) bool { return s.purse.afford(now, p) })
	return seam.Step{Retry: d.retry, Delay: d.delay, Success: Class(class) == Success, Refused: d.err == ErrBudget}
}
