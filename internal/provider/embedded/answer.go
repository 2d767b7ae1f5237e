package embedded

import (
	"context"
	"encoding/json"
	"io"
	"strings"
)

// answer is a question and the model that answers it.
type answer struct {
	*question
	m       model
	id      string
	created int64
	input   int // tokens
	output  int // tokens, of the choices that were made
}

func (q *question) answer(m model) *answer {
	a := &answer{question: q, m: m}
	a.input = len(a.m.prompt(q.dialogue(m)))
	return a
}

func (a *answer) choices() int {
	if a.N == nil {
		return 1
	}
	return *a.N
}

type object = map[string]any

func (a *answer) usage() object {
	return object{"prompt_tokens": a.input, "completion_tokens": a.output, "total_tokens": a.input + a.output}
}

func (a *answer) frame(kind string, choices []object) object {
	return object{"id": a.id, "object": kind, "created": a.created, "model": a.Model, "system_fingerprint": label, "choices": choices}
}

// whole is the answer in one piece.
func (a *answer) whole(ctx context.Context) []byte {
	var choices []object
	for i := range a.choices() {
		var text strings.Builder
		end := a.say(ctx, i, func(piece string) error { text.WriteString(piece); return nil })
		a.output += end.tokens
		choices = append(choices, object{
			"index": i, "finish_reason": end.reason, "logprobs": nil, "message": object{"role": "assistant", "content": text.String()},
		})
	}
	f := a.frame("chat.completion", choices)
	f["usage"] = a.usage()
	b, _ := json.Marshal(f) // strings and numbers only
	return b
}

// events writes the answer as a stream while it is made.
func (a *answer) events(ctx context.Context, w io.Writer, usage bool) error {
	write := func(f object) error {
		if usage && f["usage"] == nil {
			f["usage"] = nil
		}
		line, _ := json.Marshal(f) // strings and numbers only
		_, err := w.Write(append(append([]byte("data: "), line...), "\n\n"...))
		return err
	}
	chunk := func(i int, delta object, reason any) error {
		return write(a.frame("chat.completion.chunk", []object{{"index": i, "delta": delta, "finish_reason": reason, "logprobs": nil}}))
	}
	for i := range a.choices() {
		if err := chunk(i, object{"role": "assistant", "content": ""}, nil); err != nil {
			return err
		}
		end := a.say(ctx, i, func(piece string) error { return chunk(i, object{"content": piece}, nil) })
		if end.err != nil {
			return end.err
		}
		a.output += end.tokens
		if err := chunk(i, object{}, end.reason); err != nil {
			return err
		}
	}
	if usage {
		f := a.frame("chat.completion.chunk", []object{})
		f["usage"] = a.usage()
		if err := write(f); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "data: [DONE]\n\n")
	return err
}
