package dashscope

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
)

// FuzzEvents proves that whatever a provider sends as a stream becomes whole
// events of the OpenAI protocol, or an error, and never both a mark of the end
// and more after it.
func FuzzEvents(f *testing.F) {
	f.Add([]byte("event:result\ndata:{\"output\":{\"choices\":[{\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}}\n\n"))
	f.Add([]byte("event:error\ndata:{\"code\":\"X\",\"message\":\"y\"}\n\n"))
	f.Add([]byte("data:{\"output\":{\"text\":\"Hi\"}}"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		e := newEvents(&chatQuestion{model: "m", usage: true}, io.NopCloser(bytes.NewReader(stream)))
		text, err := io.ReadAll(e)
		blocks := bytes.Split(text, []byte("\n\n"))
		if len(blocks[len(blocks)-1]) != 0 {
			t.Fatalf("half an event: %q", text)
		}
		for i, b := range blocks[:len(blocks)-1] {
			data, ok := bytes.CutPrefix(b, []byte("data: "))
			if string(data) == "[DONE]" {
				if i != len(blocks)-2 || err != nil {
					t.Fatalf("more after the end: %q, %v", text, err)
				}
				continue
			}
			if !ok || !json.Valid(data) {
				t.Fatalf("no event: %q", b)
			}
		}
	})
}
