package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aliretry/aliretry/benchmarks/client"
	"github.com/aliretry/aliretry/retry/retrytest"
)

// result is what the endpoint saw of a call, and what the caller was told.
type result struct {
	attempts int // that reached the endpoint
	tokens   int // different client tokens in them
	nonces   int // different signature nonces in them
	effects  int // scaling groups that there are now
	err      error
}

// well reports whether the call ended as it should.
func (r result) well() bool { return r.effects == 1 && r.err == nil }

// meet makes one call through a new client at an endpoint of its own, whose first attempt
// meets the fault.
func meet(c client.Client, f fault) (result, error) {
	server := retrytest.NewServer()
	defer server.Close()
	server.Script(f.play)
	call, err := c.New(client.Endpoint{Host: server.Host})
	if err != nil {
		return result{}, fmt.Errorf("%s: %w", c.Name, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	id, err := call(ctx)

	attempts, effects := server.Attempts(), server.Effects()
	made := func(e retrytest.Effect) bool { return e.ResourceID == id }
	if err == nil && !slices.ContainsFunc(effects, made) {
		err = fmt.Errorf("told of scaling group %q, which there is not", id)
	}
	return result{
		attempts: len(attempts),
		tokens:   different(attempts, func(a retrytest.Attempt) string { return a.ClientToken }),
		nonces:   different(attempts, func(a retrytest.Attempt) string { return a.Nonce }),
		effects:  len(effects),
		err:      err,
	}, nil
}

// different counts the different values that the attempts have, but for the empty one.
func different(attempts []retrytest.Attempt, of func(retrytest.Attempt) string) int {
	seen := make(map[string]bool)
	for _, a := range attempts {
		if value := of(a); value != "" {
			seen[value] = true
		}
	}
	return len(seen)
}
