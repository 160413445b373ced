// Command storm lets fleets of clients meet a service in trouble, in virtual time, and writes
// what came of it: docs/storm.md, its plots and the numbers behind them.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", "../../docs", "the directory for storm.md, and for storm/ with plots and numbers")
	scale := flag.Float64("scale", 1, "the size of all fleets; below 1 for a quick look")
	seed := flag.Uint64("seed", 1, "of all chance; the same seed gives the same files")
	png := flag.String("png", "", "a directory that exists, for the plots as PNG too")
	flag.Parse()
	if err := write(newStudy(*scale, *seed), *out, *png); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write runs a study and writes its files.
func write(s *study, out, png string) error {
	report, err := s.report() // a mistake in it should not show after minutes
	if err != nil {
		return err
	}
	s.run()
	if err := s.drawCharts(); err != nil {
		return err
	}
	files := make(map[string][]byte)
	var text bytes.Buffer
	if err := report.Execute(&text, nil); err != nil {
		return err
	}
	files["storm.md"] = text.Bytes()
	for name, c := range s.charts {
		if files["storm/"+name+".svg"], err = c.svg(); err != nil {
			return fmt.Errorf("plot %s: %w", name, err)
		}
	}
	if err := s.numbers(files); err != nil {
		return err
	}
	if png != "" {
		for name, c := range s.charts {
			if err := c.writePNG(png, name); err != nil {
				return err
			}
		}
	}
	return writeFiles(out, files)
}

func writeFiles(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(filepath.Join(dir, "storm"), 0o755); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
