// Package playground shows the page on which people talk with models.
package playground

import (
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// IndexProps fills the page. Its form posts "model", "system", "temperature",
// "top_p", "max_tokens", "presence_penalty", the turns so far as "role" and
// "text" by turns, and "message". A script posts the same to StreamURL and reads
// the answer as it comes.
type IndexProps struct {
	Chrome    layout.Chrome
	Workspace string
	Action    string
	StreamURL string
	CodeURL   string // shows programs that do the same
	CostURL   string // answers what tokens cost
	WhyURL    string // a request id goes behind it; empty: this person may not read it
	ClearURL  string // begins anew
	Models    []ui.Option
	Fields    []ui.Field // the parameters
	System    string
	Turns     []Turn
	Message   string
	Error     string // about the message
	Notice    *ui.Notice
	Used      string // "12 tokens in, 40 out · ¥0.0001"
	None      string // why there is no model to talk with; empty: there is
}

// Turn is one thing that was said.
type Turn struct {
	Role string // "user" or "assistant"
	Text string // as it was said: it is never markup
}

// CodeProps fills the dialog with programs.
type CodeProps struct {
	BackURL string
	Samples []ui.Sample
}
