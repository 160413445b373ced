package retry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// nothingLeft fails a test that leaves goroutines behind. It comes first in it, so as to look
// when all else is closed.
func nothingLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		// Those on their way out need to be scheduled once more.
		for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<16)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
			}
		}
	})
}

// blockedShim is a client whose build does not end, and which hides the SDK's.
type blockedShim struct {
	shim
	entered chan struct{} // has room
	release chan struct{}
}

func newBlockedShim(t *testing.T) blockedShim {
	return blockedShim{shim{newEss(t)}, make(chan struct{}, 10), make(chan struct{})}
}

func (s blockedShim) BuildRequestWithSigner(r requests.AcsRequest, a auth.Signer) error {
	s.entered <- struct{}{}
	<-s.release
	return s.shim.BuildRequestWithSigner(r, a)
}

// Wherever a call has come to, the end of its context ends it at that moment, and its
// deadline a little before.
func TestDoActionEndsAtOnce(t *testing.T) {
	type setup func(*testing.T) (*retry.Client, requests.AcsRequest)
	hanging := func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	known := func() requests.AcsRequest {
		request := ess.CreateCreateScalingGroupRequest()
		request.Domain = "ess.aliyuncs.com"
		return request
	}
	phases := map[string]struct {
		setup   setup
		outcome retry.Outcome
	}{
		"an attempt": {func(t *testing.T) (*retry.Client, requests.AcsRequest) {
			return mustWrap(t, newEss(t), func(tr *retry.Transport) { tr.Base = roundTripFunc(hanging) }), known()
		}, retry.Unknown},
		"a wait": {func(t *testing.T) (*retry.Client, requests.AcsRequest) {
			return mustWrap(t, newEss(t), func(tr *retry.Transport) {
				tr.Policy.Busy = retry.Delay{Base: time.Hour, Max: time.Hour}
				tr.Policy.CallTimeout = 3 * time.Hour
				tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
					resp, _ := stub(req)
					resp.StatusCode = 429
					return resp, nil
				})
			}), known()
		}, retry.NotDone},
		"a long reply": {func(t *testing.T) (*retry.Client, requests.AcsRequest) {
			reader, writer := io.Pipe()
			t.Cleanup(func() { writer.Close() })
			return mustWrap(t, newEss(t), func(tr *retry.Transport) {
				tr.Policy.MaxReply = 10
				tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
					resp, _ := stub(req)
					resp.ContentLength = -1
					resp.Body = struct {
						io.Reader
						io.Closer
					}{io.MultiReader(strings.NewReader(essReply[:20]), reader), reader}
					return resp, nil
				})
			}), known()
		}, retry.Unknown},
		"a look-up": {func(t *testing.T) (*retry.Client, requests.AcsRequest) {
			request := requests.NewCommonRequest()
			request.Product, request.ServiceCode, request.Version, request.ApiName = "NoSuchProduct", "none", "2014-05-26", "DescribeZones"
			return mustWrap(t, newBare(t), func(tr *retry.Transport) { tr.Base = roundTripFunc(hanging) }), request
		}, retry.NotDone},
		"a build that cannot be stopped": {func(t *testing.T) (*retry.Client, requests.AcsRequest) {
			client := newBlockedShim(t)
			t.Cleanup(func() { close(client.release) })
			return mustWrap(t, client, func(tr *retry.Transport) { tr.Base = roundTripFunc(hanging) }), known()
		}, retry.NotDone},
	}
	for name, tt := range phases {
		for _, canceled := range []bool{true, false} {
			if !canceled && (name == "a wait" || name == "a look-up") {
				continue // neither lasts until then: see TestDoActionContext, TestDoActionLookupHangs
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, request := tt.setup(t)
					ctx, cancel := context.WithCancel(context.Background())
					want, at := context.Canceled, time.Second
					if !canceled {
						ctx, cancel = context.WithTimeout(context.Background(), time.Second)
						want, at = context.DeadlineExceeded, 990*time.Millisecond
					}
					defer cancel()
					if canceled {
						time.AfterFunc(time.Second, cancel)
					}
					start := time.Now()
					err := c.DoAction(ctx, request, ess.CreateCreateScalingGroupResponse())
					if took := time.Since(start); took != at {
						t.Errorf("returned after %v, want %v", took, at)
					}
					var e *retry.Error
					if !errors.Is(err, want) || !errors.As(err, &e) || e.Outcome != tt.outcome || e.Timeout() == canceled {
						t.Errorf("%v, want an *Error of %v with the outcome %v", err, want, tt.outcome)
					}
				})
			})
		}
	}
}

// A build that goes on behind its caller's back keeps the others out, who need not wait for
// it longer than their contexts last, and spoils nothing: the next call is made.
func TestDoActionQueuesToBuild(t *testing.T) {
	nothingLeft(t)
	srv := retrytest.NewServer()
	defer srv.Close()
	client := newBlockedShim(t)
	c := mustWrap(t, client, func(tr *retry.Transport) { tr.Base = &http.Transport{} })
	request := createRequest(srv)
	ctx, cancel := context.WithCancel(context.Background())
	errs := make(chan error)
	call := func() { errs <- c.DoAction(ctx, request, ess.CreateCreateScalingGroupResponse()) }
	go call()
	<-client.entered
	go call()
	go call()
	cancel()
	for range 3 {
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	close(client.release)
	if err := c.DoAction(context.Background(), request, ess.CreateCreateScalingGroupResponse()); err != nil || len(srv.Effects()) != 1 {
		t.Errorf("%v, %d effects", err, len(srv.Effects()))
	}
}

type panickingShim struct{ shim }

func (panickingShim) BuildRequestWithSigner(requests.AcsRequest, auth.Signer) error { panic("no") }

// A build that panics in a goroutine of its own ends its call, not the program, and keeps
// nobody out.
func TestDoActionBuildPanics(t *testing.T) {
	c := mustWrap(t, panickingShim{shim{newEss(t)}}, func(tr *retry.Transport) { tr.Base = stub })
	for range 2 {
		err := c.DoAction(context.Background(), benchRequest(), ess.CreateCreateScalingGroupResponse())
		if i, ok := retry.InfoOf(err); !errors.Is(err, retry.ErrRequest) || !ok || i.Outcome != retry.NotDone {
			t.Errorf("%v: %+v", err, i)
		}
	}
}
