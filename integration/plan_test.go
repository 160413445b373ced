package integration

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// plan is all that happens in one case. Times count from its start.
type plan struct {
	policy   retry.Policy
	budget   int // the size of the calls' Budget; 0: they have no limit
	base     base
	keys     keys
	takes    time.Duration   // to ask the provider of credentials
	renewals []time.Duration // when a session ends and the next begins
	clock    []clockChange
	network  []dialing
	copies   []int // of each request: 0 arrives once, 1 is doubled by the network, 2 is overtaken by its copy
	calls    []plannedCall
}

// base is what sends a Transport's attempts.
type base int

const (
	ownPool   base = iota // with the settings of an http.Transport
	usersBase             // a RoundTripper of which nothing is known
	likeV2                // a pool with the settings of the transports that come with the calls, as those of the V2 SDK do
)

// clockChange puts the server's clock ahead of the client's from some time on.
type clockChange struct{ at, ahead time.Duration }

// plannedCall is one logical call with what befalls it.
type plannedCall struct {
	kind      kind
	name      string // of the thing that it makes: parameter Name
	token     string // the caller's own; "" if it has none
	inContext bool   // the token comes with the context
	vouched   bool   // WithReplaySafe

	start, timeout, cancel time.Duration // after start; 0: never
	befalls                []befall      // its attempts, in order of arrival; what follows is answered well
}

// befall is what befalls one attempt at the server.
type befall struct {
	takes time.Duration // before the server begins to work on it
	fault retrytest.Fault
}

var (
	// anyFault is whatever an honest server may do: what says that nothing was done leaves
	// nothing done.
	anyFault = slices.Concat(playsOf(faults), playsOf(rejections), []retrytest.Fault{
		retrytest.OK(), retrytest.OK(), retrytest.OK(), retrytest.Hang(), retrytest.Hang().DuringEffect(),
		retrytest.Reply(503, "Throttling", throttled).WithHeader("Retry-After", "3").AfterEffect(),
		retrytest.Reply(400, "Throttling.User", throttled).WithHeader("Retry-After", "86400"),
		retrytest.Reply(400, "Throttling.Api", throttled).WithHeader("X-Acs-Retry-After", "2500"),
		retrytest.Reply(400, "Throttling", throttled).WithHeader("X-Ratelimit-User-Api", "Remain:0,TimeLeft:700"),
		retrytest.Reply(503, "ServiceUnavailable", temporary).WithHeader("Retry-After", "Sat, 01 Jan 2000 00:00:30 GMT"),
		retrytest.Reply(408, "RequestTimeout", temporary).AfterEffect(),
		retrytest.Reply(400, "InternalError", temporary).AfterEffect(),
		retrytest.Reply(501, "NotImplemented", "No."),
		retrytest.Raw(502, "text/html", gatewayPage).AfterEffect(),
		retrytest.Raw(504, "text/html", longPage),
		retrytest.Raw(503, "text/html", longPage).AfterEffect(),
		retrytest.Raw(400, "application/json", cutReply).AfterEffect(),
		retrytest.Raw(400, "application/json", cutReply).WithHeader("Content-Length", "200").AfterEffect(),
		retrytest.Raw(200, "application/json", "").AfterEffect(),
		retrytest.Raw(200, "application/json", `{"Code":"InternalError","Message":"x","RequestId":"R"}`).AfterEffect(),
		retrytest.Raw(200, "application/json", `{"Success":false,"Code":"Biz","RequestId":"R"}`).AfterEffect(),
		retrytest.Raw(302, "text/html", loginPage).WithHeader("Location", "http://elsewhere/").AfterEffect(),
		retrytest.Raw(407, "text/html", loginPage),
		retrytest.Reply(400, "IdempotentParameterMismatch", "x").AfterEffect(),
		retrytest.Reply(400, "SignatureNonceUsed", "x").AfterEffect(),
		retrytest.Reply(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."),
		retrytest.Reply(403, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."),
	})
	// tokenFault is what a server does that keeps tokens, to a call that has one.
	tokenFault = append(slices.Clone(anyFault), retrytest.Reply(403, "LastTokenProcessing", processing).AfterEffect())

	delays = []time.Duration{0, 0, 0, 0, time.Millisecond, 40 * time.Millisecond, 700 * time.Millisecond, 4 * time.Second, 9 * time.Second, 25 * time.Second}
	aheads = []time.Duration{0, 0, 0, 20 * time.Second, -20 * time.Second, 14*time.Minute + 58*time.Second, -14*time.Minute - 58*time.Second,
		16 * time.Minute, -16 * time.Minute, time.Hour, -time.Hour, 8 * time.Hour, -400 * 24 * time.Hour, 3000 * 24 * time.Hour}
)

// cutReply is that of an InternalError, or of LastTokenProcessing: it ends before it says so.
const cutReply = `{"RequestId":"0C2","HostId":"ess.aliyuncs.com",`

// longPage is over some policies' MaxReply.
var longPage = gatewayPage + strings.Repeat("<!-- padding -->", 1000)

func playsOf(faults []fault) (plays []retrytest.Fault) {
	for _, f := range faults {
		if f.arrives() { // what does not is the network's
			plays = append(plays, f.play)
		}
	}
	return plays
}

// durations draws one of those given or, as often, any of any size up to a maximum.
func durations(most time.Duration, some ...time.Duration) *rapid.Generator[time.Duration] {
	units := rapid.SampledFrom([]time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second})
	anyOne := rapid.Custom(func(t *rapid.T) time.Duration {
		return min(time.Duration(rapid.IntRange(1, 30).Draw(t, "n"))*units.Draw(t, "unit"), most)
	})
	return rapid.OneOf(rapid.SampledFrom(some), anyOne)
}

// several draws a number of things, often a few and sometimes as many as the most.
func several[T any](most int, one *rapid.Generator[T]) *rapid.Generator[[]T] {
	return rapid.Custom(func(t *rapid.T) []T {
		n := rapid.SampledFrom([]int{0, 1, 2, 3, most / 2, most}).Draw(t, "n")
		return rapid.SliceOfN(one, n, n).Draw(t, "things")
	})
}

// drawPlan draws a case for calls of some kinds, many of which bring their own token if own.
func drawPlan(t *rapid.T, kinds []kind, own bool) plan {
	p := plan{
		policy: retry.Policy{
			MaxAttempts:    rapid.SampledFrom([]int{0, 0, 1, 2, 3, 5, 20}).Draw(t, "MaxAttempts"),
			CallTimeout:    durations(90*time.Second, 0, 0, 0, 60*time.Second).Draw(t, "CallTimeout"),
			AttemptTimeout: durations(15*time.Second, 0, 0, time.Second).Draw(t, "AttemptTimeout"),
			Transient:      rapid.SampledFrom([]retry.Delay{{}, {}, {Base: 10 * time.Millisecond, Max: 200 * time.Millisecond}}).Draw(t, "Transient"),
			Busy:           rapid.SampledFrom([]retry.Delay{{}, {}, {Base: 50 * time.Millisecond, Max: time.Second}}).Draw(t, "Busy"),
			MaxReply:       rapid.SampledFrom([]int64{0, 0, 1000}).Draw(t, "MaxReply"),
			TokenLifetime:  rapid.SampledFrom([]time.Duration{0, 0, 10 * time.Second}).Draw(t, "TokenLifetime"),
		},
		budget: rapid.SampledFrom([]int{0, 0, 0, 1, 30}).Draw(t, "budget"),
		base:   rapid.SampledFrom([]base{ownPool, ownPool, usersBase, likeV2}).Draw(t, "base"),
		keys:   rapid.SampledFrom([]keys{longLived, longLived, oneSession, freshSessions, refreshedSessions, lateSessions, otherAccount}).Draw(t, "keys"),
		takes:  rapid.OneOf(rapid.Just(time.Duration(0)), durations(3*time.Second, 0)).Draw(t, "provider takes"),
		network: several(6, rapid.Custom(func(t *rapid.T) dialing {
			return dialing{
				takes:   rapid.SampledFrom([]time.Duration{0, 0, 0, 0, 30 * time.Millisecond, 6 * time.Second}).Draw(t, "takes"),
				refused: rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, "refused"),
				breaks:  rapid.OneOf(rapid.Just(0), rapid.Just(0), rapid.Map(rapid.IntRange(1, 20), func(n int) int { return 100 * n })).Draw(t, "breaks"),
			}
		})).Draw(t, "network"),
	}
	if p.keys > longLived {
		p.renewals = several(4, durations(2*time.Minute, 0, time.Millisecond, time.Second)).Draw(t, "renewals")
		slices.Sort(p.renewals)
	}
	p.clock = several(4, rapid.Custom(func(t *rapid.T) clockChange {
		return clockChange{durations(time.Minute, 0, 0, time.Second).Draw(t, "at"), rapid.SampledFrom(aheads).Draw(t, "ahead")}
	})).Draw(t, "clock")
	slices.SortStableFunc(p.clock, func(a, b clockChange) int { return int(a.at - b.at) })
	if len(p.clock) == 0 { // else a copy could be taken whose original was refused for its time
		p.copies = several(16, rapid.SampledFrom([]int{0, 0, 0, 0, 1, 2})).Draw(t, "copies")
	}
	for n := range rapid.IntRange(1, 5).Draw(t, "calls") {
		p.calls = append(p.calls, p.drawCall(t, n, kinds, own))
	}
	return p
}

