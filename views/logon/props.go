// Package logon is the page on which a person says who they are.
package logon

import "bailiwick/views/layout"

// IndexProps fills the log-on page.
type IndexProps struct {
	Bare    layout.BareProps
	Action  string
	Account string // what was typed, kept: "root@acme", "alice@acme"
	Next    string // where to go afterwards; posted back as "next"
	Error   string // "Account or password is wrong."
	Wait    string // not empty: throttled; "in 2 minutes"
	Notice  string // "You have logged off."
}
