package main

import (
	"bytes"
	"encoding/csv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const small = 0.002

// filesOf runs a small study into a directory and reads what it wrote.
func filesOf(t *testing.T, seed uint64) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	if err := write(newStudy(small, seed), dir, ""); err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, filepath.Join(dir, "storm.md")) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = data
	}
	return files
}

func TestFiles(t *testing.T) {
	files := filesOf(t, 1)
	want := []string{
		"blip.csv", "blip.svg", "brown-out.csv", "brown-out.svg", "duplicates.svg", "hot-loop.csv", "hot-loop.svg",
		"load.csv", "load.svg", "recovery.csv", "recovery.svg", "storm.md", "summary.csv",
	}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, want) {
		t.Errorf("files are %q, want %q", got, want)
	}
	for name, data := range files {
		for _, bad := range []string{"NaN", "Inf", "<no value>", "%!"} {
			if bytes.Contains(data, []byte(bad)) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
		if strings.HasSuffix(name, ".svg") && len(data) > 60_000 {
			t.Errorf("%s has %d bytes", name, len(data))
		}
		if strings.HasSuffix(name, ".csv") {
			if _, err := csv.NewReader(bytes.NewReader(data)).ReadAll(); err != nil { // so too where lines differ in length
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for name, again := range filesOf(t, 1) {
		if !bytes.Equal(again, files[name]) {
			t.Errorf("%s differs in a second run with the same seed", name)
		}
	}
}
