package embedded

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"bailiwick/internal/provider/embedded/bpe"
	"bailiwick/internal/provider/embedded/desk"
	"bailiwick/internal/provider/embedded/llama"
)

// unknown is what the engine says where its model is not sure of what to say.
const unknown = "This is Bailiwick's demo engine, a very small model, and it does not know an answer to that. Train it on examples of your own, or connect a real provider to get real answers."

// The model is listened to for its first words before any of them is told: where
// it does not think them likely it is said that it does not know.
const (
	first = 12   // tokens
	sure  = 0.72 // how likely it has to think the likeliest ones, on average: of its own manner it thinks 0.73 to 0.79, of anything else 0.62 to 0.69
)

// longest is how long an answer is where nobody says, in tokens.
const longest = 160

// model is what answers: the base, or a model that was deployed.
type model struct {
	desk.Model
	mark string // tells it from every other one
}

// prompt is a dialogue in tokens, with the beginning of the answer.
func (m model) prompt(d llama.Dialogue) []int32 { return llama.Prompt(m.Words, d, 1<<30) }

// room is how much of a prompt the model reads, so that there is room for an answer.
func (m model) room(ids []int32) []int32 {
	if most := m.Context * 3 / 4; len(ids) > most {
		return ids[len(ids)-most:]
	}
	return ids
}

// ending is how one choice ended.
type ending struct {
	tokens int
	reason string // "stop" or "length"
	err    error  // nobody listens any more
}

// say makes one choice and tells its text piece by piece.
func (a *answer) say(ctx context.Context, choice int, tell func(string) error) ending {
	t := &teller{stops: a.Stop, tell: tell}
	most := min(a.limit(), longest)
	if a.ResponseFormat.Type == "json_object" {
		return a.sayJSON(ctx, t, choice)
	}
	e := a.think(ctx, choice, most, t)
	if e.err == nil && !t.stopped {
		e.err = t.flush()
	}
	return e
}

// think lets the model write. Its first tokens are held back until it is known
// how sure it is of them.
func (a *answer) think(ctx context.Context, choice, most int, t *teller) (e ending) {
	s := llama.NewSession(a.m.Model.Model)
	for i, id := range a.m.room(a.m.prompt(a.dialogue(a.m))) {
		if i%16 == 0 && ctx.Err() != nil {
			return ending{err: ctx.Err()}
		}
		s.Feed(id)
	}
	how := a.sampling(choice)
	var held []string
	sum, knows := 0.0, false
	e.reason = "length"
	for e.tokens < most && !s.Full() {
		if e.err = ctx.Err(); e.err != nil {
			return e
		}
		id, likely := s.Pick(how)
		if how.Temperature > 0 {
			_, likely = s.Pick(llama.Sampling{})
		}
		ends := id == bpe.End || id == bpe.EndOfText || id == bpe.Start
		if !ends {
			e.tokens, sum, held = e.tokens+1, sum+likely, append(held, a.m.Words.Decode(id))
		}
		if !knows && (ends || e.tokens == first || e.tokens == most) {
			if e.tokens == 0 || sum/float64(e.tokens) < sure {
				return a.recite(t, unknown, most)
			}
			knows = true
		}
		if knows {
			for _, piece := range held {
				if e.err = t.add(piece); e.err != nil || t.stopped {
					e.reason = "stop"
					return e
				}
			}
			held = held[:0]
		}
		if ends {
			e.reason = "stop"
			return e
		}
		s.Feed(id)
	}
	return e
}

// recite tells a text as if the model wrote it, token by token.
func (a *answer) recite(t *teller, text string, most int) (e ending) {
	e.reason = "stop"
	for _, id := range a.m.Words.Encode(text) {
		if e.tokens == most {
			e.reason = "length"
			break
		}
		e.tokens++
		if e.err = t.add(a.m.Words.Decode(id)); e.err != nil || t.stopped {
			break
		}
	}
	return e
}

// sayJSON wraps what the model says into an object, since it was taught none.
func (a *answer) sayJSON(ctx context.Context, t *teller, choice int) ending {
	var text strings.Builder
	inner := &teller{tell: func(piece string) error { text.WriteString(piece); return nil }}
	if e := a.think(ctx, choice, longest, inner); e.err != nil {
		return e
	}
	inner.flush()
	b, _ := json.Marshal(map[string]string{"engine": "bailiwick demo engine, a very small model", "answer": text.String()})
	e := a.recite(t, string(b), a.limit())
	if e.err == nil && !t.stopped {
		e.err = t.flush()
	}
	return e
}

// sampling is how the caller wants tokens to be chosen: the likeliest unless they
// say so, so that demonstrations repeat.
func (a *answer) sampling(choice int) llama.Sampling {
	how := llama.Sampling{}
	if a.Temperature == nil || *a.Temperature <= 0 {
		return how
	}
	how.Temperature = *a.Temperature
	if a.TopP != nil {
		how.TopP = *a.TopP
	}
	seed := rand.Uint64()
	if a.Seed != nil {
		seed = uint64(*a.Seed)
	}
	how.Chance = rand.New(rand.NewPCG(seed, uint64(choice)))
	return how
}

// teller passes text on as soon as it can be: not in the middle of a character,
// nor where a text may begin that ends the answer.
type teller struct {
	stops   stops
	tell    func(string) error
	held    string
	stopped bool
}

func (t *teller) add(piece string) error {
	t.held += piece
	for _, stop := range t.stops {
		if at := strings.Index(t.held, stop); stop != "" && at >= 0 {
			t.held, t.stopped = t.held[:at], true
		}
	}
	if t.stopped {
		return t.flush()
	}
	n := len(t.held)
	for _, stop := range t.stops {
		for k := min(len(stop)-1, len(t.held)); k > 0; k-- {
			if strings.HasSuffix(t.held, stop[:k]) {
				n = min(n, len(t.held)-k)
				break
			}
		}
	}
	return t.pass(whole(t.held[:n]))
}

// whole is a text up to its last whole character.
func whole(text string) string {
	for k := 1; k < utf8.UTFMax && k <= len(text); k++ {
		if at := len(text) - k; utf8.RuneStart(text[at]) {
			if !utf8.FullRuneInString(text[at:]) {
				return text[:at]
			}
			break
		}
	}
	return text
}

func (t *teller) pass(text string) error {
	t.held = t.held[len(text):]
	if text == "" {
		return nil
	}
	return t.tell(strings.ToValidUTF8(text, "\uFFFD"))
}

func (t *teller) flush() error { return t.pass(t.held) }
