// Package settings shows the settings of the account.
package settings

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page. Posts "require_workspace" ("on" or absent),
// "workspace_limit", "key_limit", "audit_days", "require_factor",
// "dataset_files", "dataset_megabytes", "dataset_file_megabytes" and "version".
type IndexProps struct {
	Chrome              layout.Chrome
	Action              string // empty: may look, not change
	RequireWorkspace    bool
	Limit               string // what was typed, kept
	LimitError          string
	LimitHint           string // "3 in use. The Default Workspace does not count."
	KeyLimit            string // of one workspace; what was typed, kept
	KeyLimitError       string
	Factor              []ui.Option // posted as "require_factor"
	AuditDays           string      // what was typed, kept
	AuditDaysError      string
	KeyCalls            string // at once; what was typed, kept
	KeyCallsError       string
	KeyCallsHint        string // what it means, and who set it
	WorkspaceCalls      string
	WorkspaceCallsError string
	WorkspaceCallsHint  string
	// Of training files, one workspace's; what was typed, kept.
	DatasetFiles              string
	DatasetFilesError         string
	DatasetMegabytes          string
	DatasetMegabytesError     string
	DatasetFileMegabytes      string
	DatasetFileMegabytesError string
	Version                   string
	Notice                    *ui.Notice
}

// ChangedProps answers the form when it has done its work.
type ChangedProps struct {
	Index IndexProps
	Toast string
}
