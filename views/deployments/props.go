// Package deployments shows the models that a workspace keeps ready for calls.
package deployments

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page.
type IndexProps struct {
	Chrome    layout.Chrome
	Workspace string
	List      ListProps
}

// ListProps fills the table, which searching, paging and time replace.
type ListProps struct {
	URL       string
	Search    string
	States    []ui.Option
	ClearURL  string // shows every deployment; empty: nothing is filtered
	DeployURL string // empty: may look, not change
	PollURL   string // empty: nothing is on its way
	Rows      []Row
	Pager     ui.Pager
}

// Row is one deployment.
type Row struct {
	ID       string
	Title    string
	Name     string // what callers write
	Model    string
	Demo     bool
	State    string
	Tone     ui.Tone
	Reason   string
	Capacity string // "1 of 2"
	Price    string
	Creator  string
	Created  ui.Time
	URL      string
	TalkURL  string // to the playground; empty: may not, or it is not up
}

// FormProps fills the form. Posts "model", "name", "suffix", "capacity",
// "rpm_limit" and "tpm_limit".
type FormProps struct {
	Chrome     layout.Chrome
	Workspace  string
	Action     string
	CancelURL  string
	Models     []ui.Option
	ModelError string
	Nothing    *ui.Notice // there is no model that could be put up
	Name       ui.Field
	Suffix     ui.Field
	Capacity   ui.Field
	Requests   ui.Field
	Tokens     ui.Field
	Notice     *ui.Notice
}

// PageProps fills the page of one deployment.
type PageProps struct {
	Chrome  layout.Chrome
	Title   string
	Name    string
	BackURL string
	Live    LiveProps
	Samples []ui.Sample
	Bases   []Base
}

// Base is an address that programs are given.
type Base struct {
	Dialect string
	URL     string
}

// LiveProps is what changes of it.
type LiveProps struct {
	PollURL   string // empty: it is settled
	State     string
	Tone      ui.Tone
	Demo      bool
	Reason    string
	Withdrawn string // why calls are refused although it is up; empty: they are not
	Facts     []Fact
	Moves     []Move
	TalkURL   string
	ScaleURL  string
	LimitURL  string
	StartURL  string // posts
	StartWord string // "Start" or "Try again"
	StopURL   string // opens a question
	DeleteURL string // opens a question
}

// Fact is one line about it.
type Fact struct {
	Name string
	Text string
	URL  string
	Copy bool
}

// Move is one line of its history.
type Move struct {
	At     ui.Time
	State  string
	Tone   ui.Tone
	Reason string
}

// ChangeProps fills the dialogs in which figures are changed.
type ChangeProps struct {
	Title     string
	Text      string
	Action    string
	CancelURL string
	Button    string
	Fields    []ui.Field
	Notice    *ui.Notice
}
