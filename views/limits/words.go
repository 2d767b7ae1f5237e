package limits

import (
	"strconv"

	"github.com/a-h/templ"

	"bailiwick/views/ui"
)

// filled is the part of a gauge that is in use; whatever is in use can be seen.
func filled(g Gauge) templ.Attributes {
	width := min(100, max(0, g.Percent))
	if width > 0 {
		width = max(4, width)
	}
	return templ.Attributes{"width": strconv.Itoa(width)}
}

// noneOf is what a limit that is not set means in a row.
func noneOf(p ListProps, r Row) string {
	if r.None != "" {
		return r.None
	}
	return p.None
}

func empty(p ListProps) ui.Empty {
	if p.ClearURL != "" {
		return ui.Empty{Icon: "search", Title: "Nothing found", Text: "No model fits the search."}
	}
	return ui.Empty{Icon: "gauge", Title: "No model to limit", Text: "Models show here as soon as the workspace may call them."}
}
