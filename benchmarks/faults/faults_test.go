package main

import (
	"strings"
	"testing"

	"github.com/aliretry/aliretry/benchmarks/client"
)

// Our own rows, whatever the others are: after every fault one effect, by two attempts
// under one token, each signed anew, and the caller is told of it.
func TestOurRows(t *testing.T) {
	for _, c := range []client.Client{client.V1Wrapped, client.V1DoAction, client.V2Transport, client.TransportSigned, client.Transport} {
		for _, f := range faults {
			t.Run(c.Name+", "+f.name, func(t *testing.T) {
				r, err := meet(c, f)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := r.String(), "2/1/2/1 ok"; got != want || !r.well() {
					t.Errorf("attempts/tokens/nonces/effects: %s; want %s; error %v", got, want, r.err)
				}
			})
		}
	}
}

// Every client meets every fault, and each row is printed with its sum.
func TestTable(t *testing.T) {
	table := make(map[string][]result)
	for _, c := range clients {
		for _, f := range faults {
			r, err := meet(c, f)
			if err != nil {
				t.Fatal(err)
			}
			if r.attempts == 0 {
				t.Errorf("%s, %s: nothing reached the endpoint; error %v", c.Name, f.name, r.err)
			}
			table[c.Name] = append(table[c.Name], r)
		}
	}
	var out strings.Builder
	printTable(&out, table)
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, client.V1Wrapped.Name+" ") && strings.HasSuffix(line, "7 of 7\n") {
			return
		}
	}
	t.Errorf("no row of 7 of 7:\n%s", out.String())
}
