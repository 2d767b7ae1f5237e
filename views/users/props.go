// Package users is the page RAM Users: who may log on under the account.
package users

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page.
type IndexProps struct {
	Chrome    layout.Chrome
	Alias     string // "acme"
	CreateURL string
	ImportURL string
	List      ListProps
}

// ListProps fills the table.
type ListProps struct {
	URL      string
	Search   string
	States   []ui.Option
	ClearURL string // shows everybody again; empty: nothing is narrowed
	Rows     []Row
	Pager    ui.Pager
}

// Row is one RAM user.
type Row struct {
	ID         string
	Name       string
	LogOn      string // "alice@acme"
	Email      string
	State      string // "Active"
	Tone       ui.Tone
	Super      bool
	Workspaces int
	Keys       int
	LastLogOn  ui.Time
	ViewURL    string
}

// PanelProps fills the panel of one RAM user.
type PanelProps struct {
	URL     string
	BackURL string
	Name    string
	LogOn   string
	Body    BodyProps
}

// BodyProps is the panel inside its frame. An empty URL is something that may
// not be done to this person, by this person or now.
type BodyProps struct {
	ID         string
	Email      string
	State      string
	Tone       ui.Tone
	Link       string // "A log-on link is out until …"; empty: none is
	Super      bool
	Self       bool // it is who looks
	Created    ui.Time
	LastLogOn  ui.Time
	Keys       int
	Seats      []Seat
	EditURL    string
	ResetURL   string
	EndURL     string // posted to
	PromoteURL string
	DemoteURL  string
	DisableURL string
	EnableURL  string // posted to
	DeleteURL  string
}

// Seat is what the person is in one workspace.
type Seat struct {
	Workspace string
	URL       string // of its Members page
	Role      string // "Administrator"
	May       []string
}

// CreateProps fills the dialog that makes a RAM user, or keeps what was typed.
type CreateProps struct {
	Action     string
	CancelURL  string
	Alias      string
	LogOn      string
	LogOnError string
	Name       string
	NameError  string
	Email      string
	EmailError string
	Way        string // "link" or "password"
	Notice     *ui.Notice
}

// EditProps fills the dialog that changes what is known of a person.
type EditProps struct {
	Action     string
	CancelURL  string
	LogOn      string
	Name       string
	NameError  string
	Email      string
	EmailError string
	Version    string
	Notice     *ui.Notice
}

// ResetProps fills the dialog that gives a new way in.
type ResetProps struct {
	Action    string
	CancelURL string
	Name      string
	Way       string
	Stops     []string
}

// WayInProps shows the way in, this once: a link or a password.
type WayInProps struct {
	Title    string // "RAM user created"
	Name     string
	LogOn    string
	LogOnURL string // where a password is used
	Link     string
	Until    ui.Time // when the link ends
	Password string
	DoneURL  string
	Changed  *ChangedProps // what differs on the page now
}

// ChangedProps answers a dialog or button that has done its work.
type ChangedProps struct {
	List  ListProps
	Body  *BodyProps // nil: the panel is not open
	Toast string
}

// ImportProps fills the page that brings people from a file. Without a report
// nothing was tried yet.
type ImportProps struct {
	Chrome  layout.Chrome
	Action  string
	BackURL string
	Text    string
	Max     int
	Error   string
	Notice  *ui.Notice
	Report  []Line
	Good    int  // lines that can be added
	Well    bool // every line is
}

// Line is what a dry run says of one line.
type Line struct {
	Number int
	LogOn  string
	Name   string
	Email  string
	Error  string // empty: it can be added
}

// ImportedProps shows the links of those who were added, this once.
type ImportedProps struct {
	Chrome  layout.Chrome
	BackURL string
	Until   ui.Time
	All     string // every line to copy at once
	Rows    []Added
}

// Added is one of them.
type Added struct {
	LogOn string
	Name  string
	Link  string
}
