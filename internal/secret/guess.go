package secret

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// A password must need more than 2^33 (about 10^10) guesses of somebody who
// knows the common passwords, names, words, dates and keyboard patterns. The
// lists lie in the program: nobody is asked.
const enoughBits = 33.2

// product is what everybody here would try.
const product = "bailiwick"

// guessable reports whether a password is on the block list, or made of what is
// on it, of the person's own words, or of a pattern. Capitals count for nothing.
func guessable(password string, words []string) bool {
	text := []rune(strings.ToLower(password))
	g := newGuesser(text)
	g.words(append(contextWords(words), product))
	g.walks()
	g.dates()
	g.repeats()
	return g.bits() < enoughBits
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

// guesser looks for the cheapest way to put a text together of pieces that
// somebody would try. What a piece costs is the binary logarithm of the guesses
// it takes.
type guesser struct {
	text  []rune
	costs [][]float64 // by where a piece begins, and how long it is, less one
	log   []float64   // log2 of 0 (as of 1) to len(text)+1
}

func newGuesser(text []rune) *guesser {
	g := &guesser{text: text, costs: make([][]float64, len(text)), log: make([]float64, len(text)+2)}
	for i, r := range text {
		g.costs[i] = slices.Repeat([]float64{math.Inf(1)}, len(text)-i)
		g.costs[i][0] = alone(r)
	}
	for i := range g.log {
		g.log[i] = math.Log2(float64(max(i, 1)))
	}
	return g
}

// found notes that the text from one place to before another is a piece.
func (g *guesser) found(from, to int, bits float64) {
	g.costs[from][to-from-1] = min(g.costs[from][to-from-1], bits)
}

// bits is the least that the whole text costs.
func (g *guesser) bits() float64 {
	least := append([]float64{0}, slices.Repeat([]float64{math.Inf(1)}, len(g.text))...)
	for from, list := range g.costs {
		for i, bits := range list {
			least[from+i+1] = min(least[from+i+1], least[from]+bits)
		}
	}
	return least[len(g.text)]
}

// alone is what one character costs somebody who knows its kind.
func alone(r rune) float64 {
	switch {
	case '0' <= r && r <= '9':
		return 3.3 // of 10
	case 'a' <= r && r <= 'z':
		return 4.7 // of 26
	case r < 0x80:
		return 5 // of the 33 other signs of a keyboard
	}
	return 6.6 // of some hundred letters of one script
}
