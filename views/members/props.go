// Package members is the page Members: who belongs to a workspace, and what
// each may do there.
package members

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page.
type IndexProps struct {
	Chrome    layout.Chrome
	Workspace string
	AddURL    string
	Headless  *ui.Notice // nobody administers the workspace
	List      ListProps
}

// ListProps fills the table.
type ListProps struct {
	URL    string
	Search string
	Rows   []Row
	Pager  ui.Pager
}

// Row is one member.
type Row struct {
	ID        string
	Name      string
	LogOn     string // "alice@acme"
	Role      string // "Administrator"
	Pages     []string
	Every     bool   // has every page
	Mark      string // "Super administrator", "Disabled"
	ViewURL   string
	EditURL   string
	RemoveURL string
}

// PanelProps fills the panel of one member.
type PanelProps struct {
	URL     string
	BackURL string
	Name    string
	LogOn   string
	Body    BodyProps
}

// BodyProps is the panel inside its frame.
type BodyProps struct {
	Role      string
	Notice    *ui.Notice
	May       []string
	MayNot    []string // the pages that are not granted
	EditURL   string
	RemoveURL string
}

// AddProps fills the dialog that adds RAM users.
type AddProps struct {
	Action      string
	URL         string // its own, to search again
	CancelURL   string
	Workspace   string
	Candidates  CandidatesProps
	Permissions PermissionsProps
	Notice      *ui.Notice
}

// CandidatesProps are the RAM users who can be added, as far as a search found them.
type CandidatesProps struct {
	Search string
	Rows   []Candidate
	More   bool   // there may be others
	Error  string // nobody was chosen
}

// Candidate is one of them.
type Candidate struct {
	ID     string
	Name   string
	LogOn  string
	Chosen bool
}

// EditProps fills the dialog that changes role and pages of one member.
type EditProps struct {
	Action      string
	CancelURL   string
	Name        string
	Workspace   string
	Version     string
	Permissions PermissionsProps
	Alone       bool // asks to confirm that nobody administers the workspace
	Notice      *ui.Notice
}

// PermissionsProps are role and pages as they can be chosen.
type PermissionsProps struct {
	Administrator bool
	Tabs          []Tab
	Presets       []Preset
	Error         string
}

// Tab holds some pages.
type Tab struct {
	Title string
	Pages []Page
}

// Page is one that can be granted.
type Page struct {
	Value   string
	Title   string
	Allows  string
	Granted bool
}

// Preset ticks a set of pages.
type Preset struct {
	Name  string
	Pages string // their values with spaces between
}

// RemoveProps fills the dialog that takes a member out.
type RemoveProps struct {
	Action    string
	CancelURL string
	Name      string
	Workspace string
	Stops     []string
	Alone     bool // they are the last administrator
	Notice    *ui.Notice
}

// ChangedProps answers a dialog that has done its work.
type ChangedProps struct {
	List     ListProps
	Headless *ui.Notice
	Body     *BodyProps // nil: the panel is not open
	Toast    string
}
