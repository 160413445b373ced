package crash_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// jobVariable makes a process of this binary a child: it holds the job.
const jobVariable = "ALIRETRY_CRASH_JOB"

// job is what a child has to do: make the calls of its keys, each until it is recorded as
// done. It begins when it reads a line, and ends at once when its input does.
type job struct {
	World     world
	Namespace string
	Host      string   // the endpoint's
	Keys      []string // in random order, unless InOrder
	InOrder   bool
	// Stream, in place of Keys, is for a child that makes up keys until its input ends: of its
	// own by this name, and in turn ones that all children of a Namespace have.
	Stream  string
	Workers int
	Plan    plan
	Outages bool   // the journal may fail
	Mutant  string // the journal is one of mutants
	Timeout time.Duration
}

// said is a line that a child writes: that it is ready, or what a call came to.
type said struct {
	Ready bool `json:",omitempty"`
	called
}

func work(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), j.Timeout)
	defer cancel()
	c, err := newCaller(ctx, j)
	if err != nil {
		return err
	}
	defer c.db.Close()
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(s said) {
		mu.Lock()
		defer mu.Unlock()
		if err := out.Encode(s); err != nil {
			panic(err)
		}
	}
	say(said{Ready: true})
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return err
	}
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		if j.Stream == "" { // the parent is gone
			os.Exit(1)
		}
		close(stop)
	}()

	keys := j.keys(stop)
	var wg sync.WaitGroup
	for range j.Workers {
		wg.Go(func() {
			for key := range keys {
				for done := false; !done; {
					call, err := c.call(ctx, key)
					if err != nil {
						fmt.Fprintf(os.Stderr, "%q: %v\n", key, err)
						os.Exit(1)
					}
					say(said{called: call})
					done = call.ID != "" && !call.Open
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// keys gives the keys to the workers.
func (j *job) keys(stop <-chan struct{}) <-chan string {
	keys := make(chan string)
	go func() {
		defer close(keys)
		if j.Stream == "" {
			order := rand.Perm(len(j.Keys))
			for i, n := range order {
				if j.InOrder {
					n = i
				}
				keys <- j.Keys[n]
			}
			return
		}
		for n := 0; ; n++ {
			for _, name := range []string{j.Stream, "shared"} {
				select {
				case keys <- fmt.Sprintf("%s %d", name, n):
				case <-stop:
					return
				}
			}
		}
	}()
	return keys
}
