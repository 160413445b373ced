package darabonba224

import (
	"errors"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/integration/darabonba/suite"
	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// This version says of a repeated try that it is one. Whatever its RetryOptions make it
// repeat, a code that they name or, by some versions of package tea, any error, no second
// logical call is sent.
func TestRetryOptions(t *testing.T) {
	faults := map[string]retrytest.Fault{
		"named":   retrytest.Reply(400, "Throttling.User", "Request was denied due to user flow control."),
		"unnamed": retrytest.Reset().AfterEffect(),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			srv := retrytest.NewServer()
			defer srv.Close()
			srv.Script(fault)
			s := suite.New(t, srv.Host, func(tr *retry.Transport, c *openapi.Config) {
				tr.Policy.MaxAttempts = 1
				c.RetryOptions = &dara.RetryOptions{Retryable: true, MaxAttempts: 4, RetryCondition: []*dara.RetryCondition{
					{MaxAttempts: 4, ErrorCode: []string{"Throttling.User"}, MaxDelay: 1}}}
			})
			_, err := suite.Create.Send(t.Context(), s, nil)
			repeated := len(s.Ended) - 1
			if n := len(srv.Attempts()); err == nil || n != 1 || name == "named" && repeated == 0 {
				t.Errorf("%d requests in %d tries: %v", n, 1+repeated, err)
			}
			for _, end := range s.Ended[1:] {
				if end.Outcome != retry.Unknown || len(end.Attempts) != 0 {
					t.Errorf("a repeated try: %+v", end)
				}
			}
			if i, ok := retry.InfoOf(err); errors.Is(err, retry.ErrLayered) != (repeated > 0) || !ok || i.Outcome != retry.Unknown {
				t.Errorf("%v: %+v", err, i)
			}
		})
	}
}
