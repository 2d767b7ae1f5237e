package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"bailiwick/internal/gateway/wire"
)

func TestAnObjectIsReadAsWrittenOrNotAtAll(t *testing.T) {
	text := ` { "a" : "x\"}" , "b":[1,{"c":null}], "\u0061b":-1.5e3 } `
	o, err := wire.Parse([]byte(text))
	if err != nil || len(o.Members) != 3 || string(o.Get("a")) != `"x\"}"` || string(o.Get("b")) != `[1,{"c":null}]` || string(o.Get("ab")) != `-1.5e3` {
		t.Fatalf("%+v %v", o, err)
	}
	if text[o.Close] != '}' || !o.Find("ab").Escaped || o.Find("a").Escaped || o.Get("c") != nil {
		t.Errorf("%+v", o)
	}
	for bad, want := range map[string]error{
		``: wire.ErrMalformed, `null`: wire.ErrMalformed, `[]`: wire.ErrMalformed, `{"a":1`: wire.ErrMalformed, `{"a":1}x`: wire.ErrMalformed,
		`{"a":1,}`: wire.ErrMalformed, "\ufeff{}": wire.ErrMalformed, "{\"a\":\"\xff\"}": wire.ErrMalformed, `{"a":01}`: wire.ErrMalformed, `{"a":"\ud800"}`: wire.ErrMalformed,
		`{'a':1}`: wire.ErrMalformed, "{\"a\":\"\n\"}": wire.ErrMalformed, "{}\x00": wire.ErrMalformed,
		`{"a":1,"a":1}`: wire.ErrTwice, `{"a":1,"\u0061":1}`: wire.ErrTwice, `{"x":[{"b":1,"b":2}]}`: wire.ErrTwice,
	} {
		if _, err := wire.Parse([]byte(bad)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", bad, err, want)
		}
	}
}

func TestDepthAndNumberAreBounded(t *testing.T) {
	nest := func(n int) []byte { return []byte(`{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`) }
	if _, err := wire.Parse(nest(wire.MaxDepth - 1)); err != nil {
		t.Errorf("at the bound: %v", err)
	}
	if _, err := wire.Parse(nest(wire.MaxDepth)); err == nil {
		t.Error("over the bound")
	}
	text := []byte(`{"a":"` + strings.Repeat(`{[\"`, 100_000) + `","b":"\\"}`)
	if _, err := wire.Parse(text); err != nil {
		t.Errorf("brackets in a text are text: %v", err)
	}
	if _, err := wire.Parse([]byte(`{"a":[` + strings.Repeat("{},", wire.MaxContainers) + `{}]}`)); err == nil {
		t.Error("too many objects")
	}
}

func read(r io.Reader, event, all int) (events []string, err error) {
	e := wire.NewEvents(r, event, all)
	for {
		raw, err := e.Next()
		if len(raw) > 0 {
			events = append(events, string(raw))
		}
		if err != nil {
			return events, err
		}
	}
}

