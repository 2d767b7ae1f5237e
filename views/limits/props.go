// Package limits shows how often and how much models may be called, by one
// workspace or by all workspaces of the account together, and how much of that
// is in use.
package limits

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page, of one workspace or of the account.
type IndexProps struct {
	Chrome layout.Chrome
	Title  string
	Intro  string
	List   ListProps
}

// ListProps fills the table of models.
type ListProps struct {
	URL      string
	Search   string
	ClearURL string // without a search; empty: nothing to clear
	Beside   string // heads the column with the limit at the other level: "Account limit"
	None     string // what a limit that is not set means: "Shares the account's"
	Rows     []Row
	Pager    ui.Pager
	Acts     bool // somebody may change something
}

// Row is one model.
type Row struct {
	Name     string
	ID       string
	Requests string // "60 in 60 s"; empty: not set
	Tokens   string
	SetBy    string // "Set by root@acme, 28 Nov 2026"
	Beside   []string
	Warn     string // what does not fit together
	Gauges   []Gauge
	Running  string // "3 calls running"; empty: none
	EditURL  string
	// Of a deployment, which has limits of its own.
	None      string // what one that is not set means
	DeployURL string // where they are changed
}

// Gauge is how much of one limit is in use.
type Gauge struct {
	Text    string // "12 of 60 requests"
	Percent int    // 0–100
	Tone    ui.Tone
}

// EditProps fills the dialog. It posts "requests", "request_period", "tokens",
// "token_period" and "version"; an empty figure is no limit.
type EditProps struct {
	Action             string
	CancelURL          string
	Title              string // "Limit of Qwen-Plus"
	Sub                string // whose
	Lines              []string
	Requests           string
	RequestsError      string
	RequestPeriods     []ui.Option
	RequestPeriodError string
	Tokens             string
	TokensError        string
	TokenPeriods       []ui.Option
	TokenPeriodError   string
	Hint               string // what empty means
	Version            string
	Notice             *ui.Notice
}

// wrong reports whether a field is not as it should be; the cursor goes there.
func (p EditProps) wrong() bool {
	return p.RequestsError != "" || p.RequestPeriodError != "" || p.TokensError != "" || p.TokenPeriodError != ""
}

// ChangedProps answers the dialog when it has done its work.
type ChangedProps struct {
	List  ListProps
	Toast string
}
