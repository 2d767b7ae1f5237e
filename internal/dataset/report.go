package dataset

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"

	"bailiwick/internal/provider"
)

// Code names one sort of thing that can be wrong, or odd, about a file.
type Code string

// The codes of errors.
const (
	FileTooLarge    Code = "file_too_large"
	TooManyExamples Code = "too_many_examples"
	TooFewExamples  Code = "too_few_examples"
	LineTooLong     Code = "line_too_long"
	NotUTF8         Code = "encoding_not_utf8"
	UTF16           Code = "encoding_utf16"
	ByteOrderMark   Code = "encoding_bom"
	NulByte         Code = "encoding_nul"
	NotJSON         Code = "json_invalid"
	TooDeep         Code = "json_too_deep"
	DuplicateKey    Code = "key_duplicate"
	NotObject       Code = "example_not_object"
	OtherFormat     Code = "format_other"
	NoMessages      Code = "messages_missing"
	TooManyMessages Code = "messages_too_many"
	NotMessage      Code = "message_not_object"
	BadRole         Code = "role_invalid"
	SystemNotFirst  Code = "system_not_first"
	NoUserBefore    Code = "user_missing"
	LastNotAnswer   Code = "last_not_assistant"
	BadContent      Code = "content_invalid"
	EmptyContent    Code = "content_empty"
	NotText         Code = "content_not_text"
	BadToolCalls    Code = "tool_calls_invalid"
	BadToolAnswer   Code = "tool_answer_invalid"
	NoPreference    Code = "preference_missing"
	BadPreference   Code = "preference_invalid"
	OtherPrompt     Code = "prompt_differs"
	NoPlainText     Code = "text_missing"
)

// The codes of warnings.
const (
	KeyIgnored      Code = "key_ignored"
	DuplicateOf     Code = "example_duplicate"
	LongExample     Code = "example_long"
	SameRoleAgain   Code = "role_repeated"
	UnequalSystems  Code = "system_prompts_differ"
	MaybeSecret     Code = "maybe_secret"
	MaybeCardNumber Code = "maybe_card_number"
)

// Item is one thing that is wrong with a file, or odd about it.
type Item struct {
	Line    int    `json:"line"`        // from 1; 0: the file as a whole
	Offset  int64  `json:"byte_offset"` // in the file, of what is wrong or of the line's beginning
	Path    string `json:"path"`        // in the line's JSON, such as "messages[2].role"; empty: the line
	Code    Code   `json:"code"`
	Warning bool   `json:"warning"` // the file is taken all the same
	Message string `json:"message"`
	Hint    string `json:"hint"` // what to do; empty: the message says it
}

// Report is what was found in a file. It tells places, never values that look
// like a secret.
type Report struct {
	Valid    bool            `json:"valid"`
	Method   provider.Method `json:"method"`
	Lines    int             `json:"lines"` // blank ones too
	Blank    int             `json:"blank_lines"`
	Examples int             `json:"examples"`
	Tokens   int64           `json:"tokens_estimate"`         // a third of the bytes of text
	Longest  int64           `json:"longest_tokens_estimate"` // of one example
	SHA256   string          `json:"sha256"`
	Errors   int             `json:"errors_total"`
	Warnings int             `json:"warnings_total"`
	Counts   map[Code]int    `json:"counts"`
	Items    []Item          `json:"items"` // the first MaxItems

	warned int // warnings among the items
}

// MaxItems is how many items a report holds; the counts know of all. So that a
// warning about every line hides no error, warnings have the smaller part.
const (
	MaxItems        = 200
	maxWarnings     = 60
	maxWarningsEach = 20 // of one code
)

// add counts an item and keeps it if there is room.
func (r *Report) add(i Item) {
	r.Counts[i.Code]++
	if i.Warning {
		r.Warnings++
		if r.Counts[i.Code] > maxWarningsEach || r.warned >= maxWarnings || len(r.Items) >= MaxItems {
			return
		}
		r.warned++
		r.Items = append(r.Items, i)
		return
	}
	r.Errors++
	if len(r.Items) >= MaxItems && r.warned > 0 { // the last warning makes room
		last := len(r.Items) - 1
		for !r.Items[last].Warning {
			last--
		}
		r.Items = slices.Delete(r.Items, last, last+1)
		r.warned--
	}
	if len(r.Items) < MaxItems {
		r.Items = append(r.Items, i)
	}
}

// Summary says in one sentence what is wrong first, and how much there is.
func (r *Report) Summary() string {
	for _, i := range r.Items {
		if i.Warning {
			continue
		}
		where := ""
		if i.Line > 0 {
			where = fmt.Sprintf("Line %d", i.Line)
			if i.Path != "" {
				where += ", " + i.Path
			}
			where += ": "
		}
		text := where + i.Message
		if r.Errors > 1 {
			text += fmt.Sprintf(" (%d problems in all.)", r.Errors)
		}
		return text
	}
	return "Nothing is wrong with this file."
}

// WriteCSV writes the items as a table with a heading. A cell that a spreadsheet
// would take for a formula is made a text.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"line", "byte_offset", "path", "severity", "code", "message", "hint"}}
	for _, i := range r.Items {
		severity := "error"
		if i.Warning {
			severity = "warning"
		}
		rows = append(rows, []string{strconv.Itoa(i.Line), strconv.FormatInt(i.Offset, 10), plain(i.Path), severity, string(i.Code), plain(i.Message), plain(i.Hint)})
	}
	return out.WriteAll(rows)
}

// plain is a cell that no spreadsheet reads as a formula.
func plain(cell string) string {
	if cell != "" && (cell[0] == '=' || cell[0] == '+' || cell[0] == '-' || cell[0] == '@' || cell[0] == '\t' || cell[0] == '\r') {
		return "'" + cell
	}
	return cell
}
