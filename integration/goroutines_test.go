package integration

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// Many goroutines share one client, which the SDK alone does not allow, while every
// call meets faults of its own: each call still makes one effect and gets its own
// result.
func TestManyGoroutines(t *testing.T) {
	const goroutines, each, seed = 20, 20, 1
	srv := newServer(t)
	srv.OnAttempt(newSchedule(seed).next)
	client, err := ess.NewClientWithAccessKey("cn-hangzhou", "testid", "testsecret")
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := retry.Wrap(client, credentials.NewAccessKeyCredential("testid", "testsecret"), quick, patient)
	if err != nil {
		t.Fatal(err)
	}
	defer wrapped.Transport.CloseIdleConnections()

	var results sync.Map // name of a group to the ID that its caller was told
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				request := ess.CreateCreateScalingGroupRequest()
				request.Domain = srv.Host
				request.ScalingGroupName = fmt.Sprintf("group-%d-%d", g, i)
				request.MinSize, request.MaxSize = requests.NewInteger(1), requests.NewInteger(2)
				response := ess.CreateCreateScalingGroupResponse()
				if err := wrapped.DoAction(t.Context(), request, response); err != nil {
					t.Errorf("%s: %v", request.ScalingGroupName, err)
				}
				if request.ClientToken != "" {
					t.Errorf("%s: the caller's request now holds a token", request.ScalingGroupName)
				}
				results.Store(request.ScalingGroupName, response.ScalingGroupId)
			}
		})
	}
	wg.Wait()

	tokens, names := make(map[string]bool), make(map[string]bool)
	for _, e := range srv.Effects() {
		name := e.Params.Get("ScalingGroupName")
		if names[name] {
			t.Errorf("%s: a second effect", name)
		}
		if tokens[e.ClientToken] || e.ClientToken == "" {
			t.Errorf("%s: token %q is not its own", name, e.ClientToken)
		}
		if id, _ := results.Load(name); id != e.ResourceID {
			t.Errorf("%s: its caller was told %v; the effect made %s", name, id, e.ResourceID)
		}
		names[name], tokens[e.ClientToken] = true, true
	}
	if len(names) != goroutines*each {
		t.Errorf("%d effects; want %d", len(names), goroutines*each)
	}
	if faults := len(srv.Attempts()) - goroutines*each; faults < goroutines*each/2 {
		t.Errorf("%d attempts met a fault; the schedule is too kind", faults)
	}
	for _, a := range srv.Attempts() {
		if a.Problem != "" {
			t.Errorf("attempt %d was refused with %s", a.Number, a.Problem)
		}
	}
}

// schedule gives each group its faults, from none to three of those that arrive and do
// not hang. They depend on the seed and the group's name alone: how the goroutines
// take turns changes nothing, so that a failure comes again.
type schedule struct {
	seed uint64

	mu   sync.Mutex
	left map[string][]retrytest.Fault
}

func newSchedule(seed uint64) *schedule {
	return &schedule{seed: seed, left: make(map[string][]retrytest.Fault)}
}

func (s *schedule) next(a retrytest.Attempt) retrytest.Fault {
	name := a.Query.Get("ScalingGroupName")
	s.mu.Lock()
	defer s.mu.Unlock()
	left, begun := s.left[name]
	if !begun {
		left = s.draw(name)
	}
	f := retrytest.OK()
	if len(left) > 0 {
		f, left = left[0], left[1:]
	}
	s.left[name] = left
	return f
}

func (s *schedule) draw(name string) []retrytest.Fault {
	var key uint64
	for _, c := range name {
		key = key*31 + uint64(c)
	}
	random := rand.New(rand.NewPCG(s.seed, key))
	var drawn []retrytest.Fault
	for n := random.IntN(4); len(drawn) < n; {
		if f := faults[random.IntN(len(faults))]; f.arrives() && !f.hangs() {
			drawn = append(drawn, f.play)
		}
	}
	return drawn
}
