package dataset_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"bailiwick/internal/dataset"
	"bailiwick/internal/provider"
)

// good is a dialogue that nothing is wrong with; each number gives another one.
func good(n int) string {
	return fmt.Sprintf(`{"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"What is %d?"},{"role":"assistant","content":"A number."}]}`, n)
}

func lines(n int, more ...string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(good(i) + "\n")
	}
	for _, l := range more {
		b.WriteString(l + "\n")
	}
	return b.String()
}

func check(t testing.TB, m provider.Method, text string) dataset.Report {
	t.Helper()
	c := dataset.NewCheck(m, dataset.Usual)
	if _, err := io.Copy(c, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return c.Done()
}

func TestAFileWithoutMistakesIsValidAndCounted(t *testing.T) {
	r := check(t, "", lines(9)+"\r\n"+strings.TrimSuffix(good(9), "\n"))
	if !r.Valid || r.Errors != 0 || r.Warnings != 0 || r.Examples != 10 || r.Lines != 11 || r.Blank != 1 || r.Method != provider.SFT || r.Tokens == 0 {
		t.Errorf("%+v", r)
	}
}

// Every mistake is found on its line, at its path, with its code.
func TestEveryMistakeIsNamedWithItsPlace(t *testing.T) {
	say := func(messages string) string { return `{"messages":[` + messages + `]}` }
	const user, answer = `{"role":"user","content":"a"}`, `{"role":"assistant","content":"b"}`
	for _, want := range []struct {
		method provider.Method
		line   string
		code   dataset.Code
		path   string
	}{
		{"", `{"messages":[`, dataset.NotJSON, "messages"},
		{"", `hello`, dataset.NotJSON, ""},
		{"", `[1]`, dataset.NotObject, ""},
		{"", `{"messages":[],"messages":[]}`, dataset.DuplicateKey, "messages"},
		{"", say(user + `,{"role":"assistant","content":"b","content":"c"}`), dataset.DuplicateKey, "messages[1].content"},
		{"", `{"messages":[[[[[[[[1]]]]]]]]}`, dataset.TooDeep, ""},
		{"", `{"prompt":"x"}`, dataset.NoMessages, "messages"},
		{"", say(``), dataset.NoMessages, "messages"},
		{"", say(`1`), dataset.NotMessage, "messages[0]"},
		{"", say(strings.Repeat(user+",", 64) + answer), dataset.TooManyMessages, "messages"},
		{"", say(`{"role":"bot","content":"a"},` + user + `,` + answer), dataset.BadRole, "messages[0].role"},
		{"", say(user + `,{"role":"system","content":"x"},` + answer), dataset.SystemNotFirst, "messages[1].role"},
		{"", say(answer + `,` + user + `,` + answer), dataset.NoUserBefore, "messages[0]"},
		{"", say(user), dataset.LastNotAnswer, "messages[0]"},
		{"", say(user + `,{"role":"assistant","content":" "}`), dataset.EmptyContent, "messages[1].content"},
		{"", say(user + `,{"role":"assistant"}`), dataset.EmptyContent, "messages[1].content"},
		{"", say(`{"role":"user","content":7},` + answer), dataset.BadContent, "messages[0].content"},
		{"", say(`{"role":"user","content":[{"image":"x"}]},` + answer), dataset.NotText, "messages[0].content[0]"},
		{"", say(user + `,{"role":"assistant","tool_calls":[{}]}`), dataset.BadToolCalls, "messages[1].tool_calls[0]"},
		{"", say(user + `,{"role":"tool","tool_call_id":"x","content":"1"},` + answer), dataset.BadToolAnswer, "messages[1].tool_call_id"},
		{provider.DPO, say(user), dataset.NoPreference, ""},
		{provider.DPO, `{"messages":[` + user + `],"chosen":` + user + `,"rejected":` + answer + `}`, dataset.BadPreference, "chosen"},
		{provider.DPO, `{"chosen":[` + user + `,` + answer + `],"rejected":[{"role":"user","content":"z"},` + answer + `]}`, dataset.OtherPrompt, "rejected"},
		{provider.CPT, `{"text":7}`, dataset.NoPlainText, "text"},
		{provider.CPT, `{"text":"  "}`, dataset.EmptyContent, "text"},
	} {
		r := check(t, want.method, "\n"+want.line+"\n")
		if r.Valid || len(r.Items) == 0 {
			t.Errorf("%s is taken", want.line)
			continue
		}
		at := slices.IndexFunc(r.Items, func(i dataset.Item) bool { return !i.Warning })
		if i := r.Items[at]; i.Code != want.code || i.Path != want.path || i.Line != 2 || i.Offset < 1 || i.Warning {
			t.Errorf("%s: %+v", want.line, i)
		}
	}
}

func TestWhatIsRightIsTaken(t *testing.T) {
	for method, line := range map[provider.Method]string{
		provider.CPT: `{"text":"Once %d"}`,
		provider.DPO: `{"messages":[{"role":"user","content":"a %d"}],"chosen":{"role":"assistant","content":"b"},"rejected":{"role":"assistant","content":"c"}}`,
		provider.SFT: `{"messages":[{"role":"developer","content":[{"type":"text","text":"%d"}]},{"role":"user","content":"a"},` +
			`{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
			`{"role":"tool","tool_call_id":"1","content":"2"},{"role":"assistant","content":"b"}],"tools":[]}`,
	} {
		text := ""
		for i := range 10 {
			text += strings.ReplaceAll(line, "%d", fmt.Sprint(i)) + "\n"
		}
		if r := check(t, "", text); !r.Valid || r.Method != method || r.Warnings != 0 {
			t.Errorf("%s: %+v", method, r)
		}
	}
}

func TestEncodingsThatAreNotReadAreNamed(t *testing.T) {
	var wide []byte
	for _, u := range utf16.Encode([]rune("\uFEFF" + lines(12))) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for name, want := range map[string]struct {
		text string
		code dataset.Code
		line int
	}{
		"utf-16":         {string(wide), dataset.UTF16, 1},
		"utf-16, no bom": {string(wide[2:]), dataset.UTF16, 1},
		"bom":            {"\xEF\xBB\xBF" + lines(12), dataset.ByteOrderMark, 1},
		"latin-1":        {lines(12, "{\"messages\":[{\"role\":\"user\",\"content\":\"Gr\xfc\xdfe\"}]}"), dataset.NotUTF8, 13},
		"nul":            {lines(12, "\x00"), dataset.NulByte, 13},
	} {
		r := check(t, "", want.text)
		if r.Valid || r.Errors != 1 || r.Items[0].Code != want.code || r.Items[0].Line != want.line {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestFilesThatAreTooSmallOrTooLongAreRefused(t *testing.T) {
	if r := check(t, "", lines(9)); r.Valid || r.Items[0].Code != dataset.TooFewExamples {
		t.Errorf("%+v", r)
	}
	if r := check(t, "", ""); r.Valid || r.Items[0].Code != dataset.TooFewExamples {
		t.Errorf("%+v", r)
	}
	c := dataset.NewCheck("", dataset.Limits{Line: 1 << 20, MinExamples: 1, MaxExamples: 3, Messages: 4, Depth: 8})
	io.WriteString(c, lines(9))
	if r := c.Done(); r.Counts[dataset.TooManyExamples] != 1 || r.Items[0].Line != 4 {
		t.Errorf("%+v", r)
	}
}

func TestWarningsDoNotRefuse(t *testing.T) {
	warned := lines(10, good(3),
		`{"messages":[{"role":"user","name":"Ann","content":"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c","weight":0}],"id":7}`,
		`{"messages":[{"role":"user","content":"my key is sk-abcdefghijklmnopqrstuvwx"},{"role":"assistant","content":"4111 1111 1111 1111"}]}`)
	r := check(t, "", warned)
	for code, n := range map[dataset.Code]int{
		dataset.DuplicateOf: 1, dataset.KeyIgnored: 3, dataset.SameRoleAgain: 1, dataset.MaybeSecret: 1, dataset.MaybeCardNumber: 1,
	} {
		if r.Counts[code] != n {
			t.Errorf("%s: %d", code, r.Counts[code])
		}
	}
	if !r.Valid || r.Warnings != 7 {
		t.Errorf("%+v", r)
	}
	var b bytes.Buffer
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "abcdefgh") || strings.Contains(b.String(), "4111") {
		t.Error("the report tells a secret")
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 8 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestAReportHoldsTheFirstTwoHundredAndCountsAll(t *testing.T) {
	r := check(t, "", strings.Repeat(good(1)+"\n", 500)+strings.Repeat("x\n", 500))
	if len(r.Items) != dataset.MaxItems || r.Errors != 500 || r.Warnings != 499 || r.Counts[dataset.NotJSON] != 500 || r.Counts[dataset.DuplicateOf] != 499 {
		t.Errorf("%d items, %d errors, %d warnings", len(r.Items), r.Errors, r.Warnings)
	}
}

// endless gives one line without an end.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.left -= n
	return int(n), nil
}

func TestALineOfAGigabyteIsNamedAndNeverHeld(t *testing.T) {
	c := dataset.NewCheck("", dataset.Usual)
	io.WriteString(c, lines(5))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	io.CopyBuffer(struct{ io.Writer }{c}, &endless{1 << 30}, make([]byte, 64<<10))
	runtime.ReadMemStats(&after)
	io.WriteString(c, "\n"+lines(5))
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d bytes were allocated for one line", grown)
	}
	r := c.Done()
	if r.Errors != 1 || r.Items[0].Code != dataset.LineTooLong || r.Items[0].Line != 6 || r.Examples != 10 || r.Lines != 11 {
		t.Errorf("%+v", r)
	}
}

// What a check finds does not depend on how the bytes come.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{lines(10), "\xff\xfe{", "{\"messages\":1}\r\n\r\n", `{"text":"a"}`, "[[[[[[[[[[", `{"a":"\`, "\x00", `{"chosen":[],"rejected":[]}`, `{"messages":[{"role":"tool"}]}`} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		limits := dataset.Limits{File: 1 << 20, Line: 300, MinExamples: 1, MaxExamples: 50, Messages: 8, Depth: 8}
		whole, pieces := dataset.NewCheck("", limits), dataset.NewCheck("", limits)
		whole.Write(data)
		if step = max(1, step%17); step > 0 {
			for i := 0; i < len(data); i += step {
				pieces.Write(data[i:min(i+step, len(data))])
			}
		}
		a, b := whole.Done(), pieces.Done()
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("at once %+v\nin pieces %+v", a, b)
		}
		if a.Valid != (a.Errors == 0) || len(a.Items) > dataset.MaxItems || a.Valid && a.Examples < 1 {
			t.Errorf("%+v", a)
		}
		for _, i := range a.Items {
			if i.Offset < 0 || i.Offset > int64(len(data)) || i.Line < 0 || i.Message == "" || len(i.Path) > 400 {
				t.Errorf("%+v", i)
			}
		}
	})
}
