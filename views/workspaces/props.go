// Package workspaces shows Workspace Management, its dialogs, and the details
// of one workspace.
package workspaces

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills Workspace Management.
type IndexProps struct {
	Chrome layout.Chrome
	AddURL string // empty: the person may not add, or the limit is reached
	AddOff string // why the button is off: "All 10 workspaces are in use. …"
	Used   string // "3 of 10 used"
	List   ListProps
}

// ListProps fills the table alone: what searching, sorting and paging replace.
type ListProps struct {
	URL     string // of the list; the search form sends "q" to it
	Search  string
	Name    ui.Sort
	Created ui.Sort
	Rows    []Row
	Pager   ui.Pager
}

// Row is one workspace.
type Row struct {
	Name           string
	Default        bool
	ID             string   // empty where the person may not see it
	Administrators []string // display names
	Created        ui.Time
	EnterURL       string
	EditURL        string
	DeleteURL      string
}

// AddProps fills the dialog that makes a workspace. Posts "name".
type AddProps struct {
	Action    string
	CancelURL string
	Name      string
	NameError string
	Notice    *ui.Notice // for example: the last place was taken meanwhile
}

// EditProps fills the dialog that renames a workspace. Posts "name", "version".
type EditProps struct {
	Action    string
	CancelURL string
	ID        string
	Current   string // the name as kept now
	Name      string // what was typed, kept
	NameError string
	Version   string
	Conflict  *Conflict
}

// Conflict says that somebody else was faster.
type Conflict struct {
	By   string // "alice@acme"; empty when unknown
	When string // "a minute ago"
	Now  string // the name as it is now
}

// DeleteProps fills the dialog that deletes a workspace, or says why it cannot
// go yet. Posts "version".
type DeleteProps struct {
	Name      string
	CancelURL string
	Refusal   string      // why it cannot go: "A workspace can be deleted once nothing is left in it."
	Remains   []ui.Remain // what is left in it; filled only with a refusal
	Action    string      // empty with a refusal
	Stops     []string    // what will stop working
	Version   string
	Notice    *ui.Notice
}

// ChangedProps answers a dialog that has done its work: the page and the
// navigation are replaced, the dialog closes, the message is said.
type ChangedProps struct {
	Index IndexProps
	Toast string
}

// DetailsProps fills the full page of Workspace Details.
type DetailsProps struct {
	Chrome    layout.Chrome
	Workspace layout.Workspace
}
