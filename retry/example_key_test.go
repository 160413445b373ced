package retry_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aliretry/aliretry/retry"
	"github.com/aliretry/aliretry/retry/retrytest"
	"github.com/aliretry/aliretry/token"
)

// memory is a Journal by the rules of package token that forgets with its process. Package
// sqljournal has one in a database.
type memory struct {
	mu      sync.Mutex
	records map[string]token.Record
}

func (m *memory) Begin(_ context.Context, i token.Intent) (token.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := token.Begin(m.held(i.Key), i, time.Now())
	if err == nil {
		m.records[i.Key] = r
	}
	return r, err
}

func (m *memory) End(_ context.Context, begun token.Record, result token.Result) (token.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, changed := token.End(m.held(begun.Key), begun, result, time.Now())
	if changed {
		m.records[begun.Key] = r
	}
	return r, nil
}

func (m *memory) held(key string) *token.Record {
	if r, ok := m.records[key]; ok {
		return &r
	}
	return nil
}

// A program that makes its call under a key may be started as often as it likes. The first reply is
// lost here, and the program gives up; the next start goes on with the same token, and the one
// after it finds the call done.
func ExampleWithKey() {
	fake := retrytest.NewServer()
	defer fake.Close()
	fake.Script(retrytest.Reset().AfterEffect())
	journal := &memory{records: make(map[string]token.Record)}

	for start := 1; start <= 3; start++ {
		client := &http.Client{Transport: &retry.Transport{Credentials: static, Journal: journal, Policy: retry.Policy{MaxAttempts: 1}}}
		ctx := retry.WithKey(context.Background(), "asg/web-prod/run-17")
		req, _ := http.NewRequestWithContext(ctx, "POST", fake.URL+"/?Action=CreateScalingGroup&Version=2014-08-28&Format=JSON", nil)
		resp, err := client.Do(req)
		info, _ := retry.InfoOf(err)
		if err == nil {
			resp.Body.Close()
			info, _ = retry.InfoOfResponse(resp)
		}
		fmt.Printf("start %d: %v, replayed: %v\n", start, info.Outcome, info.Replayed)
	}
	fmt.Println(len(fake.Attempts()), "attempts,", len(fake.Effects()), "effect")
	// Output:
	// start 1: Unknown, replayed: false
	// start 2: Done, replayed: false
	// start 3: Done, replayed: true
	// 2 attempts, 1 effect
}
