// Package ui holds the small parts that the screens are made of: buttons,
// fields, dialogs, tables. Props are words, numbers and booleans; an empty URL
// means that the thing may not be done, and then it is not shown.
package ui

// Link is a word that leads somewhere.
type Link struct {
	Label string
	URL   string
}

// Tone colours a notice or a status; the zero value is quiet.
type Tone string

// The tones.
const (
	Quiet Tone = ""
	Info  Tone = "info"
	Good  Tone = "good"
	Warn  Tone = "warn"
	Bad   Tone = "bad"
)

// Notice tells about the page or the form it stands on.
type Notice struct {
	Tone  Tone
	Title string
	Text  string
	Items []string
	Links []Link
}

// Sort heads a column that can be sorted. With an empty URL it is plain text.
type Sort struct {
	URL       string // sorts by this column, or turns the order round
	Direction string // "ascending", "descending" or "" for not sorted by it
}

// Pager walks through a long list. An empty URL is an end of the list.
type Pager struct {
	PrevURL string
	NextURL string
	Summary string // "1–50" or "50 models"
}

// Option is one choice of a select.
type Option struct {
	Value    string
	Label    string
	Selected bool
}

// Time is a moment for people and, when given, for machines.
type Time struct {
	Text string // "20 Nov 2026, 14:05"
	ISO  string // "2026-11-20T14:05:00Z"
}

// Field is one labelled input of a form. The error takes the place of the hint.
type Field struct {
	Name         string // of the input; its id is derived from it
	Label        string
	Value        string
	Hint         string
	Error        string
	Type         string // "text" when empty
	Autocomplete string
	Placeholder  string
	List         string // id of a list of what can be chosen
	MaxLength    int
	Required     bool
	Focus        bool
	Mono         bool
	NoSpell      bool
}

// Choice is one of a few ways to do something.
type Choice struct {
	Value  string
	Label  string
	Hint   string // what it means
	Chosen bool
}

// Remain is something that is still there and keeps another thing from going.
type Remain struct {
	Text string // "2 API keys"
	URL  string
}

// Confirm asks before a harmful act.
type Confirm struct {
	Title     string
	Text      string
	Stops     []string // what will stop working
	Action    string   // the form posts here
	Button    string   // "Delete"
	CancelURL string
	Version   string // posted as "version" when given
	Tone      Tone   // Bad makes the button red
	Notice    *Notice
}

// Button is a button that fetches a dialog: over the page where scripts run,
// as a page of its own where they do not.
type Button struct {
	ID    string
	Label string
	Name  string // for assistive technology, where the label alone is not enough
	About string // id of the element that says what the button is about
	Icon  string
	URL   string
	Off   string // id of the element that says why the button is off
	Kind  Kind
}

// Kind is how a button looks.
type Kind string

// The kinds.
const (
	Plain   Kind = ""
	Primary Kind = "primary"
	Danger  Kind = "danger"
	Ghost   Kind = "ghost"
	Small   Kind = "small" // in the rows of a table
)

// Frame describes a dialog or drawer.
type Frame struct {
	ID      string
	Title   string
	Sub     string // under the title
	BackURL string // where closing leads when the dialog was loaded as a page
	URL     string // its own address; closing it goes back in the history
	Wide    bool
}

// Search is the form above a list. Its children are further filters.
type Search struct {
	URL    string
	Value  string
	Label  string // "Search workspaces"
	Target string // id of the part that it replaces
}

// Empty says that a list has nothing to show, and what to do next.
type Empty struct {
	Icon  string
	Title string
	Text  string
}

// Passkey is a button that asks the browser for a passkey.
type Passkey struct {
	Act     string // "create" or "get"
	Name    string // of the field that takes the browser's answer
	Options string // JSON for the browser; empty: passkeys cannot be used here, and there is no button
	Label   string
	Kind    Kind
	Error   string
}

// Sample is a program that calls a model.
type Sample struct {
	Dialect  string // "OpenAI" or "DashScope"
	Language string // "curl", "Python" or "JavaScript"
	Code     string
}
