package secret

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go/data"
)

// blockLists are the lists of zxcvbn, the likeliest word first: passwords that
// the world has seen, words of films, and names. They lie compressed in the
// program and are read through for each password that is set, which takes some
// milliseconds beside the 25 of its hash; nothing of them is kept.
var blockLists = []string{"data/Passwords.json", "data/English.json", "data/Surnames.json", "data/FemaleNames.json", "data/MaleNames.json"}

// longestWord is more bytes than the longest word of any list has.
const longestWord = 32

// readings say what signs may stand for: for themselves, or for letters, of
// which 1 and 7 have two each.
var readings = [][]string{nil, {"1", "i", "7", "t"}, {"1", "l", "7", "t"}, {"1", "i", "7", "l"}}

// stands are the signs that stand for one letter in every reading.
var stands = []string{
	"4", "a", "@", "a", "8", "b", "(", "c", "{", "c", "[", "c", "<", "c", "3", "e", "6", "g", "9", "g",
	"!", "i", "|", "i", "0", "o", "$", "s", "5", "s", "+", "t", "%", "x", "2", "z",
}

// words finds the words of the lists, and those that are given. A word takes as
// many guesses as its place in its list, twice as many in another reading.
func (g *guesser) words(given []string) {
	texts := []string{string(g.text)}
	for _, letters := range readings[1:] {
		texts = append(texts, strings.NewReplacer(append(letters, stands...)...).Replace(texts[0]))
	}
	places := map[string]int{}
	for _, text := range texts {
		g.eachPiece(text, func(_, _ int, piece string) { places[piece] = 0 })
	}
	for _, list := range blockLists {
		look(data.MustAsset(list), places)
	}
	for i, text := range texts {
		twice := min(float64(i), 1)
		g.eachPiece(text, func(from, to int, piece string) {
			if place := places[piece]; place > 0 {
				g.found(from, to, math.Log2(float64(place))+twice)
			}
		})
		g.given(text, given, twice)
	}
}

// given finds the words that are given.
func (g *guesser) given(text string, words []string, twice float64) {
	for from := range g.text {
		for i, w := range words {
			if strings.HasPrefix(text, w) {
				g.found(from, from+utf8.RuneCountInString(w), g.log[i+1]+twice)
			}
		}
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
}

// eachPiece goes through all pieces of a text that could be words. Where they
// begin and end is counted in characters.
func (g *guesser) eachPiece(text string, do func(from, to int, piece string)) {
	for from := range g.text {
		for to, end := from, 0; to < len(g.text); to++ {
			_, size := utf8.DecodeRuneInString(text[end:])
			if end += size; end > longestWord {
				break
			}
			do(from, to+1, text[:end])
		}
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
}

// look notes the place in a list, {"list":["first","second"]}, of each word
// that is looked for, if it has no better one.
func look(list []byte, places map[string]int) {
	_, list, _ = bytes.Cut(list, []byte("["))
	for place := 1; ; place++ {
		_, after, _ := bytes.Cut(list, []byte(`"`))
		word, rest, more := bytes.Cut(after, []byte(`"`))
		if !more {
			return
		}
		if best, wanted := places[string(word)]; wanted && (best == 0 || place < best) {
			places[string(word)] = place
		}
		list = rest
	}
}
