package integration

import (
	"slices"
	"testing"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// The read timeout that a program has set on its client bounds an attempt, no longer
// the call: the SDK's own http.Client would otherwise end the call in the middle of its
// second attempt.
func TestReadTimeoutIsAnAttempts(t *testing.T) {
	hang := fault{"no reply after", retrytest.Hang().AfterEffect(), retry.NoResponse, retry.Unknown}
	for _, o := range onePerProduct {
		t.Run(o.name(), func(t *testing.T) {
			t.Parallel()
			connect := o.connect
			o.connect = func() (retry.SDKClient, error) {
				client, err := connect()
				if err == nil {
					client.SetReadTimeout(400 * time.Millisecond)
				}
				return client, err
			}
			srv := newServer(t)
			r := o.call(t, srv, o.request(), []fault{hang, hang}, quick)
			if r.err != nil {
				t.Fatalf("error %v; classes %v", r.err, classes(r.info))
			}
			if want := []retry.Class{retry.NoResponse, retry.NoResponse, retry.Success}; !slices.Equal(classes(r.info), want) {
				t.Errorf("classes %v; want %v", classes(r.info), want)
			}
			checkAttempts(t, srv.Attempts(), r.info)
			o.checkFirstResult(t, srv, r.response, r.info.ClientToken)
		})
	}
}
