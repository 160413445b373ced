package integration

import (
	"net/http"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// A server's hint is heard in each of its forms.
func TestHintIsHeard(t *testing.T) {
	for name, tt := range map[string]struct {
		key         string
		value       func() string
		least, most time.Duration
	}{
		"seconds":       {"Retry-After", func() string { return "1" }, time.Second, time.Second},
		"date":          {"Retry-After", func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) }, 500 * time.Millisecond, 2 * time.Second},
		"milliseconds":  {"x-acs-retry-after", func() string { return "30" }, 30 * time.Millisecond, 30 * time.Millisecond},
		"time left":     {"x-ratelimit-user-api", func() string { return "Limit:100,Remain:0,TimeLeft:40" }, 40 * time.Millisecond, 40 * time.Millisecond},
		"of the user's": {"x-ratelimit-user", func() string { return "Limit:100,Remain:0,TimeLeft:50" }, 50 * time.Millisecond, 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, busy := range []retrytest.Fault{retrytest.Reply(503, "ServiceUnavailable", "busy"), retrytest.Reply(400, "Throttling.User", "slow down")} {
				srv := newServer(t)
				hinting := fault{name: name, play: busy.WithHeader(tt.key, tt.value())}
				r := createScalingGroup.call(t, srv, createScalingGroup.request(), []fault{hinting}, quick)
				if r.err != nil || len(r.info.Attempts) != 2 {
					t.Fatalf("%v after %v", r.err, classes(r.info))
				}
				if wait := r.info.Attempts[0].Wait; wait < tt.least || wait > tt.most {
					t.Errorf("a wait of %v, want %v to %v", wait, tt.least, tt.most)
				}
				if r.info.Outcome != retry.Done {
					t.Errorf("outcome %v", r.info.Outcome)
				}
			}
		})
	}
}
