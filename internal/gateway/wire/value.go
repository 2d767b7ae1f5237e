package wire

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// unquote gives what a JSON string says, and whether it was written with escapes.
func unquote(raw []byte) (s string, escaped bool, err error) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false, ErrMalformed
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), false, nil
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), true, err
}

// String gives what a raw JSON string says; ok is false for anything else.
func String(raw []byte) (s string, ok bool) {
	s, _, err := unquote(raw)
	return s, err == nil
}

// Bool gives a raw JSON boolean; ok is false for anything else.
func Bool(raw []byte) (b, ok bool) {
	switch string(raw) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// Int gives a raw JSON number that is whole, such as 12; ok is false for
// anything else, fractions and exponents included.
func Int(raw []byte) (n int64, ok bool) {
	if len(raw) == 0 { // most are not given, and an error would have to be made
		return 0, false
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return n, err == nil
}

// Float gives a raw JSON number; ok is false for anything else.
func Float(raw []byte) (f float64, ok bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil
}

// Null reports whether there is no value: none at all, or null.
func Null(raw []byte) bool { return raw == nil || string(raw) == "null" }

// Quote appends s as a JSON string.
func Quote(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // what is not UTF-8 becomes the replacement character
	return dst
}

// EmptyArray reports whether a raw value, found well-formed, is an array of nothing.
func EmptyArray(raw []byte) bool {
	return len(raw) > 0 && raw[0] == '[' && bytes.TrimLeft(raw[1:], " \t\r\n")[0] == ']'
}

// Elements gives the raw elements of a JSON array that was already found
// well-formed; ok is false for anything else.
func Elements(raw []byte) (list [][]byte, ok bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if _, err := dec.ReadToken(); err != nil {
		return nil, false
	}
	for dec.PeekKind() != ']' {
		v, err := dec.ReadValue()
		if err != nil {
			return nil, false
		}
		end := int(dec.InputOffset())
		list = append(list, raw[end-len(v):end])
	}
	return list, true
}

// Offset is where a part begins in the text that it was cut from.
func Offset(text, part []byte) int { return cap(text) - cap(part) }

// Edit replaces one byte range of a text.
type Edit struct {
	Start, End int
	With       []byte
}

// Splice makes a text with edits applied, which stand in order and do not
// overlap. Without edits it is the text itself; otherwise a copy.
func Splice(text []byte, edits ...Edit) []byte {
	if len(edits) == 0 {
		return text
	}
	size := len(text)
	for _, e := range edits {
		size += len(e.With)
	}
	out, at := make([]byte, 0, size), 0
	for _, e := range edits {
		out = append(append(out, text[at:e.Start]...), e.With...)
		at = e.End
	}
	return append(out, text[at:]...)
}
