package retry_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// What a failed call tells of its attempts is what the endpoint saw: as many, in that order,
// each with its nonce, signing time, token, status and request ID, received while it lasted.
func TestHistoryIsWhatServerSaw(t *testing.T) {
	const throttled = "Request was denied due to request throttling."
	faults := []struct {
		play   retrytest.Fault
		status int
		code   string
		broke  bool // before there was a whole reply
	}{
		{retrytest.Reply(503, "ServiceUnavailable", "x"), 503, "ServiceUnavailable", false},
		{retrytest.Reset(), 0, "", true},
		{retrytest.Reply(400, "Throttling.User", throttled), 400, "Throttling.User", false},
		{retrytest.CutOff(), 200, "", true},
		{retrytest.Close(), 0, "", true},
		{retrytest.Raw(502, "text/html", "<html>"), 502, "", false},
		{retrytest.Reply(403, "LastTokenProcessing", "x"), 403, "LastTokenProcessing", false},
		{retrytest.Raw(200, "text/html", loginPage), 200, "", false},
		{retrytest.Reply(403, "QuotaExceeded.Group", "x"), 403, "QuotaExceeded.Group", false},
	}
	for style, send := range roads {
		t.Run(style, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			for _, f := range faults {
				srv.Script(f.play)
			}
			var mu sync.Mutex
			ids := make(map[string]string) // as the replies have them, by nonce
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					nonce := cmp.Or(r.URL.Query().Get("SignatureNonce"), r.Header.Get("x-acs-signature-nonce"))
					ids[nonce] = w.Header().Get("X-Acs-Request-Id")
				}()
				srv.ServeHTTP(w, r)
			}))
			var end retry.Info
			_, err := send(t, server.Listener.Addr().String(), func(tr *retry.Transport) {
				tr.Policy.MaxAttempts = len(faults)
				tr.Trace = &retry.Trace{CallEnd: func(i retry.Info) { end = i }}
			})
			server.Close() // when every handler has returned
			info, ok := retry.InfoOf(err)
			if !ok || info.Outcome != retry.Unknown || !slices.Equal(classesOf(info), classesOf(end)) {
				t.Fatalf("error %v tells %+v; the Trace was told %+v", err, info, end)
			}
			seen := srv.Attempts()
			if len(seen) != len(faults) || len(info.Attempts) != len(faults) || len(ids) != len(faults) {
				t.Fatalf("the endpoint saw %d attempts, %d are told; want %d", len(seen), len(info.Attempts), len(faults))
			}
			for n, a := range info.Attempts {
				s, want, told := seen[n], faults[n], end.Attempts[n]
				if a.Number != n+1 || a.Nonce != s.Nonce || a.Nonce == "" || !a.SignedAt.Equal(s.Timestamp) || info.ClientToken != s.ClientToken {
					t.Errorf("attempt %d is told as %+v under %s; the endpoint saw %s at %v under %s", n+1, a, info.ClientToken, s.Nonce, s.Timestamp, s.ClientToken)
				}
				if whole := map[bool]int{false: want.status}[want.broke]; a.Status != want.status || s.Status != whole || a.Code != want.code || a.RequestID != ids[a.Nonce] {
					t.Errorf("attempt %d is told as %d %s of %s; want %d %s of %s", n+1, a.Status, a.Code, a.RequestID, want.status, want.code, ids[a.Nonce])
				}
				if (told.Err != nil) != want.broke {
					t.Errorf("attempt %d: error %v", n+1, told.Err)
				}
				ended := told.Start.Add(told.Duration)
				if s.Received.Before(told.Start) || s.Received.After(ended) || n > 0 && told.Start.Before(end.Attempts[n-1].Start.Add(end.Attempts[n-1].Duration+end.Attempts[n-1].Wait)) {
					t.Errorf("attempt %d: from %v until %v; received at %v", n+1, told.Start, ended, s.Received)
				}
				// The form in which the SDK's error has it differs by two fields and by no more.
				a.Message, a.Err, told.Message, told.Err = "", nil, "", nil
				a.Start, a.SignedAt, told.Start, told.SignedAt = a.Start.UTC().Round(0), a.SignedAt.UTC(), told.Start.UTC().Round(0), told.SignedAt.UTC()
				if a != told {
					t.Errorf("attempt %d is told as %+v by the error, as %+v by the Trace", n+1, a, told)
				}
			}
		})
	}
}
