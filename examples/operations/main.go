// Command operations prints what the library knows of operations and what it will do
// with them when a reply is lost.
//
// Arguments are a version and an action in turn:
//
//	go run ./examples/operations 2014-08-28 CreateScalingGroup 2015-12-15 CreateCluster
//
// Without any it prints a choice of them. Nothing is sent.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"text/tabwriter"

	"github.com/aliretry/aliretry/retry"
)

// choice has one operation of each kind.
var choice = []string{
	"2014-08-28", "CreateScalingGroup",
	"2014-08-28", "CreateScalingRule",
	"2014-08-28", "DescribeScalingGroups",
	"2014-05-26", "RunInstances",
	"2016-04-28", "CreateVpc",
	"2020-11-01", "CreateProject",
	"2017-06-13", "CreateInstance",
	"2015-12-15", "CreateCluster",
	"2015-12-15", "DeleteCluster",
	"2016-01-20", "GetRandomPassword",
	"2019-01-01", "CreateBackupPlan",
	"2030-01-01", "ListTomorrow",
	"2030-01-01", "GetTomorrow",
}

func main() {
	names := os.Args[1:]
	if len(names) == 0 {
		names = choice
	}
	if err := run(os.Stdout, names); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer, names []string) error {
	if len(names)%2 != 0 {
		return errors.New("arguments are a version and an action in turn")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "product\tversion\taction\tclient token\ta second run is\tattempt timeout\tafter a lost reply\n")
	for i := 0; i < len(names); i += 2 {
		o, known := retry.Lookup(names[i], names[i+1])
		product := o.Product
		switch {
		case !known:
			product = "(unknown)"
		case product == "":
			product = "(several)"
		}
		timeout := "default"
		if o.AttemptTimeout != 0 {
			timeout = o.AttemptTimeout.String()
		}
		after := "ends Unknown"
		if o.Repeated() {
			after = "repeated"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%v\t%s\t%s\n", product, o.Version, o.Action, o.Token, o.Safety, timeout, after)
	}
	fmt.Fprintf(w, "\nas of %s\n", retry.CatalogueDate)
	return w.Flush()
}
