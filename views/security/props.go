// Package security is the pages on which people look after their own password,
// second factors and sessions, and prove again who they are.
package security

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// Frame is what is around a page: the console or, for somebody who has to add a
// factor first, nothing.
type Frame struct {
	Chrome    layout.Chrome
	Bare      *layout.BareProps
	LogOffURL string // where there is no console around
}

// IndexProps fills the page.
type IndexProps struct {
	Frame       Frame
	Notice      *ui.Notice
	PasswordURL string
	App         AppProps
	Passkeys    []PasskeyRow
	AddURL      string // of a passkey; empty: they cannot be used here
	Trouble     string // why not
	TryURL      string // the same page at an address where they can
	Codes       string // "8 of 10 left"; empty: there is no factor
	CodesURL    string
	Sessions    []SessionRow
	EndAllURL   string // empty: there is only this one
}

// AppProps is the authenticator app.
type AppProps struct {
	Added     ui.Time // no text: there is none
	AddURL    string
	RemoveURL string
}

// PasskeyRow is one passkey.
type PasskeyRow struct {
	ID        string
	Name      string
	Added     ui.Time
	Used      ui.Time
	RemoveURL string
}

// SessionRow is a browser in which the person is logged on.
type SessionRow struct {
	ID      string
	Device  string
	Address string
	Began   ui.Time
	Seen    string
	This    bool
	EndURL  string
}

// AppFormProps fills the page that adds an authenticator app.
type AppFormProps struct {
	Frame     Frame
	Notice    *ui.Notice
	Picture   string // data: address of the QR code
	Seed      string // in groups of four
	Sealed    string // posted back as "offer"
	Action    string
	BackURL   string
	CodeError string
	Replaces  bool
}

// PasskeyFormProps fills the page that adds a passkey.
type PasskeyFormProps struct {
	Frame     Frame
	Notice    *ui.Notice
	Action    string
	BackURL   string
	Name      string
	NameError string
	Passkey   ui.Passkey
}

// AskCodesProps asks before new recovery codes are made.
type AskCodesProps struct {
	Frame   Frame
	Action  string
	BackURL string
}

// CodesProps shows recovery codes, once.
type CodesProps struct {
	Frame   Frame
	Title   string
	Codes   []string
	DoneURL string
}

// ProofProps asks somebody to prove again who they are.
type ProofProps struct {
	Frame         Frame
	Action        string
	LogOn         string
	BackURL       string
	Next          string      // where to go afterwards
	Again         string      // where to send what was typed again
	Kept          [][2]string // what was typed
	Notice        *ui.Notice
	WithCode      bool // a second factor is set up
	PasswordError string
	CodeError     string
	Passkey       ui.Passkey
}
