// Package providers shows the places where models run: the list, the form of
// one, its test, what it serves, and what can be imported from it.
package providers

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the list of providers.
type IndexProps struct {
	Chrome layout.Chrome
	AddURL string
	Offers []Offer // found at first start
	List   ListProps
}

// ListProps fills the table alone.
type ListProps struct {
	URL    string // the search form sends "q" to it
	Search string
	Name   ui.Sort
	Rows   []Row
	Pager  ui.Pager
}

// Row is one provider.
type Row struct {
	Name      string
	Kind      string   // "Embedded", "OpenAI protocol"
	Can       []string // "Answers calls", "Trains SFT (LoRA)", "Deploys GGUF files"
	BaseURL   string   // empty: has none
	Models    int      // how many it serves
	Health    string   // "Reachable", "Failing", "Not tested"
	Tone      ui.Tone
	Tested    string // "2 minutes ago"; empty: never
	Calls     string // what calls found in the last minutes; empty: there were none
	TestURL   string // posted to
	EditURL   string
	ServedURL string
	ImportURL string
	DeleteURL string // opens a confirmation
}

// Offer is a provider that was found but not yet made.
type Offer struct {
	Name       string // "Ollama on this machine"
	Text       string // "Answers at http://127.0.0.1:11434/v1"
	AcceptURL  string // posted to
	DismissURL string // posted to
}

// FormProps fills the page that makes or changes a provider. Posts "name",
// "kind", "base_url", "credential", "version".
type FormProps struct {
	Chrome          layout.Chrome
	New             bool
	Here            bool // it runs on this host: no address, no credential
	Action          string
	CancelURL       string
	TestURL         string // the same form is posted here by "Test connection"
	Name            string
	NameError       string
	Kinds           []ui.Option
	KindError       string
	BaseURL         string
	BaseURLError    string
	HasCredential   bool // one is kept; it is never shown
	CredentialError string
	Version         string
	Test            *TestProps
	Notice          *ui.Notice
}

// TestProps is the result of a connection test.
type TestProps struct {
	OK      bool
	Title   string   // "Connected in 84 ms"
	Text    string   // what was answered, or what to check
	Details []string // steps that were tried
}

// ServedProps fills the editor of what a provider serves. It posts, for every
// row, "model", "upstream", "order" and "weight" in the same order, then "version".
type ServedProps struct {
	Chrome    layout.Chrome
	Provider  string
	Action    string
	BackURL   string
	ImportURL string
	Version   string
	Rows      []Served
	Choices   []ui.Option // catalogue models that can be added
	Notice    *ui.Notice
}

// Served is one catalogue model and its name at the provider.
type Served struct {
	Model    string // id in the catalogue
	Name     string // "Qwen-Turbo"
	Upstream string
	Order    string // "1"
	Weight   string // "1"
	Error    string
}

// ImportProps fills the checklist of models that the provider offers. It posts
// "remote" for the chosen ones and "as:<remote>" with the catalogue model.
type ImportProps struct {
	Chrome   layout.Chrome
	Provider string
	Action   string
	BackURL  string
	Rows     []Remote
	Notice   *ui.Notice // for example: the provider could not be reached
}

// Remote is one model as the provider names it.
type Remote struct {
	ID      string
	Chosen  bool
	Served  bool        // already served: shown, not offered
	Choices []ui.Option // which catalogue model it becomes
	Error   string
}

// ChangedProps answers a dialog or button that has done its work.
type ChangedProps struct {
	Index IndexProps
	Toast string
}
