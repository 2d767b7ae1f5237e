package dashscope

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// mostEvent bounds one event of a stream, in bytes.
const mostEvent = 1 << 20

// events reads a native stream as one of the OpenAI protocol.
type events struct {
	q       *chatQuestion
	from    io.ReadCloser
	lines   *bufio.Scanner
	kind    string // of the event being read
	data    []byte
	ready   bytes.Buffer // translated, not yet read
	began   map[int]bool // choices whose role was said
	usage   *nativeUsage
	id      string
	created int64
	ended   bool // a last event was written
}

func newEvents(q *chatQuestion, from io.ReadCloser) *events {
	e := &events{q: q, from: from, lines: bufio.NewScanner(from), began: map[int]bool{}, created: time.Now().Unix()}
	e.lines.Buffer(make([]byte, 0, 4<<10), mostEvent)
	return e
}

// Close implements io.Closer.
func (e *events) Close() error { return e.from.Close() }

// Read implements io.Reader. A stream that breaks off ends without "[DONE]".
func (e *events) Read(p []byte) (int, error) {
	for e.ready.Len() == 0 {
		if e.ended {
			return 0, io.EOF
		}
		if err := e.next(); err != nil {
			return 0, err
		}
	}
	return e.ready.Read(p)
}

// next takes one line; an empty one, or the end, ends an event.
func (e *events) next() error {
	if !e.lines.Scan() {
		if err := e.lines.Err(); err != nil {
			return err
		}
		if len(e.data) == 0 { // a regular end: the native protocol has no mark for it
			return e.end()
		}
		return e.event()
	}
	line := e.lines.Bytes()
	switch {
	case len(line) == 0:
		return e.event()
	case bytes.HasPrefix(line, []byte("event:")):
		e.kind = string(bytes.TrimSpace(line[len("event:"):]))
	case bytes.HasPrefix(line, []byte("data:")):
		e.data = append(e.data, bytes.TrimSpace(line[len("data:"):])...)
	}
	return nil
}

// event translates the event that was read.
func (e *events) event() error {
	kind, data := e.kind, e.data
	e.kind, e.data = "", e.data[:0]
	if len(data) == 0 {
		return nil
	}
	if kind == "error" {
		return e.fail(data)
	}
	a, err := readNative(data)
	if err != nil {
		return e.fail(data)
	}
	e.id = a.Request
	if a.Usage != nil {
		e.usage = a.Usage
	}
	choices := make([]map[string]any, 0, len(a.Output.Choices))
	for i, c := range a.Output.Choices {
		choices = append(choices, e.choice(place(c, i), c))
	}
	return e.write(map[string]any{"choices": choices})
}

func (e *events) choice(index int, c nativeChoice) map[string]any {
	delta := c.Message
	if delta == nil {
		delta = map[string]json.RawMessage{}
	}
	if e.began[index] {
		delete(delta, "role")
	} else {
		e.began[index] = true
		delta["role"] = json.RawMessage(`"assistant"`)
	}
	return map[string]any{"index": index, "delta": delta, "finish_reason": finish(c.Finish), "logprobs": orNull(c.Logprobs)}
}

func (e *events) write(chunk map[string]any) error {
	chunk["id"], chunk["object"], chunk["created"], chunk["model"] = "chatcmpl-"+e.id, "chat.completion.chunk", e.created, e.q.model
	return e.send(chunk)
}

func (e *events) send(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	e.ready.WriteString("data: ")
	e.ready.Write(text)
	e.ready.WriteString("\n\n")
	return nil
}

// end writes what comes last: the usage, if it was asked for, and the mark. A
// stream in which no choice came is none.
func (e *events) end() error {
	if len(e.began) == 0 {
		return io.ErrUnexpectedEOF
	}
	if e.q.usage && e.usage != nil {
		if err := e.write(map[string]any{"choices": []any{}, "usage": e.usage.openAI()}); err != nil {
			return err
		}
	}
	e.ended = true
	e.ready.WriteString("data: [DONE]\n\n")
	return nil
}

// fail passes on an error of the provider; the stream is over with it.
func (e *events) fail(data []byte) error {
	var a native
	if json.Unmarshal(data, &a) != nil || a.Code == "" {
		return errors.New("an event that is none of the native protocol")
	}
	e.ended = true
	return e.send(map[string]any{"error": map[string]any{"message": a.Message, "type": a.Code, "param": nil, "code": a.Code}})
}
