// Package tuned shows the models that came of a workspace's trainings.
package tuned

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps is the page My Models.
type IndexProps struct {
	layout.Chrome
	Workspace string
	List      ListProps
}

// ListProps is the table and what stands around it.
type ListProps struct {
	URL, Search, ClearURL, TrainURL string
	Rows                            []Row
	Pager                           ui.Pager
}

// Row is one model.
type Row struct {
	ID, Name, Title, Base string
	Demo                  bool
	Method                string
	Size                  string
	Creator               string
	Created               ui.Time
	ViewURL, DeployURL    string
}

// PanelProps is one model.
type PanelProps struct {
	URL, BackURL        string
	Title, Name         string
	Demo                bool
	Notice              *ui.Notice
	Facts               []Fact
	Files               []File
	FilesNote           string
	DeployURL, TrainURL string
	RenameURL           string
	DeleteURL           string
}

// Fact is one thing that is known of a model.
type Fact struct {
	Name, Value, URL string
	Mono             bool
}

// File is one that can be downloaded.
type File struct{ Name, URL, About string }

// RenameProps is the dialog that gives a model another title.
type RenameProps struct {
	Action, CancelURL, Version, Name string
	Title                            ui.Field
	Notice                           *ui.Notice
}

func empty(p ListProps) ui.Empty {
	if p.ClearURL != "" {
		return ui.Empty{Icon: "search", Title: "No model matches", Text: "Search for something else, or show them all."}
	}
	return ui.Empty{Icon: "cube", Title: "No model of your own yet", Text: "A training that succeeds leaves its model here, for this workspace alone."}
}
