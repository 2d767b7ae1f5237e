package bpe

import (
	"maps"
	"slices"
)

// word is a piece as it is spelled at present, and how often it occurs.
type word struct {
	symbols []string
	times   int
}

// Extend learns up to that many more merges from texts. They come behind those
// that are there, so that every token keeps its id and its meaning.
func (t *Tokenizer) Extend(texts []string, more int) (*Tokenizer, error) {
	words := t.count(texts)
	merges := slices.Clone(t.merges)
	taken := maps.Clone(t.ids)
	for range more {
		m, ok := mostFrequent(words, taken)
		if !ok {
			break
		}
		merges = append(merges, m)
		taken[m[0]+m[1]] = 0
		for i := range words {
			words[i].symbols = replace(words[i].symbols, m)
		}
	}
	return New(merges)
}

// count gives the pieces of texts, in the tokens that there are.
func (t *Tokenizer) count(texts []string) []word {
	times := map[string]int{}
	for _, text := range texts {
		for _, p := range pieces(text) {
			times[p]++
		}
	}
	var words []word
	for _, p := range slices.Sorted(maps.Keys(times)) {
		words = append(words, word{t.join(spell(p)), times[p]})
	}
	return words
}

// mostFrequent gives the pair that stands together most often, twice at least;
// of several the smallest. What it spells must not be a token yet.
func mostFrequent(words []word, taken map[string]int32) (best Merge, ok bool) {
	times := map[Merge]int{}
	for _, w := range words {
		for i := 0; i+1 < len(w.symbols); i++ {
			times[Merge{w.symbols[i], w.symbols[i+1]}] += w.times
		}
	}
	most := 1
	for m, n := range times {
		if _, there := taken[m[0]+m[1]]; there || n < most || n < 2 {
			continue
		}
		if n > most || !ok || m[0] < best[0] || m[0] == best[0] && m[1] < best[1] {
			best, most, ok = m, n, true
		}
	}
	return best, ok
}
