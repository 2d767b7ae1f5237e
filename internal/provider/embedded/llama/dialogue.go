package llama

import (
	"strings"

	"bailiwick/internal/provider/embedded/bpe"
)

// Message is one turn of a dialogue.
type Message struct {
	Role    string `json:"role"` // "system", "user" or "assistant"; empty: plain text, which is learnt whole
	Content string `json:"content"`
}

// Dialogue is what is learnt from: its assistant's turns.
type Dialogue []Message

// Sequence is a dialogue in tokens.
type Sequence struct {
	IDs     []int32
	Trained []bool // by position: the token is one that the model shall learn to say
	Bytes   int    // of text in those
}

// encode writes a dialogue as ChatML, cut at the context.
func encode(tok *bpe.Tokenizer, d Dialogue, context int) (s Sequence) {
	put := func(trained bool, ids ...int32) {
		for _, id := range ids {
			if len(s.IDs) < context {
				s.IDs, s.Trained = append(s.IDs, id), append(s.Trained, trained)
				if trained {
					s.Bytes += len(tok.Decode(id))
				}
			}
		}
	}
	for _, m := range d {
		if m.Role == "" {
			put(false, bpe.EndOfText)
			put(true, tok.Encode(m.Content)...)
			put(true, bpe.EndOfText)
			continue
		}
		says := m.Role == "assistant"
		put(false, bpe.Start)
		put(false, tok.Encode(m.Role+"\n")...)
		put(says, tok.Encode(strings.TrimSpace(m.Content))...)
		put(says, bpe.End)
		put(false, tok.Encode("\n")...)
	}
	return s
}

// Prompt writes a dialogue so that the assistant's turn comes next. Of one that
// leaves no room for an answer within the context the oldest tokens are left out.
func Prompt(tok *bpe.Tokenizer, d Dialogue, context int) []int32 {
	s := encode(tok, d, 1<<30)
	ids := append(append(s.IDs, bpe.Start), tok.Encode("assistant\n")...)
	if most := context * 3 / 4; len(ids) > most {
		ids = ids[len(ids)-most:]
	}
	return ids
}
