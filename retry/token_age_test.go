package retry

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A machine that sleeps through a wait finds its token too old, and does not send it again.
func TestTokenAgesDuringWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &scripted{steps: []step{{status: 503}, {status: 200, body: okBody}}}
		var c *call
		tr := newLoop(baseFunc(func(req *http.Request) (*http.Response, error) {
			c = callOf(req)
			return base.RoundTrip(req)
		}))
		tr.Trace = &Trace{Wait: func(Attempt) { c.born = c.born.Add(-9 * time.Hour) }}
		_, err := tr.RoundTrip(newRequest(t.Context(), createURL))
		i, _ := InfoOf(err)
		if len(base.seen) != 1 || i.Outcome != Unknown || !strings.Contains(i.Reason, "older than 8h") {
			t.Errorf("%d attempts, outcome %v (%s), %v", len(base.seen), i.Outcome, i.Reason, err)
		}
	})
}

// What carries no token does not age.
func TestCallWithoutTokenDoesNotAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &scripted{steps: []step{{status: 503, takes: 2 * time.Second}, {status: 200, body: okBody}}}
		tr := newLoop(base)
		tr.Policy.TokenLifetime = time.Second
		resp, err := tr.RoundTrip(newRequest(t.Context(), "http://ess.aliyuncs.com/?Action=DescribeScalingGroups&Version=2014-08-28&Format=JSON"))
		if err != nil || resp.StatusCode != 200 || len(base.seen) != 2 {
			t.Errorf("%v, %v after %d attempts", resp, err, len(base.seen))
		}
	})
}
