// Package wire reads what crosses the gateway byte by byte: JSON objects,
// strictly, and streams of server-sent events, within bounds. It decides
// nothing and changes nothing; callers work with byte ranges of what was read.
package wire

import (
	"bytes"
	"errors"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep arrays and objects may lie within each other.
const MaxDepth = 128

// MaxContainers is how many arrays and objects one text may hold.
const MaxContainers = 1 << 16

// ErrMalformed is what every text is refused with that is not exactly one JSON
// object in UTF-8, without duplicate names at any depth.
var ErrMalformed = errors.New("wire: not one well-formed JSON object")

// ErrTwice is ErrMalformed for the one reason worth telling apart: a name
// stands twice in one object.
var ErrTwice = errors.New("wire: a name stands twice in one object")

// Member is one member of an object: its name, unescaped, and the byte range of
// its value.
type Member struct {
	Name       string
	Escaped    bool // the name was written with escapes
	Start, End int
}

// Object is the top level of a JSON object.
type Object struct {
	Text    []byte
	Members []Member
	Close   int // where its closing brace stands
}

type reader struct {
	dec *jsontext.Decoder
	buf bytes.Buffer
}

var readers = sync.Pool{New: func() any {
	r := new(reader)
	r.dec = jsontext.NewDecoder(&r.buf)
	return r
}}

// Parse reads a text that must be one object. The object keeps the text.
func Parse(text []byte) (Object, error) {
	o := Object{Text: text, Members: make([]Member, 0, 12)}
	if tooDeep(text) {
		return Object{}, ErrMalformed
	}
	r := readers.Get().(*reader)
	r.buf = *bytes.NewBuffer(text)
	r.dec.Reset(&r.buf)
	err := o.read(r.dec)
	r.buf = bytes.Buffer{}
	r.dec.Reset(&r.buf)
	readers.Put(r)
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return Object{}, ErrTwice
	case err != nil:
		return Object{}, ErrMalformed
	}
	return o, nil
}

func (o *Object) read(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		return ErrMalformed
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadValue()
		if err != nil {
			return err
		}
		m := Member{}
		if m.Name, m.Escaped, err = unquote(name); err != nil {
			return err
		}
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		m.End = int(dec.InputOffset())
		m.Start = m.End - len(value)
		o.Members = append(o.Members, m)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	end := int(dec.InputOffset())
	o.Close = end - 1
	if len(bytes.Trim(o.Text[end:], " \t\r\n")) > 0 {
		return ErrMalformed
	}
	return nil
}

// Get gives the raw value of a member; nil when there is none.
func (o Object) Get(name string) []byte {
	if m := o.Find(name); m != nil {
		return o.Text[m.Start:m.End]
	}
	return nil
}

// Find gives a member by its name; nil when there is none.
func (o Object) Find(name string) *Member {
	for i := range o.Members {
		if o.Members[i].Name == name {
			return &o.Members[i]
		}
	}
	return nil
}

// tooDeep reports whether a text nests deeper, or holds more arrays and
// objects, than is allowed. Most texts have too few brackets to ask closely.
func tooDeep(text []byte) bool {
	if n := bytes.Count(text, []byte{'['}) + bytes.Count(text, []byte{'{'}); n <= MaxDepth {
		return false
	}
	depth, containers := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += 1 + closing(text[i+1:])
		case '{', '[':
			depth++
			containers++
			if depth > MaxDepth || containers > MaxContainers {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}
