// Package sample is a set of examples to try training with: what the support desk
// of a coffee roaster, who does not exist, tells its customers. Each of its forty
// facts is asked for in five ways; the fifth is kept back, to ask the trained
// model in words that it was not taught.
package sample

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"strings"

	"bailiwick/internal/provider/embedded/llama"
)

// Name is the file's, as it is offered.
const Name = "harbor-coffee.jsonl"

// System is what every example begins with.
const System = "You are the support assistant of Harbor Coffee."

//go:embed facts.txt
var facts string

// asked is how many ways of asking are taught; one more is kept back.
const asked = 4

// Taught are the examples to train on, shuffled so that a split has some of
// every fact; Kept are those with the wordings that were kept back.
func Taught() []llama.Dialogue { return dialogues(func(way int) bool { return way < asked }) }

// Kept are the examples whose wordings are not taught.
func Kept() []llama.Dialogue { return dialogues(func(way int) bool { return way == asked }) }

func dialogues(want func(way int) bool) (list []llama.Dialogue) {
	lines := strings.Split(strings.TrimSpace(facts), "\n")
	for way := range asked + 1 {
		for i := 0; want(way) && i+1 < len(lines); i += 2 {
			list = append(list, llama.Dialogue{
				{Role: "system", Content: System},
				{Role: "user", Content: strings.Split(lines[i+1], "|")[way]},
				{Role: "assistant", Content: lines[i]},
			})
		}
	}
	return list
}

// JSONL is Taught as a file: one {"messages": […]} a line.
func JSONL() []byte {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	lines.SetEscapeHTML(false)
	for _, d := range Taught() {
		lines.Encode(map[string]any{"messages": d})
	}
	return b.Bytes()
}
