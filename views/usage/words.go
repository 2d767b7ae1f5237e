package usage

import (
	"strconv"

	"github.com/a-h/templ"

	"bailiwick/views/ui"
)

// The chart's own measures; the style sheet stretches them to the card.
const (
	chartWidth  = 1000.0
	chartHeight = 160.0
)

// place is where a bar stands. Days without calls keep a hairline, so that
// their place can be seen and pointed at.
func place(c Chart, i int) templ.Attributes {
	slot := chartWidth / float64(len(c.Bars))
	width := min(slot*0.64, 48)
	height := 1.0
	if top := highest(c).Value; top > 0 && c.Bars[i].Value > 0 {
		height = max(3, float64(c.Bars[i].Value)/float64(top)*(chartHeight-8))
	}
	return templ.Attributes{
		"x":      number(float64(i)*slot + (slot-width)/2),
		"y":      number(chartHeight - height),
		"width":  number(width),
		"height": number(height),
	}
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func highest(c Chart) Bar {
	top := c.Bars[0]
	for _, b := range c.Bars {
		if b.Value > top.Value {
			top = b
		}
	}
	return top
}

func peak(c Chart) string {
	top := highest(c)
	if top.Value == 0 {
		return ""
	}
	return "most on " + top.Label + ": " + top.Text
}

func summary(c Chart) string {
	text := c.Title + ", " + c.Bars[0].Label + " to " + c.Bars[len(c.Bars)-1].Label
	if p := peak(c); p != "" {
		text += ", " + p
	}
	return text
}

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

func empty(p ReportProps) ui.Empty {
	if p.ClearURL != "" {
		return ui.Empty{Icon: "search", Title: "Nothing found", Text: "No call fits the filters."}
	}
	return ui.Empty{Icon: "bars", Title: "No calls yet", Text: "Calls show here as soon as a program uses an API key of this workspace."}
}
