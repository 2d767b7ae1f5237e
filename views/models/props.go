// Package models shows the gallery, the panel of one model, and the dialogs
// that authorize workspaces to use it.
package models

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the gallery of one workspace.
type IndexProps struct {
	Chrome    layout.Chrome
	Workspace string // its name
	Own       []Own  // models that exist here alone
	List      ListProps
}

// Own is a deployment: a model of the workspace alone.
type Own struct {
	Name  string // for people
	ID    string // what callers write
	Base  string
	State string
	Tone  ui.Tone
	URL   string // empty: may not open its page
}

// ListProps fills the table alone: what searching, filtering, sorting and
// paging replace. The form sends "q", "vendor", "capability".
type ListProps struct {
	URL          string
	Search       string
	Vendors      []ui.Option // the first one means all
	Capabilities []ui.Option // the first one means all
	Name         ui.Sort
	Vendor       ui.Sort
	Context      ui.Sort
	Price        ui.Sort
	Rows         []Row
	Pager        ui.Pager
	ClearURL     string // the list without search and filter; empty: nothing to clear
}

// Row is one model.
type Row struct {
	Name      string // "Qwen-Turbo"
	ID        string // "qwen-turbo"
	Vendor    string
	Type      string // "Text", "Vision"
	Context   string // "128K"; empty: not given
	Price     string // "¥0.30 / ¥0.60"; empty: not given
	PriceUnit string // "per 1M tokens, in / out"
	Call      RightState
	Train     RightState
	Deploy    RightState
	ViewURL   string
	Unserved  bool // no provider serves it yet
}

// RightState is what a workspace may do with a model.
type RightState int

// The states. The zero value is a right that the model does not offer.
const (
	NotOffered RightState = iota
	NotAuthorized
	Authorized
)

// PanelProps fills the panel of one model.
type PanelProps struct {
	URL         string // its own
	BackURL     string // the gallery, to which closing leads
	Name        string
	ID          string
	Vendor      string
	Type        string
	Description string
	Tags        []string // features: "Function calling"
	Facts       []Fact   // context window, longest input, longest output, modalities
	Limits      []Fact   // requests and tokens a minute
	Prices      []PriceTier
	PricesURL   string // edits them; empty: for this person it does not
	Samples     []ui.Sample
	Rights      RightsProps
	Notice      *ui.Notice // for example: no provider serves this model yet
}

// Fact is one line of a description list.
type Fact struct {
	Label string
	Value string
	Note  string
}

// PriceTier is the price list for one range of input lengths.
type PriceTier struct {
	Range string // "Input ≤ 128K"; empty when there is one tier only
	Items []Fact // Label "Input", Value "¥0.30", Note "per 1M tokens"
}

// RightsProps fills the rows Model Calling, Model Training, Model Deployment.
type RightsProps struct {
	Default bool   // in the Default Workspace, which shows who is authorized
	Who     string // in a sub-workspace: who can change this
	Rows    []Right
}

// Right is one of these rows.
type Right struct {
	Capability   string // "Model Calling"
	State        RightState
	Note         string   // why it is not offered, or more about the state
	Authorized   []string // names of the sub-workspaces; in the Default Workspace
	AuthorizeURL string   // opens the dialog; empty: may not, or not offered
}

// AuthorizeProps fills the dialog "Model Calling authorization". It posts the
// wanted ids as "authorized", those the dialog began with as "was", and
// "version".
type AuthorizeProps struct {
	Capability string // "Model Calling"
	Model      string // "Qwen-Turbo"
	Action     string
	CancelURL  string // the model's panel
	Version    string
	Workspaces []Choice
	Every      []string // names of those who may call every model, whatever is chosen here
	EveryURL   string   // where that is ended
	Conflict   *Conflict
	Error      string
	AddURL     string // Workspace Management, offered when there is no sub-workspace
}

// Choice is one sub-workspace in the dialog.
type Choice struct {
	ID         string
	Name       string
	Authorized bool // on which side it stands: what was wanted, kept
	Was        bool // authorized in what is kept now
}

// Conflict says that somebody else changed the same list meanwhile.
type Conflict struct {
	By      string   // "alice@acme"; empty when unknown
	When    string   // "a minute ago"
	Granted []string // names authorized meanwhile
	Revoked []string // names revoked meanwhile
}

// AuthorizedProps answers the dialog when it has done its work.
type AuthorizedProps struct {
	Rights RightsProps
	Toast  string
}

// PricesProps fills the dialog of prices. It posts "prices", "currency" and "version".
type PricesProps struct {
	Action        string
	BackURL       string
	Name          string
	Text          string
	TextError     string
	Currencies    []ui.Option
	CurrencyError string
	Known         string // the units, and what is reckoned with
	Version       string
	Notice        *ui.Notice
}
