// Package welcome is the page behind a first log-on link: a person chooses a
// password.
package welcome

import "bailiwick/views/layout"

// IndexProps fills the page.
type IndexProps struct {
	Bare          layout.BareProps
	Action        string
	Token         string
	Name          string // "Erin Example"
	LogOn         string // "erin@acme"
	Minimum       string // of a password: "15 characters"
	PasswordError string
	RepeatError   string
}
