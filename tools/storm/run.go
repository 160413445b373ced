package main

import (
	"runtime"
	"sync"

	"github.com/aliretry/aliretry/internal/storm"
)

// job is one run of the simulation.
type job struct {
	scenario *storm.Scenario
	model    *storm.Model
}

// runAll runs jobs side by side and returns what came of them in their own order, whichever
// ended first.
func runAll(jobs []job, seed uint64) []*outcome {
	outcomes := make([]*outcome, len(jobs))
	next := make(chan int)
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(jobs)) {
		wait.Go(func() {
			for i := range next {
				outcomes[i] = outcomeOf(storm.Run(jobs[i].scenario, jobs[i].model, seed))
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	wait.Wait()
	return outcomes
}
