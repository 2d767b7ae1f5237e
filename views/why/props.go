// Package why shows why calls are allowed or refused.
package why

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page, of one workspace or of the account.
type IndexProps struct {
	Chrome    layout.Chrome
	Workspace string // its name; empty: the whole account
	Look      LookProps
	Question  QuestionProps
	Recent    RecentProps
}

// LookProps finds a refused call by its request id. The form sends "request".
type LookProps struct {
	URL     string
	Request string // what was typed, kept
	Error   string
	Past    *Past // nil: none was looked for, or none was found
}

// Past is a call that was refused.
type Past struct {
	RequestID string
	Title     string // "Refused: the workspace is not authorized"
	Facts     []Fact
	Cause     string // why, where not the policy refused it
	Lines     []Line
	Changes   []Change // let such a call through, where a limit refused it
	Now       *Verdict // what would be decided now; nil: see Unasked
	Unasked   string
}

// Fact is one line of what was asked.
type Fact struct {
	Label string
	Value string
	Mono  bool
}

// QuestionProps fills the form of a question, and its answer. It posts "key",
// "secret", "header", "path", "host", "model", "capability" and "address".
type QuestionProps struct {
	Action         string
	Key            string
	KeyError       string
	Keys           []ui.Option // known ones, to choose from
	SecretError    string      // a secret that was pasted is never shown again
	Header         string
	Path           string
	Host           string
	WorkspaceError string
	Model          string
	ModelError     string
	Models         []ui.Option
	Capabilities   []ui.Option
	Address        string
	AddressError   string
	Answer         *Verdict // nil: nothing was asked yet
}

// Verdict is what is decided, and why.
type Verdict struct {
	Allowed bool
	Title   string // "Allowed" or "Refused: …"
	Note    string // "Decided by version 42 of the policy, 20 Nov 2026, 14:05:00"
	Lines   []Line
	Changes []Change
	Bounds  []Bound // the limits that hold for an allowed call
}

// Bound is a limit that holds for a call.
type Bound struct {
	Title string // whose it is
	Text  string
	Set   string // who set it, and when; empty: nobody did
}

// Line is one check.
type Line struct {
	Title string
	State State
	Found string
	Set   string // who set it, and when
}

// State is what became of a check.
type State string

// The states.
const (
	Passed  State = "passed"
	Failed  State = "failed"
	Unasked State = "not asked"
)

// Change is one thing that would have to be different.
type Change struct {
	Text  string
	Who   string  // who can
	Then  string  // what it leads to
	Link  ui.Link // where it is done; empty: not by this person, or not here
	Flips bool
}

// RecentProps fills the table of the calls that were refused last.
type RecentProps struct {
	Rows       []Row
	Workspaces bool // shows the column, on the account's page
	Pager      ui.Pager
}

// Row is one refused call.
type Row struct {
	Time      ui.Time
	Key       string
	Workspace string
	Model     string
	Check     string // what refused it
	Status    string // "403 Model.AccessDenied"
	RequestID string
	URL       string // explains it
}

// AccessProps fills the page about what a person may do.
type AccessProps struct {
	Chrome  layout.Chrome
	Role    string
	May     []string // in the account
	Who     string   // who can grant more there
	Places  []Place
	Nowhere string // said where there are none
}

// Place is what a person may do in one workspace.
type Place struct {
	Name string
	URL  string
	Role string
	May  []string
	Who  string // who can grant more there
}
