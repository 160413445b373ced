package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// eventServer sends an event each time that it is told to, and closes the stream when
// next is closed.
func eventServer(t *testing.T) (host string, next chan string) {
	next = make(chan string)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		for {
			select {
			case data, more := <-next:
				if !more {
					return
				}
				_, _ = io.WriteString(w, data)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String(), next
}

// attemptTimeout is what a stream outlasts.
const attemptTimeout = 500 * time.Millisecond

func brief(tr *retry.Transport, _ *openapi.Config) { tr.Policy.AttemptTimeout = attemptTimeout }

// listen makes the call by the SDK's reader of events. The channels end with it; version
// 2.2 of the SDK itself reads from errs until events ends, and waits for ever where somebody
// else takes what it waits for.
func (c Call) listen(ctx context.Context, s *Setup) (chan *openapi.SSEResponse, chan error) {
	events, errs := make(chan *openapi.SSEResponse, 1), make(chan error, 1)
	if ctx == none {
		go s.Client.CallSSEApi(c.params("AK"), c.request(), &dara.RuntimeOptions{}, events, errs)
	} else {
		go s.Client.CallSSEApiWithCtx(ctx, c.params("AK"), c.request(), &dara.RuntimeOptions{}, events, errs)
	}
	return events, errs
}

// Each event of a stream arrives before the next is sent, though all of them take longer
// than an attempt may.
func events(t *testing.T) {
	for name, ctx := range map[string]context.Context{"without a context": none, "with one": t.Context()} {
		t.Run(name, func(t *testing.T) {
			host, next := eventServer(t)
			events, errs := Create.listen(ctx, New(t, host, brief))
			tooLong := time.After(attemptTimeout + 100*time.Millisecond) // for any attempt of the call
			for i := range 4 {
				if i == 2 {
					<-tooLong
				}
				next <- fmt.Sprintf("id: %d\ndata: 中 %d\n\n", i, i)
				select {
				case e := <-events:
					if e == nil || dara.StringValue(e.Event.Data) != fmt.Sprintf("中 %d", i) {
						t.Fatalf("event %d is %v", i, e)
					}
				case <-time.After(5 * time.Second):
					t.Fatalf("event %d did not arrive before the next is sent", i)
				}
			}
			close(next)
			if e, more := <-events; more {
				t.Errorf("one event more: %v", e)
			}
			if err := <-errs; err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("as bytes", func(t *testing.T) {
		host, next := eventServer(t)
		params := Create.params("AK")
		params.BodyType = dara.String("binary")
		const text = "data: 1\r\n\r\n: comment\x00\n\n"
		go func() { next <- text; close(next) }()
		result, err := New(t, host, brief).Client.CallApi(params, Create.request(), &dara.RuntimeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		body := result["body"].(io.ReadCloser)
		if got, err := io.ReadAll(body); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
		_ = body.Close()
	})
	t.Run("canceled", func(t *testing.T) {
		host, next := eventServer(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		events, errs := Create.listen(ctx, New(t, host, brief))
		next <- "data: 1\n\n"
		<-events
		cancel()
		select {
		case <-events:
			if err := <-errs; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		case <-time.After(5 * time.Second):
			t.Error("the stream goes on")
		}
	})
}

// A stream that cannot begin is tried again, and what remains in the way is an error.
func eventsAfterFault(t *testing.T) {
	srv := newServer(t)
	srv.Script(unavailable.play, lost.play, retrytest.Raw(200, "text/event-stream", "data: 1\n\n"))
	s := New(t, srv.Host)
	events, errs := Create.listen(none, s)
	if e := <-events; e == nil || dara.StringValue(e.Event.Data) != "1" {
		t.Errorf("event %v", e)
	}
	for range events {
	}
	if err := <-errs; err != nil || len(s.last(t).Attempts) != 3 {
		t.Errorf("%v; told %+v", err, s.last(t))
	}
	for name, tt := range map[string]struct {
		fault retrytest.Fault
		own   bool
	}{"page": {htmlPage.play, true}, "empty": {retrytest.Raw(503, "", ""), true}, "null": {retrytest.Raw(503, "application/json", "null"), true}, "answer": {unavailable.play, true}, "refusal": {retrytest.Reply(403, "Forbidden.RAM", "x"), false}} {
		srv := newServer(t)
		srv.OnAttempt(func(retrytest.Attempt) retrytest.Fault { return tt.fault })
		events, errs := Create.listen(t.Context(), New(t, srv.Host, func(tr *retry.Transport, _ *openapi.Config) { tr.Policy.MaxAttempts = 2 }))
		if e, more := <-events; more {
			t.Errorf("%s: event %v", name, e)
		}
		err := <-errs
		if _, own := retry.InfoOf(err); err == nil || own != tt.own {
			t.Errorf("%s: %T: %v", name, err, err)
		}
	}
}
