// Package fulllist is all that was read from alibaba-cloud-sdk-go when the catalogue was
// compiled, for tests: what decides nothing is not in package catalogue.
package fulllist

import (
	_ "embed"
	"strings"
	"sync"
)

// Operation is a line of the list, as text.
type Operation struct {
	Product, Version, Action string
	Style                    string // RPC or ROA
	Method                   string
	Path                     string // ROA: a pattern such as /clusters/[ClusterId]
	Token                    string // -, query ClientToken, query clientToken or form ClientToken
	DryRun                   string // -, DryRun or dryRun
	Timeout                  string // in seconds; 0: none of its own
	Safety                   string // read, set or write
}

func (o Operation) String() string { return o.Product + " " + o.Version + " " + o.Action }

//go:embed operations.tsv
var text string

// All returns the list, sorted by product, version and action.
var All = sync.OnceValue(func() (all []Operation) {
	_, lines, _ := strings.Cut(text, "\n") // but for the names of the columns
	for line := range strings.Lines(lines) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		all = append(all, Operation{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]})
	}
	return all
})
