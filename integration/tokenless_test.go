package integration

import (
	"slices"
	"testing"

	"github.com/aliretry/aliretry/retry"
)

// A write without a token is repeated only after an attempt that had no effect for
// certain. All else would be a second effect, or the risk of one.
func TestUnsafeWrite(t *testing.T) {
	eachOf(t, tokenless, faults, func(t *testing.T, o operation, f fault) {
		want, outcome := []retry.Class{f.class, retry.Success}, retry.Done
		switch {
		case f == conflict, f == chinese:
			// A message alone is not believed where repeating is not safe.
			want, outcome = []retry.Class{retry.Rejected}, retry.NotDone
		case f.leaves == retry.Unknown && f.class != retry.InProgress:
			want, outcome = []retry.Class{f.class}, retry.Unknown
		}
		srv := newServer(t)
		r := o.call(t, srv, o.request(), []fault{f}, f.options()...)

		if outcome == retry.Done {
			if r.err != nil {
				t.Fatalf("error %v; classes %v", r.err, classes(r.info))
			}
		} else if info, ok := retry.InfoOf(r.err); !ok || info.Outcome != outcome {
			t.Errorf("error %v with outcome %v; want %v", r.err, info.Outcome, outcome)
		}
		if r.info.Outcome != outcome || !slices.Equal(classes(r.info), want) {
			t.Errorf("outcome %v, classes %v; want %v, %v", r.info.Outcome, classes(r.info), outcome, want)
		}
		made := len(srv.Effects())
		if made > 1 || (outcome == retry.Done) && made == 0 || outcome == retry.NotDone && made == 1 {
			t.Errorf("outcome %v with %d effects", outcome, made)
		}
		if r.info.ClientToken != "" {
			t.Errorf("token %q for an operation that is not known to take one", r.info.ClientToken)
		}
		checkAttempts(t, srv.Attempts(), r.info)
	})
}
