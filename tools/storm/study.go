package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/aliretry/aliretry/internal/seam"
	"github.com/aliretry/aliretry/internal/storm"
)

// study is all that docs/storm.md tells of.
type study struct {
	scale     float64
	seed      uint64
	scenarios []*storm.Scenario
	models    []*storm.Model // ours first
	outcomes  map[string][]*outcome
	blips     [][]float64 // percent of lone calls that succeed, by model and length
	charts    map[string]*chart
}

func newStudy(scale float64, seed uint64) *study {
	s := &study{
		scale: scale, seed: seed,
		models:   append([]*storm.Model{storm.Ours("aliretry", seam.Rules{})}, storm.Peers()...),
		outcomes: make(map[string][]*outcome),
	}
	for _, sc := range storm.Scenarios(scale) {
		s.scenarios = append(s.scenarios, sized(sc.Name, scale, parts))
	}
	return s
}

// parts are how much of their fleets scenarios keep. Terraform's loop piles up so many attempts
// that more would take minutes, and tell no more: all goes by the client.
var parts = map[string]float64{
	"outage-hang": 0.1, "brown-out": 0.25, "brown-out-deep": 0.1, "partial-30": 0.25, "flapping": 0.1, "errors-5": 0.25, "lost-5": 0.25,
}

// sweepParts are the same for sweeps, which make many runs.
var sweepParts = map[string]float64{
	"outage-busy": 0.1, "outage-idle": 0.1, "brown-out": 0.1, "partial-30": 0.1, "errors-5": 0.1,
}

// sized returns a scenario with its part of the fleet, nil if there is no such scenario.
func sized(name string, scale float64, parts map[string]float64) *storm.Scenario {
	if part, ok := parts[name]; ok {
		scale *= part
	}
	return named(storm.Scenarios(scale), name)
}

func named(scenarios []*storm.Scenario, name string) *storm.Scenario {
	i := slices.IndexFunc(scenarios, func(sc *storm.Scenario) bool { return sc.Name == name })
	if i < 0 {
		return nil
	}
	return scenarios[i]
}

func (s *study) scenario(name string) (*storm.Scenario, error) {
	if sc := named(s.scenarios, name); sc != nil {
		return sc, nil
	}
	return nil, fmt.Errorf("no scenario %q", name)
}

// run lets every model meet every scenario, but for Terraform's loop in the largest fleet.
func (s *study) run() {
	var jobs []job
	for _, sc := range s.scenarios {
		for _, m := range s.models {
			if sc.Name != "outage-idle" || m.Name != storm.TerraformLoop().Name {
				jobs = append(jobs, job{sc, m})
			}
		}
	}
	for _, o := range runAll(jobs, s.seed) {
		s.outcomes[o.scenario] = append(s.outcomes[o.scenario], o)
	}
	s.runBlips()
}

// blipLengths are for how many seconds connections are refused.
var blipLengths = []float64{0.2, 0.5, 1, 2, 5, 10, 20, 30, 60}

// runBlips lets calls begin at random moments of such outages, each in a program that as a rule
// makes no other.
func (s *study) runBlips() {
	const calls, clientsPerCall = 5000, 20
	clients := max(1, int(calls*clientsPerCall*s.scale))
	var jobs []job
	for _, m := range s.models {
		for _, length := range blipLengths {
			long := time.Duration(length * float64(time.Second))
			jobs = append(jobs, job{&storm.Scenario{
				Name: "lone calls", Duration: long, Deadline: 2 * time.Minute,
				Fleet: storm.Fleet{Clients: clients, Rate: 1 / (clientsPerCall * length)},
				Service: storm.Service{
					Capacity: 1e6, Queue: 5 * time.Second, Latency: 20 * time.Millisecond, Memory: 24 * time.Hour,
					Script: []storm.Phase{{To: long, Trouble: storm.RefuseAll}},
				},
			}, m})
		}
	}
	for of := range slices.Chunk(runAll(jobs, s.seed), len(blipLengths)) {
		var shares []float64
		for _, o := range of {
			shares = append(shares, o.success)
		}
		s.blips = append(s.blips, shares)
	}
}

// vary lets our client meet a scenario under each of several rules.
func (s *study) vary(scenario string, values []variant) ([]*outcome, error) {
	sc := sized(scenario, s.scale, sweepParts)
	if sc == nil {
		return nil, fmt.Errorf("no scenario %q", scenario)
	}
	var jobs []job
	for _, v := range values {
		jobs = append(jobs, job{sc, storm.Ours(v.value, v.rules)})
	}
	return runAll(jobs, s.seed), nil
}
