package dataset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
)

// Said is one message of an example.
type Said struct {
	Role string // empty: plain text
	Text string // at most previewText bytes
	Mark string // "chosen", "rejected"; empty: neither
}

// Example is an example as people look at it.
type Example struct {
	Line int // from 1
	Says []Said
}

// previewText is how much of a message a preview shows, in bytes.
const previewText = 4000

// Preview gives some examples of a file, from the one after skip on, and whether
// more follow. It needs datasets:read.
func (s *Service) Preview(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.File, skip, most int) (list []Example, more bool, err error) {
	_, f, err := s.Content(ctx, by, ws, id)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(make([]byte, 64<<10), 2*Usual.Line)
	for line := 1; in.Scan(); line++ {
		text := in.Bytes()
		if len(trimmed(text)) == 0 {
			continue
		}
		if skip--; skip >= 0 {
			continue
		}
		if len(list) == most {
			return list, true, nil
		}
		list = append(list, Example{line, saidIn(text)})
	}
	if err := in.Err(); err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	return list, false, nil
}

func trimmed(line []byte) []byte {
	for len(line) > 0 && (line[0] == ' ' || line[0] == '\t' || line[0] == '\r') {
		line = line[1:]
	}
	return line
}

// saidIn reads what an example says. It was found good when it came.
func saidIn(line []byte) (says []Said) {
	var example object
	if json.Unmarshal(line, &example) != nil {
		return nil
	}
	if text, is := example["text"].(string); is && example["messages"] == nil {
		return []Said{{Text: clipped(text)}}
	}
	add := func(value any, mark string) {
		switch v := value.(type) {
		case []any:
			for i, m := range v {
				o, _ := m.(object)
				if mark == "" || i == len(v)-1 {
					says = append(says, Said{role(o), clipped(textOf(o)), mark})
				}
			}
		case object:
			says = append(says, Said{role(v), clipped(textOf(v)), mark})
		}
	}
	if chosen, is := example["chosen"].([]any); is && example["messages"] == nil && len(chosen) > 0 {
		add(chosen[:len(chosen)-1], "")
	}
	add(example["messages"], "")
	add(example["chosen"], "chosen")
	add(example["rejected"], "rejected")
	return says
}

// textOf is what a message says, as one text.
func textOf(m object) (text string) {
	switch content := m["content"].(type) {
	case string:
		text = content
	case []any:
		for _, part := range content {
			o, _ := part.(object)
			said, _ := o["text"].(string)
			text += said
		}
	}
	for _, call := range list(m["tool_calls"]) {
		o, _ := call.(object)
		f, _ := o["function"].(object)
		if text != "" {
			text += "\n"
		}
		text += fmt.Sprintf("%v(%v)", f["name"], f["arguments"])
	}
	return text
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}

func clipped(text string) string {
	if len(text) <= previewText {
		return text
	}
	return strings.ToValidUTF8(text[:previewText], "") + "…"
}
