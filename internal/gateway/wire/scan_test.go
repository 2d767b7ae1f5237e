package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"

	"bailiwick/internal/gateway/wire"
)

// slow reads an object with jsontext alone, which is what Parse must agree with:
// whether it is one, whether a name stands twice, and where its members lie.
func slow(text []byte) (members []wire.Member, end int, err error) {
	dec := jsontext.NewDecoder(iotest.OneByteReader(bytes.NewReader(text)))
	if dec.PeekKind() != '{' {
		return nil, 0, wire.ErrMalformed
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, 0, err
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadValue()
		if err != nil {
			return nil, 0, err
		}
		plain, err := jsontext.AppendUnquote(nil, name)
		if err != nil {
			return nil, 0, err
		}
		escaped := bytes.IndexByte(name, '\\') >= 0
		value, err := dec.ReadValue()
		if err != nil {
			return nil, 0, err
		}
		at := int(dec.InputOffset())
		members = append(members, wire.Member{Name: string(plain), Escaped: escaped, Start: at - len(value), End: at})
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, 0, err
	}
	end = int(dec.InputOffset())
	if len(bytes.Trim(text[end:], " \t\r\n")) > 0 {
		return nil, 0, wire.ErrMalformed
	}
	return members, end - 1, nil
}

// nested is how deep brackets outside of texts lie at most, and how many there are.
func nested(text []byte) (deepest, all int) {
	depth, within := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case within && c == '\\':
			i++
		case c == '"':
			within = !within
		case within:
		case c == '{', c == '[':
			depth++
			all++
			deepest = max(deepest, depth)
		case c == '}', c == ']':
			depth--
		}
	}
	return deepest, all
}

// agree compares the two, but for texts that are too deep for us.
func agree(t *testing.T, text []byte) {
	t.Helper()
	o, err := wire.Parse(text)
	members, end, want := slow(text)
	if deepest, all := nested(text); deepest > wire.MaxDepth || all > wire.MaxContainers {
		if want == nil && err == nil {
			t.Fatalf("took %d brackets, %d deep", all, deepest)
		}
		return
	}
	switch {
	case want == nil:
		if err != nil || o.Close != end || len(o.Members)+len(members) > 0 && !reflect.DeepEqual(o.Members, members) {
			t.Fatalf("%q: %+v %v, want %+v until %d", text, o, err, members, end)
		}
	case errors.Is(want, jsontext.ErrDuplicateName):
		if err != wire.ErrTwice {
			t.Fatalf("%q: %v, want %v", text, err, want)
		}
	case err != wire.ErrMalformed:
		t.Fatalf("%q: %v, want %v", text, err, want)
	}
}

// objects are where the comparison begins from.
var objects = []string{
	`{}`, ` {"a" : "x\"}" , "b":[1,{"c":null}], "\u0061b":-1.5e3 } `, `{"model":"a","messages":[{"role":"user","content":"Hi\n\"there\" \\ \/ \b\f\n\r\t"}],"n":1,"stream":true}`,
	`{"a":"é漢字😀","b":"\ud83d\ude00\u00e9","c":[[],{},[{}],""],"d":[0,-0,1.0,10e+5,1E-7,-12.5e3],"e":[true,false,null]}`,
	"{\t\"a\"\r:\n1 ,\"b\" : [ 1 , 2 ] }\n", `{"a":{"a":{"a":[{"a":1},{"a":2}]}},"b":{"a":1}}`,
	`{"a":"` + strings.Repeat("0123456789", 9) + `","b":"` + strings.Repeat("é", 40) + `"}`, manyNames(40), `{"a":` + manyNames(20) + `,"b":` + manyNames(17) + `}`,
	`{"` + strings.Repeat("x", 30) + `":"` + strings.Repeat("\\u00e9", 20) + "\"}", `{"":1}`, `{"\"":1}`,
}

func manyNames(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"n%d":%d`, i, i))
	}
	return "{" + strings.Join(list, ",") + "}"
}

func TestParseSaysWhatJSONTextSays(t *testing.T) {
	for _, text := range objects {
		agree(t, []byte(text))
		for cut := range len(text) {
			agree(t, []byte(text[:cut]))
		}
		for _, c := range []byte("\x00\x1f\x20\"\\/{}[],:0-+.eEtnu\x7f\x80\xbf\xc2\xe0\xed\xf0\xff") {
			for at := range len(text) {
				swapped := []byte(text)
				swapped[at] = c
				agree(t, swapped)
				agree(t, append(append([]byte(text[:at]), c), text[at:]...))
			}
		}
	}
	// Every character, at every place of the eight bytes that are looked at at once.
	for c := range 256 {
		for at := range 40 {
			text := []byte(`{"a":"` + strings.Repeat("x", 40) + `"}`)
			text[6+at] = byte(c)
			agree(t, text)
		}
	}
	for _, twice := range []string{`{"n3":1,` + manyNames(40)[1:], manyNames(16)[:len(manyNames(16))-1] + `,"n15":0}`, manyNames(17)[:len(manyNames(17))-1] + `,"\u006e0":0}`, `{"a":{"b":1,"b":2},"a":1}`} {
		agree(t, []byte(twice))
	}
}

func TestParseSaysWhatJSONTextSaysOfRandomTexts(t *testing.T) {
	pieces := []string{`{`, `}`, `[`, `]`, `,`, `:`, `"`, `"a"`, `"b"`, `"a":1`, `"\u0061"`, `1`, `-1.5e3`, `0`, `true`, `null`, ` `, "\n", `\`, `\n`, `\ud83d`, `\ude00`, `\ud83d\ude00`, "é", "\xff", "😀", "x", `"abcdefghijklmnop"`, `"a":`, `{"a":`, `}`}
	for range 50_000 {
		var text []byte
		if rand.IntN(4) > 0 {
			text = append(text, '{')
		}
		for range rand.IntN(14) {
			text = append(text, pieces[rand.IntN(len(pieces))]...)
		}
		if rand.IntN(2) > 0 {
			text = append(text, '}')
		}
		agree(t, text)
	}
	for range 5_000 {
		text := []byte(objects[rand.IntN(len(objects))])
		for range 1 + rand.IntN(4) {
			text[rand.IntN(len(text))] = byte(rand.IntN(256))
		}
		agree(t, text)
	}
}

func BenchmarkParse(b *testing.B) {
	long := strings.Repeat("lorem ipsum ", 64<<10/12)
	for name, text := range map[string]string{
		"64 KiB":            `{"model":"m","messages":[{"role":"user","content":"` + long + `"}]}`,
		"64 KiB of lines":   `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat(`lorem ipsum dolor sit amet, \"consectetur\" elit.\n`, 64<<10/51) + `"}]}`,
		"64 KiB of Chinese": `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("通义千问，你好。", 64<<10/24) + `"}]}`,
		"an answer": `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"` +
			strings.Repeat("word ", 150) + `"},"finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":120,"completion_tokens":150,"total_tokens":270}}`,
	} {
		b.Run(name, func(b *testing.B) {
			text := []byte(text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wire.Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
