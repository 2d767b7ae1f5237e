package llama

import (
	"bailiwick/internal/provider/embedded/bpe"
)

// NewTokens is how many tokens tuning adds at most.
const NewTokens = 512

// Tune prepares the tuning of a model that stays as it is: a copy learns the
// tokens of the examples first, and then what the options say.
func Tune(m *Model, words *bpe.Tokenizer, train, valid []Dialogue, o Options) (*Trainer, error) {
	wider, more, err := Extend(m, words, train, NewTokens)
	if err != nil {
		return nil, err
	}
	return NewTrainer(wider, more, train, valid, o), nil
}

// Answer is what a model says.
type Answer struct {
	Text   string
	Tokens int
	Ended  bool    // by itself; else it came to the limit
	Sure   float64 // the mean likelihood of its tokens
}

// Say lets a model answer a dialogue with at most that many tokens, told one by
// one; tell returns false to stop. The tokens of the prompt come back too.
func Say(m *Model, words *bpe.Tokenizer, d Dialogue, most int, how Sampling, tell func(string) bool) (a Answer, prompt int) {
	ids := Prompt(words, d, m.Context)
	s := NewSession(m)
	for _, id := range ids {
		s.Feed(id)
	}
	var said []int32
	sure := 0.0
	for len(said) < most && !s.Full() {
		id, likely := s.Pick(how)
		if id == bpe.End || id == bpe.EndOfText || id == bpe.Start {
			a.Ended = true
			break
		}
		said, sure = append(said, id), sure+likely
		if tell != nil && !tell(words.Decode(id)) {
			break
		}
		s.Feed(id)
	}
	a.Text, a.Tokens = words.Decode(said...), len(said)
	if len(said) > 0 {
		a.Sure = sure / float64(len(said))
	}
	return a, len(ids)
}
