package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aliretry/aliretry/internal/openapi/catalogue"
)

// Verbs that say what an operation does, but for the exceptions, which cover all
// operations that begin with them.
var (
	reads = []string{"Describe", "List", "Get", "Query", "Search", "Check", "Find", "Count", "Lookup",
		"BatchGet", "BatchQuery", "BatchDescribe", "BatchCheck", "BatchList", "BatchSearch", "BatchCount"}
	sets = []string{"Update", "Modify", "Delete", "Remove", "Enable", "Disable"}
)

// judge settles the safety of each operation.
func judge(operations []*operation, exceptions map[string]bool) error {
	for _, o := range operations {
		o.safety = catalogue.Unsafe
		if safety := o.byVerb(); !exceptions[o.String()] {
			o.safety = safety
		} else if safety == catalogue.Unsafe {
			return fmt.Errorf("exceptions.tsv: %v is unsafe by its verb and method already", o)
		}
		delete(exceptions, o.String())
	}
	for name := range exceptions {
		return fmt.Errorf("exceptions.tsv: there is no operation %s", name)
	}
	return nil
}

// byVerb is what the operation's method and verb say. In the ROA style a name alone is
// not enough.
func (o *operation) byVerb() catalogue.Safety {
	has := func(verb string) bool { return catalogue.HasVerb(o.action, verb) }
	switch {
	case slices.ContainsFunc(reads, has) && (!o.roa || o.method == "GET" || o.method == "HEAD"):
		return catalogue.ReadOnly
	case slices.ContainsFunc(sets, has) && o.roa && (o.method == "PUT" || o.method == "DELETE"):
		return catalogue.ReplaySafe
	}
	return catalogue.Unsafe
}

// readExceptions reads the operations that are unsafe in spite of their verb: lines of
// product, version, action, kind and reason, with tabs between. The rest is for people.
func readExceptions(name string) (map[string]bool, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	exceptions := make(map[string]bool)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 5 || slices.Contains(fields, "") {
			return nil, fmt.Errorf("%s: not five fields in %q", name, lines.Text())
		}
		key := strings.Join(fields[:3], " ")
		if exceptions[key] {
			return nil, fmt.Errorf("%s: %s is there twice", name, key)
		}
		exceptions[key] = true
	}
	return exceptions, lines.Err()
}
