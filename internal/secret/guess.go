package secret

import (
	"strings"
	"unicode"

	"github.com/ccojocar/zxcvbn-go"
)

// A password must need more than 2^33 (about 10^10) guesses of somebody who
// knows the common passwords, names, words, dates and keyboard patterns. The
// lists are those of zxcvbn and lie in the program: nobody is asked.
const enoughBits = 33.2

// guessedAtOnce is how much of a password is looked at in one piece, because
// looking takes the square of the time.
const guessedAtOnce = 64

// product is what everybody here would try.
const product = "bailiwick"

// guessable reports whether a password is on the block list, or made of what is
// on it, of the person's own words, or of a pattern.
func guessable(password string, words []string) bool {
	known := append(contextWords(words), product)
	text := []rune(strings.ToLower(password))
	text = text[:period(text)]
	if len(text) <= guessedAtOnce {
		return !enough(text, known)
	}
	return !enough(text[:guessedAtOnce], known) && !enough(text[len(text)-guessedAtOnce:], known)
}

func enough(text []rune, known []string) bool {
	return zxcvbn.PasswordStrength(string(text), known).Entropy >= enoughBits
}

// contextWords takes names apart: "Alice Doe" and "alice@acme" hold words that
// are guessed alone, too. Pieces of one or two letters say nothing.
func contextWords(names []string) (words []string) {
	for _, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		pieces := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, w := range append(pieces, name, strings.Join(pieces, "")) {
			if len([]rune(w)) > 2 {
				words = append(words, w)
			}
		}
	}
	return words
}

// period is the length of the piece that a text repeats from its beginning to
// its end, or of the whole text: what is said twice is not harder to guess.
func period(text []rune) int {
	for p := 1; p <= len(text)/2; p++ {
		if repeats(text, p) {
			return p
		}
	}
	return len(text)
}

func repeats(text []rune, p int) bool {
	for i := p; i < len(text); i++ {
		if text[i] != text[i-p] {
			return false
		}
	}
	return true
}
