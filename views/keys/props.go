// Package keys shows the API keys of one workspace or of the whole account, the
// panel of one, and the dialogs that make, change and end them.
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
	URL        string // the search form sends "q" and "state" to it
	Search     string
	States     []ui.Option
	ClearURL   string // shows every key again; empty: nothing is narrowed
	Workspaces bool   // with a column for the workspace
	Created    ui.Sort
	LastUsed   ui.Sort
	Expires    ui.Sort
	Rows       []Row
	Pager      ui.Pager
}

// Row is one key, without its secret.
type Row struct {
	Description  string
	Masked       string // "sk-ws-…x9Qk"
	ID           string
	Workspace    string
	WorkspaceURL string
	Creator      string
	Created      ui.Time
	LastUsed     ui.Time // empty text: never
	Expires      ui.Time // empty text: never
	Narrowed     bool    // to some models or addresses
	State        string  // "Enabled"
	Tone         ui.Tone
	ViewURL      string // the panel
	EnableURL    string // posted to
	DisableURL   string // opens a confirmation
}

// PanelProps fills the panel of one key.
type PanelProps struct {
	URL     string
	BackURL string
	Title   string // the description, or that there is none
	Sub     string // the masked secret
	Body    BodyProps
}

// BodyProps is the panel inside its frame. An empty URL is something that may
// not be done by this person or now.
type BodyProps struct {
	ID         string
	State      string
	Tone       ui.Tone
	Why        string // the key does not work, or will not much longer; empty: nothing to say
	Workspace  string
	Masked     string
	Overlap    string // how long the secret before the last reset goes on; empty: it does not
	Creator    string
	Created    ui.Time
	LastUsed   ui.Time
	Expires    ui.Time
	Edited     string // "by alice@acme, 5 minutes ago"
	Models     []Model
	AllModels  bool
	Networks   []string // none: from everywhere
	EditURL    string
	ResetURL   string
	EnableURL  string // posted to
	DisableURL string
	DeleteURL  string
}

// Model is a model that a key is narrowed to, or may be.
type Model struct {
	ID     string
	Name   string
	Note   string // "Not authorized in this workspace"
	Chosen bool
}

// TermsProps are the fields that say what a key is for and what it may do.
// Posts "description", "scope", "only", "model", "networks", "expires" and "until".
type TermsProps struct {
	Description      string
	DescriptionError string
	Custom           bool
	OnlyModels       bool
	Models           []Model
	ModelsError      string
	Networks         string // one a line
	NetworksError    string
	Expiries         []ui.Option
	Until            string // a day, such as "2027-05-01"
	Today            string
	ExpiresError     string
}

// wrong reports whether a field is not as it should be; the cursor goes there.
func (p TermsProps) wrong() bool {
	return p.DescriptionError != "" || p.ModelsError != "" || p.NetworksError != "" || p.ExpiresError != ""
}

// CreateProps fills the dialog that makes a key.
type CreateProps struct {
	Action    string
	CancelURL string
	Workspace string
	Terms     TermsProps
	Notice    *ui.Notice
}

// EditProps fills the dialog that changes a key's terms.
type EditProps struct {
	Action    string
	CancelURL string
	Title     string // the masked secret
	Version   string
	Terms     TermsProps
	Notice    *ui.Notice
}

// ResetProps fills the dialog that gives a key a new secret. Posts "overlap".
type ResetProps struct {
	Action    string
	CancelURL string
	Version   string
	Overlaps  []ui.Option
	Error     string
	Stops     []string
	Notice    *ui.Notice
}

// CreatedProps shows the secret, this once.
type CreatedProps struct {
	Title       string // "API key created"
	Secret      string
	Description string
	Overlap     string // how long the old secret goes on; empty: nothing to say
	Workspace   string
	WorkspaceID string // empty where the person may not see it
	BaseURLs    []layout.BaseURL
	Curl        string
	DoneURL     string        // the list, to which closing leads
	Changed     *ChangedProps // what differs behind the dialog
}

// ChangedProps answers a dialog or button that has done its work.
type ChangedProps struct {
	List  ListProps
	Body  *BodyProps // nil: no panel is open
	Toast string
}
