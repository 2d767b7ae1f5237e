package web

import (
	"net/url"
	"slices"
	"strconv"

	"bailiwick/views/ui"
)

// pageSize is how many rows a page of a list has.
const pageSize = 50

// trailMax bounds the way back that an address carries.
const trailMax = 200

// after is the cursor that the previous page ended with.
func (l listed) after() string {
	trail := l.trail()
	if len(trail) == 0 {
		return ""
	}
	return trail[len(trail)-1]
}

// trail is the cursors of the pages that were walked through.
func (l listed) trail() []string {
	trail := l.values["after"]
	if len(trail) > trailMax {
		trail = trail[len(trail)-trailMax:]
	}
	return trail
}

// pager leads to the neighbours of a page that is found by a cursor.
func (l listed) pager(rows int, next string) ui.Pager {
	trail := l.trail()
	if len(trail) == 0 && next == "" {
		return ui.Pager{}
	}
	first := len(trail) * pageSize
	p := ui.Pager{Summary: strconv.Itoa(first+1) + "–" + strconv.Itoa(first+rows)}
	if rows == 0 {
		p.Summary = ""
	}
	if len(trail) > 0 {
		p.PrevURL = l.walked(trail[:len(trail)-1])
	}
	if next != "" {
		p.NextURL = l.walked(append(slices.Clone(trail), next))
	}
	return p
}

// shortPager is for lists where a page of a search may be short although more
// come, so that nobody knows which place a line has.
func (l listed) shortPager(rows int, next string) ui.Pager {
	p := l.pager(rows, next)
	if l.search() != "" && p.Summary != "" {
		p.Summary = counted(rows, "line") + " here"
	}
	return p
}

func (l listed) walked(trail []string) string {
	base := l.with()
	if len(trail) == 0 {
		return base
	}
	joint := "?"
	if base != l.url {
		joint = "&"
	}
	return base + joint + url.Values{"after": trail}.Encode()
}

// page is the number of a page of a list that is whole in memory.
func (l listed) page(rows int) int {
	n, err := strconv.Atoi(l.get("page"))
	last := max(0, rows-1) / pageSize
	if err != nil {
		return 0
	}
	return min(max(0, n-1), last)
}

// numbered leads to the neighbours of a page that is found by its number.
func (l listed) numbered(page, rows int, noun string) ui.Pager {
	if rows <= pageSize {
		return ui.Pager{Summary: counted(rows, noun)}
	}
	end := min(rows, (page+1)*pageSize)
	p := ui.Pager{Summary: strconv.Itoa(page*pageSize+1) + "–" + strconv.Itoa(end) + " of " + strconv.Itoa(rows)}
	if page > 0 {
		p.PrevURL = l.with("page", strconv.Itoa(page))
	}
	if end < rows {
		p.NextURL = l.with("page", strconv.Itoa(page+2))
	}
	return p
}

// sorted heads a column: the address sorts by it, or turns the order round.
func (l listed) sorted(column, standard string) ui.Sort {
	by := l.get("sort")
	if by == "" {
		by = standard
	}
	down := l.get("order") == "desc"
	switch {
	case by != column:
		return ui.Sort{URL: l.with("sort", column, "order", "")}
	case down:
		return ui.Sort{URL: l.with("sort", column, "order", ""), Direction: "descending"}
	}
	return ui.Sort{URL: l.with("sort", column, "order", "desc"), Direction: "ascending"}
}

// turned is the order that is not a column's usual one.
const turned = "turned"

// turning heads a column that has a usual order, descending where down is true:
// the address sorts by it, or turns the order round. The empty column is the
// list's usual one.
func (l listed) turning(column string, down bool) ui.Sort {
	ways := []string{"ascending", "descending"}
	if down {
		ways = []string{"descending", "ascending"}
	}
	switch {
	case l.get("sort") != column:
		return ui.Sort{URL: l.with("sort", column, "order", "")}
	case l.get("order") == turned:
		return ui.Sort{URL: l.with("order", ""), Direction: ways[1]}
	}
	return ui.Sort{URL: l.with("order", turned), Direction: ways[0]}
}
