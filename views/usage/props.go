// Package usage shows what calls consumed: sums, a picture, a table of what
// they are told apart by, and every call.
package usage

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the usage page of a workspace or of the account.
type IndexProps struct {
	Chrome layout.Chrome
	Of     string // "Marketing" or "all workspaces"
	Filter FilterProps
	Report ReportProps
}

// FilterProps fills the bar above the report. The form sends "period", "from",
// "to", "by", "show" and "status", and again what is chosen otherwise.
type FilterProps struct {
	URL      string
	Periods  []ui.Option
	From, To string      // yyyy-mm-dd, used with the last period
	Bys      []ui.Option // what sums are told apart by
	Shows    []ui.Option // what the picture shows
	Statuses []ui.Option
	Kept     []Kept
}

// Kept is a filter that the form carries on.
type Kept struct{ Name, Value string }

// ReportProps fills what the filters replace.
type ReportProps struct {
	URL       string
	Notice    *ui.Notice // instead of everything below
	Span      string     // "21–27 Nov 2026, UTC"
	Chips     []Chip
	Sums      []Sum
	Chart     Chart
	Lines     LinesProps
	Calls     CallsProps
	Beside    []Beside // what deployments and trainings consumed
	BesideAll bool     // of several workspaces
	Cleared   string   // the address without filters; empty: nothing to clear
}

// Chip is one filter that is on.
type Chip struct {
	Label string // "Model"
	Value string // "qwen-turbo"
	URL   string // without it
}

// Sum is one figure at the top.
type Sum struct {
	Label  string // "Calls"
	Value  string // "12,904"
	Note   string // "31 refused or failed"
	Change string // "+12 % against 14–20 Nov"; empty: nothing to compare with
}

// Chart is a stack of parts for each period.
type Chart struct {
	Title   string // "Tokens by model"
	Unit    string // "tokens"
	Top     int64  // the value at the upper edge; 0: nothing to show
	Ticks   []string
	Legend  []Legend
	Columns []Column
}

// Legend names one part, in the order of the stack from below.
type Legend struct {
	Label string
	Text  string // its sum
	Rest  bool   // all others
}

// Column is one period.
type Column struct {
	Label string // "20 Nov"
	Text  string // "12,904"
	Parts []Part
}

// Part is one of the legend's, in one period.
type Part struct {
	Value int64
	Text  string
}

// LinesProps fills the table of sums.
type LinesProps struct {
	Title string // "By model"
	Head  string // "Model"
	Rows  []Line
	More  int    // how many are left out
	CSV   string // address of all of them as a file
}

// Line is the sum of one thing.
type Line struct {
	Label  string
	Code   string // an id to show beside it
	URL    string // of the report on it alone; empty: there is none
	Calls  string
	Failed string
	In     string
	Out    string
	Total  string
	Cost   string
	Share  int // of all tokens, or calls where there are none, in thousandths
	Part   int // its place in the legend; beyond: all others
}

// CallsProps fills the table of calls.
type CallsProps struct {
	Rows       []Call
	Pager      ui.Pager
	Workspaces bool // a column says where a call belongs
	CSV        string
}

// Call is one request at the gateway.
type Call struct {
	Time      ui.Time
	URL       string // of its details
	RequestID string
	Workspace string
	Key       string // description or id; empty: the console's own
	Model     string
	In        string // tokens; empty: none were consumed
	Out       string
	Cost      string
	Source    string // where the figures came from: "provider", "estimated"
	Status    int
	Code      string // of a refusal: "Model.AccessDenied"
	Duration  string // "1.24 s"
}

// PanelProps fills the drawer of one call.
type PanelProps struct {
	URL       string
	BackURL   string
	RequestID string
	Status    int
	Code      string
	Estimated bool
	Facts     []Fact
}

// Fact is one line about a call.
type Fact struct {
	Label string
	Text  string
	ID    bool // has a copy button
}

// Beside is what was consumed beside calls.
type Beside struct {
	What      string // "Deployment" or "Training"
	Workspace string
	Model     string
	Base      string
	Quantity  string // "1.5 replica hours"
	Cost      string // empty: there is no price
}
