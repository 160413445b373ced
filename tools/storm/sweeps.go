package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/aliretry/aliretry/internal/seam"
)

// variant is our client under rules that differ in one number from the defaults.
type variant struct {
	value string
	rules seam.Rules
}

// variants makes one variant for each value that a rule is given.
func variants[T any](set func(*seam.Rules, T), values ...T) []variant {
	var vs []variant
	for _, v := range values {
		r := variant{value: strings.ReplaceAll(fmt.Sprint(v), "m0s", "m")} // of two minutes
		set(&r.rules, v)
		vs = append(vs, r)
	}
	return vs
}

// sweeps are the rules that docs/storm.md shows, as it names them.
var sweeps = map[string][]variant{
	"Policy.MaxAttempts": variants(func(r *seam.Rules, v int) { r.MaxAttempts = v }, 4, 6, 8, 10, 12),
	"Policy.Transient.Base": variants(func(r *seam.Rules, v time.Duration) { r.Transient.Base = v },
		50*time.Millisecond, 100*time.Millisecond, 200*time.Millisecond),
	"growth of Transient": variants(func(r *seam.Rules, v float64) { r.Transient.Growth = v }, 2, 3, 4),
	"Budget.Size": append(variants(func(r *seam.Rules, v int) { r.Budget.Size = v }, 50, 100, 200, 500, 1000),
		variant{"Unlimited", seam.Rules{Budget: seam.Budget{Unlimited: true}}}),
	"cost of a retry":         variants(func(r *seam.Rules, v float64) { r.Budget.Full = v }, 14, 35, 70, 140),
	"cost after Throttled":    variants(func(r *seam.Rules, v float64) { r.Budget.Low = v }, 1, 2, 5, 14),
	"gain by a success":       variants(func(r *seam.Rules, v float64) { r.Budget.Earn = v }, 1, 5, 10, 20),
	"refill, tokens a second": variants(func(r *seam.Rules, v float64) { r.Budget.Refill = v }, 0.01, 0.05, 0.25, 1),
	"Budget's forgetting":     variants(func(r *seam.Rules, v time.Duration) { r.Budget.Forget = v }, 30*time.Second, 2*time.Minute, 10*time.Minute),
	"Budget's most, in Sizes": variants(func(r *seam.Rules, v float64) { r.Budget.Most = v }, 1, 5, 10, 50, 100),
}
