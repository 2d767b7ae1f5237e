package wire

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

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

// str passes over a text whose opening quote was read, to behind its closing one.
func (s *scanner) str() (escaped, ok bool) {
	text, i, quote := s.text, s.at, 0
	for {
		var sure bool
		if i, sure = skim(text, i); !sure {
			if i > quote {
				quote = next(text, i, len(text), '"')
			}
			slash := next(text, i, quote, '\\')
			if !clean(text[i:slash]) {
				return escaped, false
			}
			i = slash
		}
		if i == len(text) {
			return escaped, false
		}
		size := 1
		switch c := text[i]; {
		case c == '"':
			s.at = i + 1
			return escaped, true
		case c == '\\':
			escaped = true
			size = escape(text[i:])
		case c < ' ':
			return escaped, false
		case c >= utf8.RuneSelf:
			size = wide(text[i:])
		}
		if size == 0 {
			return escaped, false
		}
		i += size
	}
}

// short is how far a text is looked at for everything at once. Where nothing was
// found in it, the rest is likely long, and searched for one thing at a time,
// which the processor does with wider words.
const short = 128

// skim passes over what stands for itself. It is sure of the place, unless
// nothing else came in a while.
func skim(text []byte, i int) (at int, sure bool) {
	for end := i + short; i < end; i += 8 {
		if len(text)-i < 8 {
			for ; i < len(text) && text[i] >= ' ' && text[i] < utf8.RuneSelf && text[i] != '"' && text[i] != '\\'; i++ {
			}
			return i, true
		}
		if m := special(binary.LittleEndian.Uint64(text[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)/8, true
		}
	}
	return i, false
}

// A word of spaces, and of highest bits.
const (
	spaces  = 0x2020202020202020
	highest = 0x8080808080808080
)

// special marks the bytes of a word that are a quote, a backslash, a control
// character or not ASCII. Above the first one marked, others may be marked that
// are none: what is taken from a byte borrows from there.
func special(w uint64) uint64 {
	const each = 0x0101010101010101
	return (w | (w - spaces) | ((w ^ '"'*each) - each) | ((w ^ '\\'*each) - each)) & highest
}

// next is where a character stands first between two places; the second of them
// when it does not.
func next(text []byte, from, to int, c byte) int {
	if i := bytes.IndexByte(text[from:to], c); i >= 0 {
		return from + i
	}
	return to
}

// clean reports whether a text is UTF-8 without control characters. It looks at
// eight bytes at once: a byte below the space borrows when the space is taken
// from it, and so sets its highest bit, which it had not before.
func clean(text []byte) bool {
	var low, high uint64
	whole := text
	for len(text) >= 32 {
		a, b := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[8:])
		c, d := binary.LittleEndian.Uint64(text[16:]), binary.LittleEndian.Uint64(text[24:])
		low |= (a-spaces)&^a | (b-spaces)&^b | (c-spaces)&^c | (d-spaces)&^d
		high |= a | b | c | d
		text = text[32:]
	}
	for len(text) >= 8 {
		a := binary.LittleEndian.Uint64(text)
		low |= (a - spaces) &^ a
		high |= a
		text = text[8:]
	}
	for _, c := range text {
		if c < ' ' {
			return false
		}
		high |= uint64(c)
	}
	return low&highest == 0 && (high&highest == 0 || utf8.Valid(whole))
}

// wide is the size of the characters that are not ASCII at the beginning of a
// text; 0 when one is malformed.
func wide(text []byte) (size int) {
	for size < len(text) && text[size] >= utf8.RuneSelf {
		// Three bytes whose first leaves the others free: most of what is not Latin.
		if t := text[size:]; len(t) > 2 && t[0] > 0xe0 && t[0] < 0xf0 && t[0] != 0xed && t[1]&0xc0 == 0x80 && t[2]&0xc0 == 0x80 {
			size += 3
			continue
		}
		r, n := utf8.DecodeRune(text[size:])
		if r == utf8.RuneError && n == 1 {
			return 0
		}
		size += n
	}
	return size
}

// escape is the size of the escape that begins a text; 0 when it is none.
func escape(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r, ok := unit(text)
		switch {
		case !ok:
			return 0
		case !utf16.IsSurrogate(r):
			return 6
		}
		if low, ok := unit(text[6:]); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			return 12
		}
	}
	return 0
}

// unit reads an escape such as \u00e9.
func unit(text []byte) (r rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for _, c := range text[2:6] {
		switch {
		case digit(c):
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
