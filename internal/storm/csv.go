package storm

import (
	"encoding/csv"
	"io"
	"strconv"
)

// columns are what WriteCSV writes of each second.
var columns = [...]struct {
	name  string
	value func(*Second) int
}{
	{"calls", func(s *Second) int { return s.Calls }},
	{"attempts", func(s *Second) int { return s.Attempts }},
	{"admitted", func(s *Second) int { return s.Admitted }},
	{"succeeded", func(s *Second) int { return s.Succeeded }},
	{"failed", func(s *Second) int { return s.Failed }},
	{"in_time", func(s *Second) int { return s.InTime }},
	{"effects", func(s *Second) int { return s.Effects }},
	{"duplicate", func(s *Second) int { return s.Duplicate }},
	{"orphaned", func(s *Second) int { return s.Orphaned }},
	{"refused", func(s *Second) int { return s.Refused }},
}

// WriteCSV writes one line for each second, after a header.
func (r *Result) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	line := []string{"second"}
	for _, column := range columns {
		line = append(line, column.name)
	}
	c.Write(line) // Error tells of its failure
	for i := range r.Seconds {
		line = append(line[:0], strconv.Itoa(i))
		for _, column := range columns {
			line = append(line, strconv.Itoa(column.value(&r.Seconds[i])))
		}
		c.Write(line)
	}
	c.Flush()
	return c.Error()
}
