// Package audit is the page Audit, of the whole account or of one workspace:
// who did what, and whether the record of it is whole.
package audit

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page.
type IndexProps struct {
	Chrome    layout.Chrome
	Workspace string // empty: the whole account
	Filters   Filters
	Chain     ChainProps
	List      ListProps
}

// Filters fill the bar above the list, with what is chosen.
type Filters struct {
	URL     string
	Text    string
	Who     string
	Object  string
	Actions []ui.Option
	Results []ui.Option
	From    string // "2026-11-20"
	To      string
}

// ListProps fills the table.
type ListProps struct {
	ClearURL string // shows everything again; empty: nothing is narrowed
	CSVURL   string
	JSONURL  string
	Rows     []Row
	Pager    ui.Pager
	More     bool // older lines were not looked through yet
	Places   bool // lines may be of several workspaces
}

// Row is one line.
type Row struct {
	ID        string
	Time      ui.Time
	Who       string
	Kind      string // "RAM user"
	Summary   string
	Action    string
	Workspace string
	Result    string
	Tone      ui.Tone
	Address   string
	ViewURL   string
}

// ChainProps say how the chain stands.
type ChainProps struct {
	Tone      ui.Tone
	Text      string   // "Chain verified up to line 120 …"
	Proof     string   // "Lines up to 118 are proven by the head exported …"
	Findings  []string // what is wrong, the first few
	VerifyURL string   // empty: may not be asked for here
	PollURL   string   // asks again; empty: nothing is under way
}

// PanelProps fills the panel of one line.
type PanelProps struct {
	URL     string
	BackURL string
	Title   string // the summary
	Sub     string // the time
	Facts   []Fact
	Reason  string
	Changes []Change
	Notes   []Note
	Line    string // its number; empty: not told
	Hash    string
	Prev    string
	Link    string // its whole address
}

// Fact is one thing that is known of a line.
type Fact struct {
	Name string
	Text string
	Code string // an id, with a copy button
	URL  string // lines with the same
	Tone ui.Tone
	Mark bool // shown as a state
}

// Change is one field before and after.
type Change struct{ Field, Old, New string }

// Note is one more thing.
type Note struct{ Name, Text string }

// VerifiedProps answers the button that verifies.
type VerifiedProps struct {
	Chain ChainProps
	Toast string
}
