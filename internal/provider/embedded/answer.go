package embedded

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
)

// answer is what the engine says, before it is put on the wire.
type answer struct {
	id      string
	created int64
	model   string
	pieces  []string // one token each
	reason  string
	choices int
	input   int // tokens
}

func (q question) answer() answer {
	a := answer{reason: "stop", choices: 1}
	if q.N != nil {
		a.choices = *q.N
	}
	for _, m := range q.Messages {
		a.input += len(Tokens(string(m.Content)))
	}
	says := q.says()
	for _, stop := range q.Stop {
		if stop != "" {
			says, _, _ = strings.Cut(says, stop)
		}
	}
	a.pieces = Tokens(says)
	if most := q.limit(); len(a.pieces) > most {
		a.pieces, a.reason = a.pieces[:most], "length"
	}
	return a
}

// Tokens cuts a text into what the engine counts: runs of letters and digits,
// each with the space before it; every other character, and every character
// of a script without spaces, counts alone.
func Tokens(s string) (tokens []string) {
	start, word := 0, false
	for i, r := range s {
		part := (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
		blank := i > start && strings.TrimSpace(s[start:i]) == ""
		if i > start && !(part && word) && !blank {
			tokens = append(tokens, s[start:i])
			start = i
		}
		word = part
	}
	if start < len(s) {
		tokens = append(tokens, s[start:])
	}
	return tokens
}

type object = map[string]any

func (a answer) usage() object {
	out := len(a.pieces) * a.choices
	return object{"prompt_tokens": a.input, "completion_tokens": out, "total_tokens": a.input + out}
}

func (a answer) frame(kind string, choices []object) object {
	return object{"id": a.id, "object": kind, "created": a.created, "model": a.model, "system_fingerprint": "bailiwick-demo", "choices": choices}
}

func (a answer) whole() []byte {
	var choices []object
	for i := range a.choices {
		choices = append(choices, object{
			"index": i, "finish_reason": a.reason, "logprobs": nil,
			"message": object{"role": "assistant", "content": strings.Join(a.pieces, "")},
		})
	}
	f := a.frame("chat.completion", choices)
	f["usage"] = a.usage()
	b, _ := json.Marshal(f) // strings and numbers only
	return b
}

// events puts the answer on the wire as a stream: one token an event.
func (a answer) events(usage bool) []byte {
	var b bytes.Buffer
	write := func(f object) {
		if usage && f["usage"] == nil {
			f["usage"] = nil
		}
		line, _ := json.Marshal(f) // strings and numbers only
		b.WriteString("data: ")
		b.Write(line)
		b.WriteString("\n\n")
	}
	chunk := func(i int, delta object, reason any) {
		write(a.frame("chat.completion.chunk", []object{{"index": i, "delta": delta, "finish_reason": reason, "logprobs": nil}}))
	}
	for i := range a.choices {
		chunk(i, object{"role": "assistant", "content": ""}, nil)
		for _, p := range a.pieces {
			chunk(i, object{"content": p}, nil)
		}
		chunk(i, object{}, a.reason)
	}
	if usage {
		f := a.frame("chat.completion.chunk", []object{})
		f["usage"] = a.usage()
		write(f)
	}
	b.WriteString("data: [DONE]\n\n")
	return b.Bytes()
}
