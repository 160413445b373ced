package main

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
)

//go:embed storm.md.tmpl
var reportTemplate string

// report is what docs/storm.md is made from. All its numbers come from the study, once that has run.
func (s *study) report() (*template.Template, error) {
	return template.New("storm.md.tmpl").Funcs(template.FuncMap{
		"plot": s.plot, "table": s.table, "value": s.value, "sweep": s.sweep, "adaptive": s.adaptive, "clients": s.clients,
	}).Parse(reportTemplate)
}

// plot shows a chart.
func (s *study) plot(name string) (string, error) {
	c, ok := s.charts[name]
	if !ok {
		return "", fmt.Errorf("no plot %q", name)
	}
	return fmt.Sprintf("![%s](storm/%s.svg)", c.title, name), nil
}

// clients is the number of them in a scenario.
func (s *study) clients(scenario string) (string, error) {
	sc, err := s.scenario(scenario)
	if err != nil {
		return "", err
	}
	return grouped(float64(sc.Fleet.Clients)), nil
}

// table has a line for each model that met a scenario, and all columns if none are named.
func (s *study) table(scenario string, ids ...string) (string, error) {
	if _, err := s.scenario(scenario); err != nil {
		return "", err
	}
	return tableOf("client", func(o *outcome) string { return o.model }, s.outcomes[scenario], ids)
}

func tableOf(head string, name func(*outcome) string, outcomes []*outcome, ids []string) (string, error) {
	if len(ids) == 0 {
		for _, c := range columns {
			ids = append(ids, c.id)
		}
	}
	heads := []string{head}
	rows := make([][]string, len(outcomes))
	for i, o := range outcomes {
		rows[i] = []string{name(o)}
	}
	for _, id := range ids {
		c, err := columnOf(id)
		if err != nil {
			return "", err
		}
		heads = append(heads, c.head)
		for i, o := range outcomes {
			rows[i] = append(rows[i], c.cell(o))
		}
	}
	return markdown(heads, rows), nil
}

// value is one number, for the text.
func (s *study) value(scenario, model, id string) (string, error) {
	c, err := columnOf(id)
	if err != nil {
		return "", err
	}
	for _, o := range s.outcomes[scenario] {
		if o.model == model {
			return c.cell(o), nil
		}
	}
	return "", fmt.Errorf("no %q in scenario %q", model, scenario)
}

// sweep runs our client under each value of a rule and under the defaults. A column is given as
// the scenario and the column's name, such as "blip success".
func (s *study) sweep(rule string, cells ...string) (string, error) {
	values, ok := sweeps[rule]
	if !ok {
		return "", fmt.Errorf("no rule %q; there are %q", rule, slices.Sorted(maps.Keys(sweeps)))
	}
	values = slices.Concat([]variant{{value: "default"}}, values)
	head := []string{rule}
	rows := make([][]string, len(values))
	for i, v := range values {
		rows[i] = []string{v.value}
	}
	met := make(map[string][]*outcome)
	for _, cell := range cells {
		scenario, id, _ := strings.Cut(cell, " ")
		c, err := columnOf(id)
		if err != nil {
			return "", err
		}
		if met[scenario] == nil {
			if met[scenario], err = s.vary(scenario, values); err != nil {
				return "", err
			}
		}
		head = append(head, scenario+": "+c.head)
		for i, o := range met[scenario] {
			rows[i] = append(rows[i], c.cell(o))
		}
	}
	return markdown(head, rows), nil
}
