// Package setup is the page that makes the account on an empty database.
package setup

import "bailiwick/views/layout"

// IndexProps fills the set-up page. Passwords are never sent back.
type IndexProps struct {
	Bare          layout.BareProps
	Action        string
	Token         string // of the one-time link; posted back as "token"
	Company       string
	CompanyError  string
	Alias         string
	AliasError    string
	PasswordError string
	RepeatError   string
	Error         string // about the form as a whole, for example a link used up
}

// wrong reports whether a field has a mistake, which the cursor then goes to.
func (p IndexProps) wrong() bool {
	return p.CompanyError != "" || p.AliasError != "" || p.PasswordError != "" || p.RepeatError != ""
}
