// Package usage shows what calls consumed: sums, a picture, and every call.
package usage

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the usage page of a workspace.
type IndexProps struct {
	Chrome    layout.Chrome
	Workspace string // its name
	Report    ReportProps
}

// ReportProps fills what the filters replace. The form sends "period",
// "model", "key", "status".
type ReportProps struct {
	URL      string
	Periods  []ui.Option
	Models   []ui.Option // the first one means all
	Keys     []ui.Option // the first one means all
	Statuses []ui.Option // the first one means all
	Sums     []Sum
	Chart    Chart
	Calls    CallsProps
	ClearURL string // without filters; empty: nothing to clear
}

// Sum is one figure at the top.
type Sum struct {
	Label string // "Calls"
	Value string // "12,904"
	Note  string // "31 refused"
}

// Chart is one bar a day.
type Chart struct {
	Title string // "Tokens a day"
	Unit  string // "tokens"
	Bars  []Bar
}

// Bar is one day.
type Bar struct {
	Label string // "20 Nov"
	Value int64
	Text  string // "12,904"
}

// CallsProps fills the table of calls.
type CallsProps struct {
	Time  ui.Sort
	Rows  []Call
	Pager ui.Pager
}

// Call is one request at the gateway.
type Call struct {
	Time      ui.Time
	RequestID string
	Key       string // description or masked secret; empty: none was known
	Model     string
	Dialect   string // "OpenAI"
	In        string // tokens; empty: not counted
	Out       string
	Total     string
	Source    string // where the figures came from: "provider", "estimated"
	Status    int
	Code      string // of a refusal: "Model.AccessDenied"
	Duration  string // "1.24 s"
}
