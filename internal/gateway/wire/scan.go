package wire

import (
	"bytes"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// scanner makes sure that a text is JSON as strictly as jsontext does, whose
// verdicts it has (a fuzz test holds the two together), and several times as
// fast: most of a long prompt is one text, which is looked at eight bytes at once.
type scanner struct {
	text       []byte
	at         int
	twice      bool // it ended at a name that stands twice
	depth      int
	containers int
	names      [][]byte  // of the objects that are open, unescaped
	large      []nameSet // of those among them that have many
}

// nameSet are the names of an object with too many to be compared one by one.
type nameSet struct {
	from int // where the object's names begin
	has  map[string]struct{}
}

// few is how many names are compared one by one.
const few = 16

var scanners = sync.Pool{New: func() any { return new(scanner) }}

// done gives a scanner back, without what it has read.
func (s *scanner) done() {
	names, large := s.names[:cap(s.names)], s.large[:cap(s.large)]
	if cap(names) > MaxDepth*few || cap(large) > MaxDepth { // an unusual text: its room is not kept
		names, large = nil, nil
	}
	clear(names)
	clear(large)
	*s = scanner{names: names[:0], large: large[:0]}
	scanners.Put(s)
}

// enter and leave are for arrays and objects, whose depth and number are bounded.
func (s *scanner) enter() bool {
	s.at++
	s.depth++
	s.containers++
	return s.depth <= MaxDepth && s.containers <= MaxContainers
}

func (s *scanner) leave(with byte) bool {
	if s.at < len(s.text) && s.text[s.at] == with {
		s.at++
		s.depth--
		return true
	}
	return false
}

// blank passes over white space.
func (s *scanner) blank() {
	for s.at < len(s.text) && s.text[s.at] <= ' ' {
		switch s.text[s.at] {
		case ' ', '\n', '\t', '\r':
			s.at++
		default:
			return
		}
	}
}

// is passes over one character, if it is the next one.
func (s *scanner) is(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// value passes over one value that begins here.
func (s *scanner) value() bool {
	if s.at == len(s.text) {
		return false
	}
	switch c := s.text[s.at]; c {
	case '"':
		s.at++
		_, ok := s.str()
		return ok
	case '{':
		return s.object()
	case '[':
		return s.array()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return (c == '-' || digit(c)) && s.number()
	}
}

func (s *scanner) word(w string) bool {
	if len(s.text)-s.at < len(w) || string(s.text[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

func (s *scanner) array() bool {
	if !s.enter() {
		return false
	}
	if s.blank(); s.leave(']') {
		return true
	}
	for {
		if s.blank(); !s.value() {
			return false
		}
		s.blank()
		if s.leave(']') {
			return true
		}
		if !s.is(',') {
			return false
		}
	}
}

// object passes over an object.
func (s *scanner) object() bool {
	if !s.enter() {
		return false
	}
	if s.blank(); s.leave('}') {
		return true
	}
	for from := len(s.names); ; {
		if _, ok := s.member(from); !ok {
			return false
		}
		if s.leave('}') {
			s.forget(from)
			return true
		}
		if !s.is(',') {
			return false
		}
	}
}

// members reads the object that is the whole of it.
func (s *scanner) members(list []Member) ([]Member, bool) {
	s.enter()
	if s.blank(); s.leave('}') {
		return list, true
	}
	for {
		m, ok := s.member(0)
		if !ok {
			return list, false
		}
		m.Name = interned(s.names[len(s.names)-1])
		list = append(list, m)
		if s.leave('}') {
			return list, true
		}
		if !s.is(',') {
			return list, false
		}
	}
}

// member passes over one member of the object whose names begin there. Its name
// is the last of the names then.
func (s *scanner) member(from int) (m Member, ok bool) {
	s.blank()
	start := s.at
	if !s.is('"') {
		return m, false
	}
	if m.Escaped, ok = s.str(); !ok || !s.name(from, s.text[start:s.at], m.Escaped) {
		return m, false
	}
	if s.blank(); !s.is(':') {
		return m, false
	}
	s.blank()
	m.Start = s.at
	if !s.value() {
		return m, false
	}
	m.End = s.at
	s.blank()
	return m, true
}

// name notes a name of the object whose names begin there; false when it has it
// already.
func (s *scanner) name(from int, quoted []byte, escaped bool) bool {
	name := quoted[1 : len(quoted)-1]
	if escaped {
		name, _ = jsontext.AppendUnquote(nil, quoted) // found well-formed
	}
	here := s.names[from:]
	if len(here) < few {
		for _, other := range here {
			if bytes.Equal(name, other) {
				s.twice = true
				return false
			}
		}
	} else if !s.among(from, here, name) {
		s.twice = true
		return false
	}
	s.names = append(s.names, name)
	return true
}

// among notes a name of an object with many.
func (s *scanner) among(from int, here [][]byte, name []byte) bool {
	if n := len(s.large); n == 0 || s.large[n-1].from != from {
		has := make(map[string]struct{}, 4*few)
		for _, other := range here {
			has[string(other)] = struct{}{}
		}
		s.large = append(s.large, nameSet{from, has})
	}
	has := s.large[len(s.large)-1].has
	if _, twice := has[string(name)]; twice {
		return false
	}
	has[string(name)] = struct{}{}
	return true
}

// forget drops the names of an object that ended.
func (s *scanner) forget(from int) {
	s.names = s.names[:from]
	if n := len(s.large); n > 0 && s.large[n-1].from == from {
		s.large[n-1].has = nil
		s.large = s.large[:n-1]
	}
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.text) && digit(s.text[s.at]) {
		s.at++
	}
	return s.at > from
}

func (s *scanner) number() bool {
	s.is('-')
	if !s.is('0') && !s.digits() {
		return false
	}
	if s.is('.') && !s.digits() {
		return false
	}
	if s.is('e') || s.is('E') {
		if !s.is('+') {
			s.is('-')
		}
		return s.digits()
	}
	return true
}