func (p *plan) drawCall(t *rapid.T, n int, kinds []kind, own bool) plannedCall {
	c := plannedCall{
		kind:    rapid.SampledFrom(kinds).Draw(t, "kind"),
		name:    fmt.Sprintf("thing-%d", n),
		start:   durations(time.Minute, 0, 0, time.Millisecond, 20*time.Second).Draw(t, "start"),
		timeout: durations(40*time.Second, 0, 0, 0, 30*time.Second).Draw(t, "timeout"),
		cancel:  rapid.OneOf(rapid.Just(time.Duration(0)), durations(30*time.Second, 0)).Draw(t, "cancel"),
	}
	if c.kind.use != reads {
		p.drawToken(t, n, &c, own)
	}
	plays := anyFault
	if c.kind.use == takes {
		plays = tokenFault
	}
	c.befalls = several(16, rapid.Custom(func(t *rapid.T) befall {
		return befall{rapid.SampledFrom(delays).Draw(t, "takes"), rapid.SampledFrom(plays).Draw(t, "fault")}
	})).Draw(t, "befalls")
	return c
}

// drawToken settles what protects a write from happening twice.
func (p *plan) drawToken(t *rapid.T, n int, c *plannedCall, own bool) {
	whose := rapid.SampledFrom([]string{"nobody's", "mine", "ours"})
	if !own {
		whose = rapid.SampledFrom([]string{"nobody's", "nobody's", "nobody's", "mine"})
	}
	switch whose.Draw(t, "token") {
	case "mine":
		c.token = fmt.Sprintf("own %d *~+%%&", n)
	case "ours": // another call may be under it as well, for the same thing or for another one
		c.token = "ours " + c.kind.name
		if p.keys != otherAccount && c.protected() && rapid.Bool().Draw(t, "the same thing") {
			c.name = c.token
		}
	}
	c.inContext = c.token != "" && rapid.Bool().Draw(t, "in the context")
	c.vouched = c.token == "" && c.kind.use != takes && rapid.Bool().Draw(t, "vouched for")
}
