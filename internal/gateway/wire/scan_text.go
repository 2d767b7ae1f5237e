package wire

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

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
