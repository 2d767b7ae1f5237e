package embedded

import (
	"bufio"
	"encoding/json"
	"strings"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded/llama"
)

// example is one line of a training file.
type example struct {
	Messages []struct {
		Role    string `json:"role"`
		Content text   `json:"content"`
	} `json:"messages"`
	Text string `json:"text"`
}

// pieceMost is about how many characters of plain text fit into the model's context.
const pieceMost = 500

// read reads examples as the model learns from them, and counts the plain texts
// that had to be cut into pieces.
func read(s provider.TrainSpec, d provider.Data) (list []llama.Dialogue, cut int, err error) {
	if d.Open == nil {
		return nil, 0, nil
	}
	in, err := d.Open()
	if err != nil {
		return nil, 0, err
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), BytesMost+1)
	for lines.Scan() {
		if len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		var e example
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, 0, &provider.Failure{Reason: "data_unreadable", Message: "A line of the examples is not what it should be."}
		}
		if s.Method == provider.CPT {
			parts := pieces(e.Text)
			if len(parts) > 1 {
				cut++
			}
			for _, p := range parts {
				list = append(list, llama.Dialogue{{Content: p}})
			}
			continue
		}
		var dialogue llama.Dialogue
		for _, m := range e.Messages {
			dialogue = append(dialogue, llama.Message{Role: m.Role, Content: string(m.Content)})
		}
		list = append(list, dialogue)
	}
	return list, cut, lines.Err()
}

// pieces cuts a plain text between words.
func pieces(s string) (list []string) {
	var b strings.Builder
	for _, w := range strings.SplitAfter(s, " ") {
		if b.Len() > 0 && b.Len()+len(w) > pieceMost {
			list = append(list, b.String())
			b.Reset()
		}
		b.WriteString(w)
	}
	if b.Len() > 0 {
		list = append(list, b.String())
	}
	return list
}
