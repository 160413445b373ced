package main

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"
)

// numbers adds the files behind the plots and tables.
func (s *study) numbers(files map[string][]byte) error {
	var err error
	for _, t := range timelines {
		if files["storm/"+t.name+".csv"], err = seriesCSV(s.outcomes[t.scenario], t.value); err != nil {
			return err
		}
	}
	if files["storm/blip.csv"], err = s.blipCSV(); err != nil {
		return err
	}
	var all []*outcome
	for _, sc := range s.scenarios {
		all = append(all, s.outcomes[sc.Name]...)
	}
	files["storm/summary.csv"], err = summaryCSV(all)
	return err
}

// summaryCSV has one line for each run.
func summaryCSV(outcomes []*outcome) ([]byte, error) {
	rows := [][]string{{"scenario", "model", "calls", "attempts", "extra_load_percent", "peak_load_per_second", "success_percent",
		"success_after_percent", "recovery_seconds", "duplicates_per_1000", "orphans_per_1000", "p50_seconds", "p99_seconds"}}
	for _, o := range outcomes {
		var after, recovery string
		if o.ends {
			after = number(o.after)
		}
		if o.recovers {
			recovery = number(o.recovery.Seconds())
		}
		rows = append(rows, []string{o.scenario, o.model, strconv.Itoa(o.calls), strconv.Itoa(o.attempts), number(o.extra), number(o.peak), number(o.success),
			after, recovery, number(o.duplicates), number(o.orphaned), number(o.p50.Seconds()), number(o.p99.Seconds())})
	}
	return writeCSV(rows)
}

// seriesCSV has one line for each sample of a scenario, and one column for each model.
func seriesCSV(outcomes []*outcome, value func(sample) float64) ([]byte, error) {
	rows := [][]string{{"second"}}
	for _, p := range outcomes[0].samples {
		rows = append(rows, []string{number(p.from.Seconds())})
	}
	for _, o := range outcomes {
		rows[0] = append(rows[0], o.model)
		for i, p := range o.samples {
			rows[i+1] = append(rows[i+1], number(value(p)))
		}
	}
	return writeCSV(rows)
}

// blipCSV has one line for each length of an outage.
func (s *study) blipCSV() ([]byte, error) {
	rows := [][]string{{"outage_seconds"}}
	for _, length := range blipLengths {
		rows = append(rows, []string{number(length)})
	}
	for i, shares := range s.blips {
		rows[0] = append(rows[0], s.models[i].Name)
		for j, share := range shares {
			rows[j+1] = append(rows[j+1], number(share))
		}
	}
	return writeCSV(rows)
}

func writeCSV(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// number has no more digits than matter.
func number(v float64) string { return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64) }
