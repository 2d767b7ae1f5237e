// Package password is the page on which people change their own password.
package password

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page. With a duty there is no console around it.
type IndexProps struct {
	Chrome layout.Chrome
	Bare   layout.BareProps
	Why    string // it is a duty
	Form   FormProps
}

// FormProps fills the form, or says what is wrong with what was typed. No
// password is ever written back.
type FormProps struct {
	Action        string
	Next          string // where to go afterwards; posted back as "next"
	LogOn         string // "alice@acme", for password managers
	Minimum       string // "15 characters"
	BackURL       string
	LogOffURL     string // where it is a duty: the other way out
	Notice        *ui.Notice
	PresentError  string
	PasswordError string
	RepeatError   string
}
