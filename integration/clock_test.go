package integration

import (
	"slices"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// A client whose clock is off by more than the servers bear is refused once, and gets through
// by the Date of the refusal, whatever the way its requests carry their signature.
func TestClockIsOff(t *testing.T) {
	for _, o := range onePerWay {
		for name, ahead := range map[string]time.Duration{"behind": 20 * time.Minute, "ahead": -time.Hour} {
			t.Run(o.name()+", "+name, func(t *testing.T) {
				t.Parallel()
				srv := newServer(t)
				srv.SetClock(func() time.Time { return time.Now().Add(ahead) })
				r := o.call(t, srv, o.request(), []fault{{play: retrytest.OK()}, {play: retrytest.Reset().AfterEffect()}}, quick)
				want := []retry.Class{retry.ClockSkew, retry.NoResponse, retry.Success}
				if r.err != nil || !slices.Equal(classes(r.info), want) {
					t.Fatalf("%v; classes %v, want %v", r.err, classes(r.info), want)
				}
				for i, a := range srv.Attempts() {
					off := a.Timestamp.Sub(time.Now().Add(ahead)).Abs()
					if i == 0 && off < 15*time.Minute || i > 0 && off > time.Minute {
						t.Errorf("attempt %d is signed %v off", i+1, off)
					}
				}
				effects := srv.Effects()
				if len(effects) != 1 || effects[0].RequestID != requestID(r.response) {
					t.Errorf("answered with RequestId %q; effects %+v", requestID(r.response), effects)
				}
			})
		}
	}
}
