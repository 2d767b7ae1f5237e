package trainings

import (
	"fmt"
	"strconv"
	"strings"

	"bailiwick/views/ui"
)

func intro(p IndexProps) string {
	return "Jobs that teach a model with the data of " + p.Workspace + ". What comes of them is this workspace's alone."
}

func empty(p ListProps) ui.Empty {
	if p.ClearURL != "" {
		return ui.Empty{Icon: "search", Title: "No training matches", Text: "Search for something else, or show them all."}
	}
	return ui.Empty{Icon: "cube", Title: "Nothing was trained yet", Text: "Upload examples under Datasets, then create a training task: it takes less than a minute with the sample."}
}

// line gives the points of a curve in a picture of 1000 by 200.
func line(c Curve) string {
	if len(c.Points) == 0 {
		return ""
	}
	first, last := c.Points[0].Step, c.Points[len(c.Points)-1].Step
	var b strings.Builder
	for i, p := range c.Points {
		if i > 0 {
			b.WriteByte(' ')
		}
		x := 500.0
		if last > first {
			x = float64(p.Step-first) / float64(last-first) * 1000
		}
		b.WriteString(strconv.FormatFloat(x, 'f', 1, 64) + "," + strconv.FormatFloat(height(c, p), 'f', 1, 64))
	}
	return b.String()
}

func height(c Curve, p Point) float64 {
	if c.Top <= c.Bottom {
		return 100
	}
	return 200 - (p.Value-c.Bottom)/(c.Top-c.Bottom)*200
}

func summary(c Curve) string {
	n := len(c.Points)
	return fmt.Sprintf("%s, from %s at step %d to %s at step %d", c.Title, c.Points[0].Text, c.Points[0].Step, c.Points[n-1].Text, c.Points[n-1].Step)
}

// dot is where the newest value stands.
func dot(c Curve) (x, y string) {
	pair := line(c)
	if i := strings.LastIndexByte(pair, ' '); i >= 0 {
		pair = pair[i+1:]
	}
	x, y, _ = strings.Cut(pair, ",")
	return x, y
}
