package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// At 96 dots per inch, a plot is 900 by 480 pixels.
const (
	plotWidth   vg.Length = 675
	plotHeight  vg.Length = 360
	legendWidth vg.Length = 190
	headHeight  vg.Length = 48
)

// chart is a plot under its title and what its y axis is, so that both are read first and without
// turning the head, and with its legend beside it, where that hides no data. The labels are
// not left to the plot, which loses its place for them where an axis is logarithmic.
type chart struct {
	plot              *plot.Plot
	title, x, y       string
	head, label, tick text.Style
	legend            plot.Legend
	hasKey            bool
}

func newChart(title, x, y string) *chart {
	sans := func(size font.Length) text.Style {
		return text.Style{
			Color: color.Black, Handler: plot.DefaultTextHandler,
			Font: font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size),
		}
	}
	c := &chart{plot: plot.New(), title: title, x: x, y: y, head: sans(15), label: sans(12), tick: sans(11), legend: plot.NewLegend()}
	p := c.plot
	p.BackgroundColor = color.White
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Tick.Label.Font = c.tick.Font
		a.Tick.Marker = linearTicks{}
	}
	c.legend.TextStyle.Font = c.tick.Font
	c.legend.Top, c.legend.Left = true, true
	c.legend.ThumbnailWidth, c.legend.Padding = 28, 5
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xdd}, color.Gray{0xdd}
	p.Add(grid)
	return c
}

// key adds to the legend.
func (c *chart) key(name string, t plot.Thumbnailer) {
	c.legend.Add(name, t)
	c.hasKey = true
}

func (c *chart) draw(canvas vg.CanvasSizer) {
	dc := draw.New(canvas)
	dc.SetColor(color.White)
	dc.Fill(dc.Rectangle.Path())
	dc.FillText(c.head, vg.Point{X: 12, Y: plotHeight - 22}, c.title)
	dc.FillText(c.label, vg.Point{X: 12, Y: plotHeight - 40}, c.y)
	right := vg.Length(22)
	if c.hasKey {
		right = legendWidth
		c.legend.Draw(draw.Crop(dc, plotWidth-legendWidth+14, 0, 0, -headHeight))
	}
	area := draw.Crop(dc, 8, -right, 26, -headHeight)
	c.plot.Draw(area)
	under := c.label
	under.XAlign = draw.XCenter
	data := c.plot.DataCanvas(area)
	dc.FillText(under, vg.Point{X: data.Center().X, Y: 10}, c.x)
}

// svg returns the chart's file. Liberation Sans has the measures of Arial and Helvetica, which
// readers without it are given, so that their text has the same width.
func (c *chart) svg() ([]byte, error) {
	canvas := vgsvg.New(plotWidth, plotHeight)
	c.draw(canvas)
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")), nil
}

func (c *chart) writePNG(dir, name string) error {
	canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(plotWidth, plotHeight), vgimg.UseDPI(96))}
	c.draw(canvas)
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".png"), b.Bytes(), 0o644)
}

// band shades a stretch of the x axis.
type band struct{ from, to float64 }

var bandColor = color.Gray{0xec}

func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	c.FillPolygon(bandColor, c.ClipPolygonX([]vg.Point{
		{X: x(b.from), Y: c.Min.Y}, {X: x(b.from), Y: c.Max.Y}, {X: x(b.to), Y: c.Max.Y}, {X: x(b.to), Y: c.Min.Y},
	}))
}

func (b band) Thumbnail(c *draw.Canvas) {
	c.SetColor(bandColor)
	c.Fill(c.Rectangle.Path())
}

// level is a line from side to side.
type level struct {
	y     float64
	style draw.LineStyle
}

func (l level) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	c.StrokeLine2(l.style, c.Min.X, y(l.y), c.Max.X, y(l.y))
}

func (l level) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	c.StrokeLine2(l.style, c.Min.X, y, c.Max.X, y)
}

// grouped writes a number with commas between thousands.
func grouped(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	if math.Abs(v) < 10 && v != math.Trunc(v) {
		s = fmt.Sprintf("%.2g", v)
	}
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0 && !strings.Contains(s, "."); i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// linearTicks are a handful of round numbers, without others between them.
type linearTicks struct{}

func (linearTicks) Ticks(min, max float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10(max-min)))
	for _, finer := range []float64{0.5, 0.4, 0.5} {
		if (max-min)/step >= 4 {
			break
		}
		step *= finer
	}
	var ticks []plot.Tick
	for i := math.Ceil(min / step); i*step <= max; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: grouped(i * step)})
	}
	return ticks
}

// logTicks label 1, 2 and 5 of each decade or, of more than three decades, 1.
type logTicks struct{}

func (logTicks) Ticks(min, max float64) []plot.Tick {
	var ticks []plot.Tick
	wide := max/min > 1000
	for decade := math.Floor(math.Log10(min)); decade <= math.Log10(max); decade++ {
		for digit := 1.0; digit < 10; digit++ {
			t := plot.Tick{Value: digit * math.Pow(10, decade)}
			if t.Value < min || t.Value > max {
				continue
			}
			if digit == 1 || !wide && (digit == 2 || digit == 5) {
				t.Label = grouped(t.Value)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}