func TestEventsAreTheSameHoweverTheyArrive(t *testing.T) {
	text := "data: a\n\n: c\n\ndata: b\r\ndata: c\r\n\r\n\ndata: [DONE]\n\n"
	want := []string{"data: a\n\n", ": c\n\n", "data: b\r\ndata: c\r\n\r\n", "\n", "data: [DONE]\n\n"}
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)),
		"in halves": iotest.HalfReader(strings.NewReader(text)), "with the end": iotest.DataErrReader(strings.NewReader(text)),
	} {
		got, err := read(r, 64, 1000)
		if err != io.EOF || strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

func TestAStreamIsCutAtItsBoundsAndAtHalfAnEvent(t *testing.T) {
	for text, want := range map[string]error{
		"data: " + strings.Repeat("x", 100): wire.ErrTooLong,
		strings.Repeat("data: x\n\n", 200):  wire.ErrTooLong,
		"data: x\n\ndata: y":                wire.ErrCutShort,
		"data: x\n\ndata: [DONE]":           io.EOF,
		"data: x\n\ndata: [DONE]\n":         io.EOF,
		"data: x\n\ndata: {}\n":             io.EOF,
		"":                                  io.EOF,
	} {
		if _, err := read(strings.NewReader(text), 64, 1000); err != want {
			t.Errorf("%.30q…: %v, want %v", text, err, want)
		}
	}
	broken := errors.New("broken")
	if _, err := read(io.MultiReader(strings.NewReader("data: x\n"), iotest.ErrReader(broken)), 64, 1000); err != broken {
		t.Errorf("%v", err)
	}
}

func TestDataIsJoinedAsTheStandardSays(t *testing.T) {
	for event, want := range map[string]string{
		"data: a\n\n": "a", "data:a\n\n": "a", "data:  a\n\n": " a", "event: x\ndata: a\ndata: b\n\n": "a\nb", "data: a\r\n\r\n": "a",
		": data: a\n\n": "", "datax: a\n\n": "", "data\n\n": "", "\n": "",
	} {
		if got, err := wire.Data([]byte(event)); err != nil || string(got) != want {
			t.Errorf("%q: %q %v", event, got, err)
		}
	}
	if _, err := wire.Data([]byte("data: a\rdata: b\n\n")); err == nil {
		t.Error("a bare carriage return passed")
	}
}

func TestSpokenMeasuresWhatIsSaid(t *testing.T) {
	for text, want := range map[string]int{
		`{"content":"abc"}`: 3, `{"content": "a\"c\\"}`: 6, `{"content":null}`: 0, `{"content":[{"text":"a"}]}`: 0,
		`{"reasoning_content":"ab","content":"c","arguments":"de"}`: 5, `{"content":"open`: 4, `{"x":"\"content\":\"no\""}`: 0,
	} {
		if got := wire.Spoken([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"model":"a"}`, `{"a":1,"A":2}`, ` {"a":[{"b":"\u00e9"}]} `, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"mo\u0064el":"x"}`, `{}{}`} {
		f.Add([]byte(seed))
	}
	for _, seed := range objects {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		agree(t, text)
		o, err := wire.Parse(text)
		if err != nil {
			return
		}
		if !json.Valid(text) || !utf8.Valid(text) {
			t.Fatalf("took %q", text)
		}
		var other map[string]json.RawMessage
		if err := json.Unmarshal(text, &other); err != nil || len(other) != len(o.Members) {
			t.Fatalf("%q: %v, %d members and %d", text, err, len(other), len(o.Members))
		}
		for _, m := range o.Members {
			if !bytes.Equal(other[m.Name], text[m.Start:m.End]) {
				t.Fatalf("%q: %q is %q and %q", text, m.Name, other[m.Name], text[m.Start:m.End])
			}
		}
	})
}

func FuzzEvents(f *testing.F) {
	for _, seed := range []string{"data: a\n\n", "data: a\r\n\r\ndata: b\n\n", ":\n\n\n\n", "data", "data: [DONE]", strings.Repeat("x", 99)} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, step uint8) {
		whole, err1 := read(bytes.NewReader(text), 64, 4096)
		pieces, err2 := read(iotest.HalfReader(bytes.NewReader(text)), 64, 4096)
		if strings.Join(whole, "|") != strings.Join(pieces, "|") || err1 != err2 {
			t.Fatalf("%q: %q %v and %q %v", text, whole, err1, pieces, err2)
		}
		if joined := strings.Join(whole, ""); !bytes.HasPrefix(text, []byte(joined)) {
			t.Fatalf("%q became %q", text, joined)
		}
		for _, e := range whole {
			if data, err := wire.Data([]byte(e)); err == nil && bytes.ContainsRune(data, '\r') {
				t.Fatalf("%q gave %q", e, data)
			}
		}
	})
}

func TestAPieceIsMeasuredAsTheWholeIs(t *testing.T) {
	for _, text := range []string{
		`{"choices":[{"index":0,"delta":{"content":"a \"b\" c"},"finish_reason":null}]}`,
		`{"choices":[{"index":0,"delta":{"content":"ab"}},{"index":1,"delta":{"content":"cde"}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"ab"}},{"index":1,"delta":{"reasoning_content":"cde"}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"ab","reasoning":"xyz"}}]}`,
		`{"choices":[{"index":0,"delta":{"role":"assistant","content":"ab"}}]}`,
		`{"choices":[{"index":0,"delta":{ "content" : "ab" }}]}`,
		`{"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"arguments":"{\"a\":1}"}}]}}]}`,
		`{"choices":[{"index":0,"delta":{"content":""}}]}`, `{"choices":[{"index":0,"delta":{"content":"`, `{"choices":[]}`, `"delta"`, ``,
	} {
		if got, want := wire.SpokenPiece([]byte(text)), wire.Spoken([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
