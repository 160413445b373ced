// Generate compiles the catalogue of operations from the sources of alibaba-cloud-sdk-go,
// in the version that go.mod names, and from exceptions.tsv.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const sdkModule = "github.com/aliyun/alibaba-cloud-sdk-go"

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")
	in := flag.String("in", ".", "directory of exceptions.tsv")
	out := flag.String("out", ".", "directory to write to")
	flag.Parse()
	if err := generate(*in, *out); err != nil {
		log.Fatal(err)
	}
}

func generate(in, out string) error {
	sdk, err := findModule(sdkModule)
	if err != nil {
		return err
	}
	operations, err := readServices(sdk.Dir)
	if err != nil {
		return err
	}
	if err := addTimeouts(operations, filepath.Join(sdk.Dir, "sdk", "api_timeout.go")); err != nil {
		return err
	}
	exceptions, err := readExceptions(filepath.Join(in, "exceptions.tsv"))
	if err != nil {
		return err
	}
	if err := judge(operations, exceptions); err != nil {
		return err
	}
	products, table, err := compile(operations)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"catalogue.bin":           table,
		"routes.txt":              routes(operations, sdk),
		"sdk.go":                  source(products, sdk),
		"fulllist/operations.tsv": list(operations),
	} {
		if err := os.WriteFile(filepath.Join(out, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// module is what `go list -m -json` tells of a module.
type module struct {
	Path, Version, Dir string
	Time               time.Time
}

func findModule(path string) (m module, err error) {
	output, err := exec.Command("go", "list", "-m", "-json", path).Output()
	if err != nil {
		return m, fmt.Errorf("go list -m %s: %w", path, err)
	}
	if err := json.Unmarshal(output, &m); err != nil {
		return m, err
	}
	if m.Dir == "" || m.Time.IsZero() {
		return m, fmt.Errorf("the source of %s %s is not there: run go mod download", m.Path, m.Version)
	}
	return m, nil
}
