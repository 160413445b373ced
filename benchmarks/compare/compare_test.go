package main

import (
	"strings"
	"testing"
)

func BenchmarkRows(b *testing.B) {
	tables, end, err := newTables()
	if err != nil {
		b.Fatal(err)
	}
	defer end()
	for _, t := range tables {
		b.Run(t.title, func(b *testing.B) {
			for _, r := range t.rows {
				b.Run(r.name, func(b *testing.B) {
					if err := r.loop(b); err != nil {
						b.Fatal(err)
					}
				})
			}
		})
	}
}

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out, []string{"-rounds", "2", "-time", "1ms"}); err != nil {
		t.Fatal(err)
	}
	tables, end, err := newTables()
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	for _, table := range tables {
		_, rest, found := strings.Cut(out.String(), "\n"+table.title+"\n")
		for _, r := range table.rows {
			if !found || !strings.Contains(rest, "\n"+r.name+" ") {
				t.Errorf("%s: no row %s", table.title, r.name)
			}
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

func TestMedian(t *testing.T) {
	if got := median([]float64{3, 1, 2}); got != 2 {
		t.Errorf("of an odd number: %v", got)
	}
	if got := median([]int64{4, 1, 3, 2}); got != 2 { // (2+3)/2, in whole numbers
		t.Errorf("of an even number: %v", got)
	}
}
