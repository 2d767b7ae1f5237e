// Package management shows the keys of the management API, and the API's
// document.
package management

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page.
type IndexProps struct {
	Chrome       layout.Chrome
	CreateURL    string // empty: may not
	ReferenceURL string
	DocumentURL  string
	BaseURL      string
	Curl         string // a first request
	List         ListProps
}

// ListProps fills the table alone.
type ListProps struct{ Rows []Row }

// Row is one admin key, without its secret.
type Row struct {
	Name      string
	Masked    string // "bw_admin_…x9Qk"
	ID        string
	Owner     string
	Networks  string  // empty: from everywhere
	LastUsed  ui.Time // empty text: never
	Expires   ui.Time
	State     string
	Tone      ui.Tone
	RevokeURL string // opens a confirmation
}

// CreateProps fills the dialog that makes a key. Posts "name", "days" and
// "networks".
type CreateProps struct {
	Action    string
	CancelURL string
	Owner     string
	Name      string
	NameError string
	Days      []ui.Option
	DaysError string
	Networks  ui.Field
	Notice    *ui.Notice
}

// CreatedProps shows the secret, this once.
type CreatedProps struct {
	Secret  string
	Name    string
	Owner   string
	Expires ui.Time
	Curl    string
	DoneURL string
	List    *ListProps // with it the list behind the dialog is replaced as well
}

// ChangedProps answers a dialog that has done its work.
type ChangedProps struct {
	List  ListProps
	Toast string
}

// ReferenceProps fills the page of the document.
type ReferenceProps struct {
	Chrome      layout.Chrome
	BackURL     string
	DocumentURL string
	About       []string // paragraphs
	Groups      []Group
	Schemas     []Schema
}

// Group is the operations about one noun.
type Group struct {
	ID         string
	Name       string
	Operations []Operation
}

// Operation is one line of the API.
type Operation struct {
	ID      string
	Method  string
	Path    string
	Summary string
	About   string
	Params  []Member
	Body    []Member // of what is sent
	Answers []Answer
	Curl    string
}

// Member is a parameter, or a member of a body.
type Member struct {
	Name string
	Kind string // "string", "array of string", "path"
	Must bool
	Text string
}

// Answer is one status with what it means.
type Answer struct {
	Status  string
	Text    string
	Schema  string // name of the schema; empty: no body
	Failure bool
}

// Schema is what is answered.
type Schema struct {
	Name    string
	Members []Member
}
