// Package logon is the page on which a person says who they are.
package logon

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the log-on page.
type IndexProps struct {
	Bare    layout.BareProps
	Action  string
	Account string // what was typed, kept: "root@acme", "alice@acme"
	Next    string // where to go afterwards; posted back as "next"
	Error   string // "Account or password is wrong."
	Wait    string // not empty: throttled; "in 2 minutes"
	Notice  string // "You have logged off."

	PasskeyAction string
	Passkey       ui.Passkey // without options: passkeys cannot be used here
}

// FactorProps fills the page that asks for the second factor.
type FactorProps struct {
	Bare          layout.BareProps
	Name          string
	Action        string
	PasskeyAction string
	LogOffURL     string
	Next          string
	Wait          string // not empty: throttled
	CodeError     string
	Passkey       ui.Passkey // without options: there is none
}
