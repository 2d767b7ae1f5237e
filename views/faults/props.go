// Package faults shows that a request failed, why, and what to do next.
package faults

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// Props describe one failure in words that are safe to show.
type Props struct {
	Status    int    // 404
	Title     string // "This page does not exist"
	Message   string
	Next      string // what to do about it
	Links     []ui.Link
	RequestID string
	WhyURL    string // the explainer, where a check refused
}

// PageProps is a failure inside the frame of the console.
type PageProps struct {
	Chrome layout.Chrome
	Fault  Props
}

// BareProps is a failure where nobody is logged on.
type BareProps struct {
	Bare  layout.BareProps
	Fault Props
}
