package bpe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// class is what a run of characters consists of.
type class int

const (
	other class = iota
	letter
	digit
	space
)

func classOf(r rune) class {
	switch {
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return digit
	case unicode.IsSpace(r):
		return space
	}
	return other
}

var contractions = []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}

// pieces cuts a text as GPT-2's pre-tokenizer does: contractions, runs of one
// class with at most one space before them, and white space, whose last
// character goes to what follows.
func pieces(s string) (list []string) {
	for len(s) > 0 {
		n := piece(s)
		list = append(list, s[:n])
		s = s[n:]
	}
	return list
}

// piece gives the length of the first piece.
func piece(s string) int {
	for _, c := range contractions {
		if strings.HasPrefix(s, c) {
			return len(c)
		}
	}
	lead := 0
	if s[0] == ' ' {
		lead = 1
	}
	if r, _ := utf8.DecodeRuneInString(s[lead:]); lead < len(s) && classOf(r) != space {
		return lead + run(s[lead:])
	}
	n := run(s)
	if n == len(s) {
		return n
	}
	// More text follows: the last character of white space belongs to it.
	_, last := utf8.DecodeLastRuneInString(s[:n])
	if n > last {
		return n - last
	}
	return n
}

// run gives the length of the run of one class at the beginning.
func run(s string) int {
	first, n := utf8.DecodeRuneInString(s)
	kind := classOf(first)
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if classOf(r) != kind {
			break
		}
		n += size
	}
	return n
}
