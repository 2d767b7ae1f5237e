// Package layout is the frame around every screen: head, navigation, top bar,
// and the places where dialogs and messages appear.
package layout

import (
	"github.com/a-h/templ"

	"bailiwick/views/ui"
)

// Chrome is all that the frame shows around a page.
type Chrome struct {
	Title        string // of the page; the browser's title adds the product's name
	Cloud        string // "Alibaba Cloud"
	HomeURL      string // where the brand mark leads
	Who          Who
	Workspace    *Workspace      // the current one; nil on account pages
	Workspaces   []WorkspaceLink // those the person may enter
	WorkspaceNav []NavItem       // Models, API Keys, Usage; empty without a workspace
	AccountNav   []NavItem       // the group "Manage … Account"; empty for those who may not
	Menu         AccountMenu
	Notice       *ui.Notice      // above the page's content
	Reminder     *Reminder       // of a second factor
	Toast        string          // said once after a redirect
	PlainHTTP    bool            // warns that the connection is not encrypted
	Overlay      templ.Component // a dialog or panel that is open over the page
	Assets       Assets
}

// Who is logged on, and as what.
type Who struct {
	Name  string // "Alice Doe", or the log-on name again
	LogOn string // "alice@acme"
	Role  string // "RAM user · administers Marketing"
}

// Workspace is the one that the person is in.
type Workspace struct {
	Name       string
	ID         string // empty where the person may not see it
	Default    bool
	DetailsURL string
	BaseURLs   []BaseURL
	Curl       string // a line that calls a model of this workspace
}

// BaseURL is an address that programs are given.
type BaseURL struct {
	Label string // "OpenAI"
	URL   string
}

// WorkspaceLink is one line of the workspace drop-down.
type WorkspaceLink struct {
	Name    string
	URL     string
	Default bool
	Current bool
}

// NavItem is one line of the navigation. With an empty URL it is left out.
type NavItem struct {
	Key     string // also chooses the icon: see the table in nav.templ
	Label   string
	URL     string
	Current bool
}

// AccountMenu leads to what belongs to the person and the account.
type AccountMenu struct {
	ManageURL   string // "Manage … Account"
	KeysURL     string // "API Keys"
	SecurityURL string // "Security"
	LogOffURL   string // posted to
}

// Reminder asks for a second factor, until that is put off.
type Reminder struct {
	URL    string
	OffURL string // posted to
}

// Assets are the addresses of what the page loads.
type Assets struct {
	Styles  []string // in the order of the cascade
	Theme   string   // runs before the first paint
	Scripts []string // run when the page is parsed
	HTMX    string   // empty: not installed, every link loads a page
	Font    string   // empty: the system's font
	Favicon string
	Sprite  string // the icons' markup, set into the page so that none flickers
}

// BareProps is the frame of pages without a person: log-on, set-up, faults.
type BareProps struct {
	Title     string
	PlainHTTP bool
	Assets    Assets
}
