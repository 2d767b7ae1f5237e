// Package authorizations shows who may do what with which model: models by
// workspaces.
package authorizations

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page.
type IndexProps struct {
	Chrome layout.Chrome
	Matrix MatrixProps
}

// MatrixProps fills the table: what searching and paging replace. The form
// sends "q".
type MatrixProps struct {
	URL      string
	Search   string
	ClearURL string // without search; empty: nothing to clear
	Places   []Place
	Rows     []Row
	Pager    ui.Pager // of the models
	Across   ui.Pager // of the workspaces
}

// Place is a column: a workspace.
type Place struct {
	ID      string
	Name    string
	URL     string
	Default bool
	All     bool   // authorized to call every model
	AllURL  string // asks before that is changed; empty: it cannot be
}

// Row is one model.
type Row struct {
	ID       string
	Name     string
	URL      string // its panel
	Cells    []Cell // one for each place
	Subjects []Subject
}

// Cell is what one workspace may do with one model.
type Cell struct {
	Words string // for assistive technology: "Marketing: Model Calling authorized"
	Marks []Mark
}

// Mark is one capability in a cell.
type Mark struct {
	Letter string // "C"
	State  State
}

// State is what a workspace may do.
type State string

// The states.
const (
	Held   State = "held"
	All    State = "all" // held because every model may be called
	Absent State = "absent"
	Never  State = "never" // the model does not offer it
)

// Subject is one capability of a model, whose dialog can be opened.
type Subject struct {
	ID    string
	Label string // "Calling"
	Name  string // "Authorize Model Calling of Qwen-Turbo"
	URL   string
}

// AllProps fills the dialog that authorizes a workspace to call every model, or
// ends that. It posts "open" ("yes" or "no").
type AllProps struct {
	Workspace string
	Open      bool // what it will be
	Text      string
	Stops     []string
	Action    string
	CancelURL string
}

// ChangedProps answers a dialog that has done its work.
type ChangedProps struct {
	Matrix MatrixProps
	Toast  string
}
