// Package keys shows the API keys of one workspace or of the whole account,
// and the dialogs that make, disable and delete them.
package keys

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the list of keys.
type IndexProps struct {
	Chrome    layout.Chrome
	Workspace string // its name; empty on the page of the whole account
	CreateURL string // empty: may not create here
	CreateOff string // why the button is off
	List      ListProps
}

// ListProps fills the table alone: what searching, sorting and paging replace.
type ListProps struct {
	URL        string // the search form sends "q" to it
	Search     string
	Workspaces bool // with a column for the workspace
	Created    ui.Sort
	LastUsed   ui.Sort
	Rows       []Row
	Pager      ui.Pager
}

// Row is one key, without its secret.
type Row struct {
	Description  string
	Masked       string // "sk-ws-Ab3…x9Qk"
	ID           string
	Workspace    string
	WorkspaceURL string
	Creator      string
	Created      ui.Time
	LastUsed     ui.Time // empty text: never
	State        string  // "Enabled", "Disabled", "Expired"
	Tone         ui.Tone
	EnableURL    string // posted to
	DisableURL   string // opens a confirmation
	DeleteURL    string // opens a confirmation
}

// CreateProps fills the dialog that makes a key. Posts "description".
type CreateProps struct {
	Action           string
	CancelURL        string
	Workspace        string
	Description      string
	DescriptionError string
	Notice           *ui.Notice
}

// CreatedProps shows the secret, this once.
type CreatedProps struct {
	Secret      string
	Description string
	Workspace   string
	WorkspaceID string // empty where the person may not see it
	BaseURLs    []layout.BaseURL
	Curl        string
	DoneURL     string     // the list, to which closing leads
	List        *ListProps // with it the list behind the dialog is replaced as well
}

// ChangedProps answers a dialog or button that has done its work.
type ChangedProps struct {
	List  ListProps
	Toast string
}
