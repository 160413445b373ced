// Command faults lets each client make one call whose first attempt meets a fault, and
// prints what became of it: seven faults, over real sockets, at an endpoint that verifies
// signatures and honours client tokens. The second attempt would succeed.
package main

import (
	"fmt"
	"os"

	"github.com/aliretry/aliretry/benchmarks/client"
)

func main() {
	fmt.Printf("%s\n\n", client.Surroundings())
	table := make(map[string][]result)
	for _, c := range clients {
		for _, f := range faults {
			r, err := meet(c, f)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			table[c.Name] = append(table[c.Name], r)
		}
	}
	printTable(os.Stdout, table)
}
