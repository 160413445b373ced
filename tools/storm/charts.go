package main

import (
	"fmt"
	"image/color"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// timeline is a plot of one number of a scenario over time.
type timeline struct {
	name, scenario string
	title, y       string
	trouble        string
	log            bool
	value          func(sample) float64
	around         time.Duration // shows no more than so much before the end of the trouble, and as much after it
}

func load(p sample) float64    { return p.load }
func goodput(p sample) float64 { return p.goodput }

var timelines = []timeline{
	{"load", "outage-busy", "Load while a service is down, and after", "attempts a second (log scale)", "outage", true, load, 0},
	{"recovery", "outage-busy", "Calls served around the end of an outage", "successful calls a second", "outage", false, goodput, 2 * time.Minute},
	{"brown-out", "brown-out", "Calls served while a service has half its capacity, and after", "successful calls a second", "half capacity", false, goodput, 0},
	{"hot-loop", "hot-loop", "Load of loops that call again at once", "attempts a second (log scale)", "outage", true, load, 0},
}

// drawCharts draws all plots.
func (s *study) drawCharts() error {
	s.charts = make(map[string]*chart)
	var err error
	for _, t := range timelines {
		if s.charts[t.name], err = s.timeline(t); err != nil {
			return fmt.Errorf("plot %s: %w", t.name, err)
		}
	}
	if s.charts["duplicates"], err = s.duplicatesChart(); err != nil {
		return err
	}
	s.charts["blip"], err = s.blipChart()
	return err
}

func (s *study) timeline(t timeline) (*chart, error) {
	sc, err := s.scenario(t.scenario)
	if err != nil {
		return nil, err
	}
	c := newChart(t.title, "minutes", t.y)
	from, to := sc.Trouble()
	first, last := time.Duration(0), sc.Duration
	if t.around > 0 {
		first, last = to-t.around, min(to+t.around, last)
	}
	trouble := band{max(from, first).Minutes(), min(to, last).Minutes()}
	capacity := level{sc.Service.Capacity, draw.LineStyle{Color: color.Gray{0x55}, Width: 1.2, Dashes: []vg.Length{4, 4}}}
	c.plot.Add(trouble, capacity)
	var lines []line
	for i, o := range s.outcomes[t.scenario] {
		l := line{name: o.model, style: lookOf(i), steps: true}
		for _, p := range o.samples {
			if p.from < first || p.from >= last {
				continue
			}
			v := t.value(p)
			if t.log {
				v = max(v, 1) // nothing has no logarithm
			}
			l.points = append(l.points, plotter.XY{X: p.from.Minutes(), Y: v})
		}
		if n := len(l.points); n > 0 {
			l.points = append(l.points, plotter.XY{X: last.Minutes(), Y: l.points[n-1].Y})
		}
		lines = append(lines, l)
	}
	if err := c.addLines(lines); err != nil {
		return nil, err
	}
	c.key("capacity", capacity)
	c.key(t.trouble, trouble)
	c.plot.X.Min, c.plot.X.Max = first.Minutes(), last.Minutes()
	y := &c.plot.Y
	y.Max = max(y.Max, sc.Service.Capacity) * 1.06
	if t.log {
		y.Min *= 0.8
		y.Scale, y.Tick.Marker = plot.LogScale{}, logTicks{}
	} else {
		y.Min = 0
	}
	return c, nil
}

func (s *study) duplicatesChart() (*chart, error) {
	c := newChart("Resources made twice, where 5% of all replies are lost", "duplicates per 1,000 creates", "client")
	var bars []bar
	for i, o := range s.outcomes["lost-5"] {
		bars = append(bars, bar{o.model, o.duplicates, i == 0})
	}
	return c, c.addBars(bars)
}

func (s *study) blipChart() (*chart, error) {
	c := newChart("Lone calls that outlive an outage in which they begin", "seconds that the outage lasts (log scale)", "% of calls that succeed")
	c.plot.X.Scale = plot.LogScale{}
	var ticks plot.ConstantTicks
	for _, length := range blipLengths {
		ticks = append(ticks, plot.Tick{Value: length, Label: grouped(length)})
	}
	c.plot.X.Tick.Marker = ticks
	var lines []line
	for i, b := range s.blips {
		l := line{name: s.models[i].Name, style: lookOf(i)}
		for j, share := range b {
			l.points = append(l.points, plotter.XY{X: blipLengths[j], Y: share})
		}
		lines = append(lines, l)
	}
	err := c.addLines(lines)
	c.plot.Y.Min, c.plot.Y.Max = 0, 100
	return c, err
}
