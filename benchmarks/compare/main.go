// Command compare sets clients side by side: what one call costs in each, over a stub and
// over a connection on this machine, and what signatures cost. It takes about a minute.
//
// Every row is measured in several rounds. A round goes through all rows of a table, so that
// what else happens on the machine meets all of them; the ratio is the median of the ratios
// of each round.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/aliretry/aliretry/benchmarks/client"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out io.Writer, args []string) error {
	flags := flag.NewFlagSet("compare", flag.ExitOnError)
	rounds := flags.Int("rounds", 9, "`number` of rounds")
	length := flags.Duration("time", 200*time.Millisecond, "`duration` of one row in one round")
	flags.Parse(args)
	if *rounds < 1 || *length <= 0 {
		return fmt.Errorf("%d rounds of %v measure nothing", *rounds, *length)
	}
	testing.Init() // for testing.Benchmark, which takes its time from a flag
	if err := flag.Set("test.benchtime", length.String()); err != nil {
		return err
	}
	tables, end, err := newTables()
	if err != nil {
		return err
	}
	defer end()
	fmt.Fprintf(out, "%s\n\n%d rounds of %v for each row; medians\n", client.Surroundings(), *rounds, *length)
	for _, t := range tables {
		results, err := t.measure(*rounds)
		if err != nil {
			return err
		}
		t.print(out, results)
	}
	return nil
}
