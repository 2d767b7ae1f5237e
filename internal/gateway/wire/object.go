// Package wire reads what crosses the gateway byte by byte: JSON objects,
// strictly, and streams of server-sent events, within bounds. It decides
// nothing and changes nothing; callers work with byte ranges of what was read.
package wire

import "errors"

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

// usual is how many members most objects have at most.
const usual = 12

// Parse reads a text that must be one object. The object keeps the text.
func Parse(text []byte) (Object, error) { return ParseIn(text, make([]Member, 0, usual)) }

// ParseIn is Parse with room for the members, which an object that is looked at
// and dropped need not take from the heap.
func ParseIn(text []byte, room []Member) (Object, error) {
	s := scanners.Get().(*scanner)
	defer s.done()
	s.text = text
	s.blank()
	if s.at == len(text) || text[s.at] != '{' {
		return Object{}, ErrMalformed
	}
	members, ok := s.members(room)
	if !ok {
		if s.twice {
			return Object{}, ErrTwice
		}
		return Object{}, ErrMalformed
	}
	end := s.at - 1
	if s.blank(); s.at < len(text) {
		return Object{}, ErrMalformed
	}
	return Object{Text: text, Members: members, Close: end}, nil
}

// interned gives a name as a string, without a copy of its own where it is one
// that everybody uses.
func interned(name []byte) string {
	if s, ok := everyday[string(name)]; ok {
		return s
	}
	return string(name)
}

var everyday = func() map[string]string {
	m := map[string]string{}
	for _, name := range []string{
		"model", "messages", "stream", "stream_options", "include_usage", "max_tokens", "max_completion_tokens", "temperature", "top_p", "tools", "input", "parameters",
		"id", "object", "created", "choices", "usage", "system_fingerprint", "error", "prompt_tokens", "completion_tokens", "total_tokens",
		"prompt_tokens_details", "completion_tokens_details", "cached_tokens", "reasoning_tokens", "input_tokens", "output_tokens", "output", "request_id", "data",
	} {
		m[name] = name
	}
	return m
}()

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
