package main

import (
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The palette of Okabe and Ito, which the colour-blind can tell apart. Its yellow is lost on white;
// grey stands in for it.
var (
	orange     = color.RGBA{0xe6, 0x9f, 0x00, 0xff}
	skyBlue    = color.RGBA{0x56, 0xb4, 0xe9, 0xff}
	green      = color.RGBA{0x00, 0x9e, 0x73, 0xff}
	blue       = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	vermillion = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	purple     = color.RGBA{0xcc, 0x79, 0xa7, 0xff}
	grey       = color.RGBA{0x77, 0x77, 0x77, 0xff}
)

var (
	dashed  = []vg.Length{6, 3}
	dotted  = []vg.Length{2, 2}
	dashDot = []vg.Length{8, 3, 2, 3}
)

// looks are the lines of the models, in the order of storm.Peers behind ours, which is the thick
// one. Models of the same makers share a colour, but no two share colour and dashes.
var looks = []draw.LineStyle{
	{Color: vermillion, Width: 5},
	{Color: blue, Width: 1.6, Dashes: dashed},
	{Color: blue, Width: 1.6},
	{Color: purple, Width: 1.6},
	{Color: skyBlue, Width: 1.6, Dashes: dashDot},
	{Color: orange, Width: 1.6},
	{Color: color.Black, Width: 1.6},
	{Color: color.Black, Width: 1.6, Dashes: dotted},
	{Color: green, Width: 1.6, Dashes: dashed},
	{Color: grey, Width: 1.6},
	{Color: grey, Width: 1.6, Dashes: dotted},
	{Color: purple, Width: 1.6, Dashes: dotted},
	{Color: green, Width: 1.6, Dashes: dashDot},
}

func lookOf(model int) draw.LineStyle { return looks[model%len(looks)] }

// line is one model's curve.
type line struct {
	name   string
	style  draw.LineStyle
	points plotter.XYs
	steps  bool // each point holds up to the next
}

// addLines draws the first line first: a thin one over a thick one hides nothing.
func (c *chart) addLines(lines []line) error {
	for _, l := range lines {
		p, err := plotter.NewLine(l.points)
		if err != nil {
			return err
		}
		p.LineStyle = l.style
		if l.steps {
			p.StepStyle = plotter.PostStep
		}
		c.plot.Add(p)
		c.key(l.name, p)
	}
	return nil
}

// bar is one model's bar; ours stands out.
type bar struct {
	name  string
	value float64
	ours  bool
}

// addBars draws bars from left to right, the first at the top, each with its number behind it.
func (c *chart) addBars(bars []bar) error {
	names := make([]string, len(bars))
	labels := plotter.XYLabels{XYs: make(plotter.XYs, len(bars)), Labels: make([]string, len(bars))}
	most := 0.0
	for i, b := range bars {
		row := len(bars) - 1 - i
		names[row] = b.name
		most = max(most, b.value)
		p, err := plotter.NewBarChart(plotter.Values{b.value}, 16)
		if err != nil {
			return err
		}
		p.Horizontal, p.XMin, p.LineStyle.Width = true, float64(row), 0
		p.Color = blue
		if b.ours {
			p.Color = vermillion
		}
		c.plot.Add(p)
		labels.XYs[i] = plotter.XY{X: b.value, Y: float64(row)}
		labels.Labels[i] = strings.TrimSuffix(fmt.Sprintf("%.1f", b.value), ".0")
	}
	l, err := plotter.NewLabels(labels)
	if err != nil {
		return err
	}
	for i := range l.TextStyle {
		l.TextStyle[i] = c.tick
		l.TextStyle[i].XAlign, l.TextStyle[i].YAlign = draw.XLeft, draw.YCenter
	}
	l.Offset.X = 4
	c.plot.Add(l)
	c.plot.NominalY(names...)
	c.plot.X.Min, c.plot.X.Max = 0, most*1.12
	return nil
}
