package usage

import (
	"strconv"

	"github.com/a-h/templ"

	"bailiwick/views/ui"
)

// The picture's own measures; the style sheet stretches it to the card.
const (
	chartWidth  = 1000.0
	chartHeight = 200.0
	hairline    = 1.5 // of a period without calls, so that its place can be seen
)

// slot is the whole height of a column, which can be pointed at.
func slot(c Chart, i int) templ.Attributes {
	width := chartWidth / float64(len(c.Columns))
	return rect(float64(i)*width, 0, width, chartHeight)
}

// piece is where one part of a column stands, upon those before it.
func piece(c Chart, i, part int) templ.Attributes {
	width := chartWidth / float64(len(c.Columns))
	bar := min(width*0.7, 44)
	below := int64(0)
	for _, p := range c.Columns[i].Parts[:part] {
		below += p.Value
	}
	scale := chartHeight / float64(max(c.Top, 1))
	height := float64(c.Columns[i].Parts[part].Value) * scale
	return rect(float64(i)*width+(width-bar)/2, chartHeight-float64(below)*scale-height, bar, height)
}

// foot is the line under a column in which there is nothing.
func foot(c Chart, i int) templ.Attributes {
	width := chartWidth / float64(len(c.Columns))
	bar := min(width*0.7, 44)
	return rect(float64(i)*width+(width-bar)/2, chartHeight-hairline, bar, hairline)
}

func rect(x, y, width, height float64) templ.Attributes {
	return templ.Attributes{"x": number(x), "y": number(y), "width": number(width), "height": number(height)}
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

func empty(c Column) bool {
	for _, p := range c.Parts {
		if p.Value > 0 {
			return false
		}
	}
	return true
}

// told is what pointing at a column says.
func told(c Chart, i int) string {
	col := c.Columns[i]
	text := col.Label + ": " + col.Text + " " + c.Unit
	for n, p := range col.Parts {
		if p.Value > 0 && len(c.Legend) > 1 {
			text += "\n" + c.Legend[n].Label + ": " + p.Text
		}
	}
	return text
}

// summary is what the picture says to those who do not see it.
func summary(c Chart) string {
	text := c.Title + ", " + c.Columns[0].Label + " to " + c.Columns[len(c.Columns)-1].Label + ". The figures are in the table below."
	return text
}

// tint is the colour of a part of the legend.
func tint(c Chart, part int) string {
	if part >= len(c.Legend) || c.Legend[part].Rest {
		return "p-rest"
	}
	return "p" + strconv.Itoa(part)
}

// marks are the columns whose labels stand under the picture.
func marks(c Chart) []Column {
	n := len(c.Columns)
	if n <= 2 {
		return c.Columns
	}
	if n < 8 {
		return []Column{c.Columns[0], c.Columns[n/2], c.Columns[n-1]}
	}
	return []Column{c.Columns[0], c.Columns[n/4], c.Columns[n/2], c.Columns[n*3/4], c.Columns[n-1]}
}

func share(l Line) string { return strconv.FormatFloat(float64(l.Share)/10, 'f', 1, 64) }

func statusTone(status int) ui.Tone {
	switch {
	case status < 300:
		return ui.Good
	case status < 500:
		return ui.Warn
	default:
		return ui.Bad
	}
}

func nothing(p ReportProps) ui.Empty {
	if p.Cleared != "" {
		return ui.Empty{Icon: "search", Title: "Nothing found", Text: "No call of this time fits the filters."}
	}
	return ui.Empty{Icon: "bars", Title: "No calls yet", Text: "Calls show here as soon as a program uses an API key."}
}
