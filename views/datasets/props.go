// Package datasets shows the training files of a workspace.
package datasets

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the list.
type IndexProps struct {
	Chrome    layout.Chrome
	Workspace string
	Room      string // "3 of 100 files, 12.0 MB of 5.0 GB"
	NewURL    string // empty: may look, not change
	SampleURL string // downloads the sample
	UseURL    string // posts: keeps the sample; empty: may not
	List      ListProps
}

// ListProps fills the table, which searching, sorting and paging replace.
type ListProps struct {
	URL      string
	Search   string
	Methods  []ui.Option
	ClearURL string // shows every dataset; empty: nothing is filtered
	Rows     []Row
	Name     ui.Sort
	Size     ui.Sort
	Changed  ui.Sort
	Pager    ui.Pager
}

// Row is one dataset.
type Row struct {
	ID        string
	Name      string
	File      string // the id of the latest version
	Method    string // "SFT"
	Version   string // "V3"
	Examples  string
	Size      string // of all versions
	Warnings  string // of the latest version; empty: none
	Changed   ui.Time
	Creator   string
	URL       string
	DeleteURL string
}

// UploadProps fills the form that uploads a file. Posts "name", "description",
// "method" and "file", in this order; for a further version "file" alone.
type UploadProps struct {
	Chrome           layout.Chrome
	Title            string
	Intro            string
	Action           string
	BackURL          string
	Further          bool // of a dataset that is there
	Name             string
	NameError        string
	Description      string
	DescriptionError string
	Methods          []ui.Choice
	FileError        string
	FileHint         string
	Most             string // bytes of one file, for the browser to refuse more at once
	MostText         string // "300 MB"
	Report           *ReportProps
	ReportURL        string // downloads the report of a refused file: the file is in the address
	Notice           *ui.Notice
}

// PageProps fills the page of a dataset, with one of its versions in detail.
type PageProps struct {
	Chrome      layout.Chrome
	Name        string
	Description string
	BackURL     string
	UploadURL   string // empty: may not
	RenameURL   string
	DeleteURL   string
	Method      string
	Versions    []Version
	Shown       Version
	Facts       []Fact
	Report      ReportProps
	ReportURL   string
	Examples    []Example
	Pager       ui.Pager
}

// RenameProps is the dialog that gives a dataset other words. It posts "name",
// "description", and as "seen_name" and "seen_description" those it replaces.
type RenameProps struct {
	Action          string
	CancelURL       string
	SeenName        string
	SeenDescription string
	Name            ui.Field
	Description     ui.Field
	Notice          *ui.Notice
}

// Version is one row of the versions.
type Version struct {
	Label      string // "V3"
	ID         string
	FileName   string
	Examples   string
	Size       string
	Created    ui.Time
	Creator    string
	URL        string
	ContentURL string
	DeleteURL  string
	Shown      bool
}

// Fact is one line about a version.
type Fact struct {
	Name string
	Text string
	Copy bool
}

// ReportProps are what was found in a file.
type ReportProps struct {
	Valid   bool
	Summary string // "160 examples, no problems."
	Items   []Item
	More    string // how much is not shown; empty: nothing
	Counts  []Count
}

// Item is one thing that was found.
type Item struct {
	Line    string
	Path    string
	Warning bool
	Code    string
	Message string
	Hint    string
}

// Count is how often one thing was found.
type Count struct {
	Code string
	N    string
}

// Example is one example of the preview.
type Example struct {
	Line string
	Says []Said
}

// Said is one message of it.
type Said struct {
	Role string // "user", "assistant", …
	Head string // "User", "Assistant, preferred"
	Text string
}
