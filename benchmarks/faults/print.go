package main

import (
	"fmt"
	"io"
)

const legend = `
A cell is attempts/tokens/nonces/effects, as the endpoint counted them, and what the caller was told: how many attempts
reached it, how many different client tokens and signature nonces they had, and how many scaling groups there are now.
The last column counts the faults after which there was one scaling group and the caller was told of it.
`

// printTable prints a line for each client, and below what clients and faults are.
func printTable(out io.Writer, table map[string][]result) {
	line := func(name string, cells []string, last string) {
		fmt.Fprintf(out, "%-28s", name)
		for _, cell := range cells {
			fmt.Fprintf(out, "  %-13s", cell)
		}
		fmt.Fprintf(out, "  %s\n", last)
	}
	var names []string
	for _, f := range faults {
		names = append(names, f.name)
	}
	line("", names, "one, and told")
	for _, c := range clients {
		var cells []string
		well := 0
		for _, r := range table[c.Name] {
			cells = append(cells, r.String())
			if r.well() {
				well++
			}
		}
		line(c.Name, cells, fmt.Sprintf("%d of %d", well, len(cells)))
	}
	fmt.Fprintf(out, "%s\n", legend)
	for _, f := range faults {
		fmt.Fprintf(out, "%-28s  %s\n", f.name, f.what)
	}
	fmt.Fprintln(out)
	for _, c := range clients {
		fmt.Fprintf(out, "%-28s  %s\n", c.Name, c.Note)
	}
}

// String is the cell of the table.
func (r result) String() string {
	told := "ok"
	if r.err != nil {
		told = "error"
	}
	return fmt.Sprintf("%d/%d/%d/%d %s", r.attempts, r.tokens, r.nonces, r.effects, told)
}
