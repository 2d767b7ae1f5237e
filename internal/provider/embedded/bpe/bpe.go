package bpe

import (
	"fmt"
	"strings"
	"sync"
)

// Merge joins two tokens, as they are spelled.
type Merge [2]string

// Tokenizer turns text into tokens and back. It is made once and read by many.
type Tokenizer struct {
	merges []Merge
	rank   map[Merge]int
	tokens []string // by id, as they are spelled
	ids    map[string]int32

	mu    sync.Mutex
	known map[string][]int32 // pieces that were encoded before
}

// remembered is how many pieces are kept.
const remembered = 1 << 14

// New makes the tokenizer of some merges, in the order in which they were
// learnt. A merge that spells a token a second time, or whose parts are not
// there, is an error.
func New(merges []Merge) (*Tokenizer, error) {
	t := &Tokenizer{merges: merges, rank: make(map[Merge]int, len(merges)), ids: map[string]int32{}, known: map[string][]int32{}}
	t.tokens = append(t.tokens, specialNames[:]...)
	t.tokens = append(t.tokens, symbolOf[:]...)
	for i, s := range t.tokens[specials:] {
		t.ids[s] = int32(specials + i)
	}
	for i, m := range merges {
		joined := m[0] + m[1]
		_, there := t.ids[joined]
		_, first := t.ids[m[0]]
		_, second := t.ids[m[1]]
		if there || !first || !second {
			return nil, fmt.Errorf("merge %d, of %q and %q, cannot be", i, m[0], m[1])
		}
		t.rank[m] = i
		t.ids[joined] = int32(len(t.tokens))
		t.tokens = append(t.tokens, joined)
	}
	return t, nil
}

// Merges are what the tokenizer was made of; they must not be changed.
func (t *Tokenizer) Merges() []Merge { return t.merges }

// Size is the number of tokens.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// Tokens spells every token, by id; they must not be changed.
func (t *Tokenizer) Tokens() []string { return t.tokens }

// Parts gives the tokens that a token was joined from; false: it was not.
func (t *Tokenizer) Parts(id int32) (a, b int32, joined bool) {
	i := int(id) - specials - 256
	if i < 0 || i >= len(t.merges) {
		return 0, 0, false
	}
	return t.ids[t.merges[i][0]], t.ids[t.merges[i][1]], true
}

// Encode gives the tokens of a text; never special ones.
func (t *Tokenizer) Encode(s string) (ids []int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range pieces(s) {
		found, ok := t.known[p]
		if !ok {
			for _, token := range t.join(spell(p)) {
				found = append(found, t.ids[token])
			}
			if len(t.known) < remembered {
				t.known[p] = found
			}
		}
		ids = append(ids, found...)
	}
	return ids
}

// join applies the merges, the one that was learnt first wherever it occurs.
func (t *Tokenizer) join(symbols []string) []string {
	for {
		best, at := -1, Merge{}
		for i := 0; i+1 < len(symbols); i++ {
			m := Merge{symbols[i], symbols[i+1]}
			if r, ok := t.rank[m]; ok && (best < 0 || r < best) {
				best, at = r, m
			}
		}
		if best < 0 {
			return symbols
		}
		symbols = replace(symbols, at)
	}
}

// replace joins a pair wherever it stands, from the left.
func replace(symbols []string, m Merge) []string {
	out := symbols[:0]
	for i := 0; i < len(symbols); i++ {
		if i+1 < len(symbols) && symbols[i] == m[0] && symbols[i+1] == m[1] {
			out = append(out, m[0]+m[1])
			i++
			continue
		}
		out = append(out, symbols[i])
	}
	return out
}

// Decode gives the text of tokens; special ones and unknown ones say nothing.
func (t *Tokenizer) Decode(ids ...int32) string {
	var b strings.Builder
	for _, id := range ids {
		if id >= specials && int(id) < len(t.tokens) {
			b.WriteString(unspell(t.tokens[id]))
		}
	}
	return b.String()
}
