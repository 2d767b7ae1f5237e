package workshop

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	strict "github.com/go-json-experiment/json"

	"bailiwick/internal/gateway/dialect"
)

// object is an answer, or a part of one.
type object = map[string]any

// internal notes what went wrong on our side, and tells the caller that it did.
func internal(err error) *dialect.Refusal {
	slog.Error("a request of a program failed", "err", err)
	r := dialect.Internal
	return &r
}

// encoded is JSON as it is written to callers.
func encoded(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// answer sends a value as it is.
func (v *Visit) answer(value any) *dialect.Refusal {
	body, err := encoded(value)
	if err != nil {
		return internal(err)
	}
	v.Answer(http.StatusOK, body)
	return nil
}

// output answers in DashScope's envelope.
func (v *Visit) output(value any) *dialect.Refusal {
	return v.answer(struct {
		Request string `json:"request_id"`
		Output  any    `json:"output"`
	}{string(v.Call), value})
}

// data answers about files, whose envelope differs.
func (v *Visit) data(value any) *dialect.Refusal {
	return v.answer(struct {
		Request string `json:"request_id"`
		Data    any    `json:"data"`
	}{string(v.Call), value})
}

// read reads a body strictly: one object, no name twice, unknown or in another
// case. An empty body is an empty object.
func (v *Visit) read(into any) *dialect.Refusal {
	body, r := v.Body()
	if r != nil {
		return r
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	if err := strict.Unmarshal(body, into, strict.RejectUnknownMembers(true)); err != nil {
		var odd *strict.SemanticError
		if errors.As(err, &odd) && errors.Is(err, strict.ErrUnknownName) {
			return dialect.Unknown(strings.ReplaceAll(strings.TrimPrefix(string(odd.JSONPointer), "/"), "/", "."))
		}
		text := strings.TrimPrefix(err.Error(), "json: ")
		if at := strings.Index(text, " into Go"); at >= 0 {
			text = text[:at] + " there"
		}
		return dialect.BadBody.WithMessage("%s (%s)", dialect.BadBody.Native.Message, text)
	}
	return nil
}

// query reads the query: names that are none of these are refused, as a filter
// that is left out in silence shows too much.
func (v *Visit) query(names ...string) (url.Values, *dialect.Refusal) {
	values, err := url.ParseQuery(v.R.URL.RawQuery)
	if err != nil {
		return nil, &dialect.BadParameters
	}
	for name := range values {
		if !slices.Contains(names, name) {
			return nil, dialect.Unknown(name)
		}
	}
	return values, nil
}

// number reads a number of the query.
func number(values url.Values, name string, usual, least, most int) (int, *dialect.Refusal) {
	text := values.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, dialect.Range(name, "Range of %s should be [%d, %d]", name, least, most)
	}
	return n, nil
}

// page is what a native list is asked for.
type page struct{ number, size int }

// pageOf reads the page; a command line of the original's SDK says "page" for
// "page_no" beside it, and then means it.
func pageOf(values url.Values, usual, most int) (p page, r *dialect.Refusal) {
	if p.number, r = number(values, "page_no", 1, 1, 1<<20); r == nil {
		p.size, r = number(values, "page_size", usual, 1, most)
	}
	return p, r
}

func (p page) skip() int { return (p.number - 1) * p.size }

// stamp is a time as the native protocol writes it, in UTC; empty: none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateTime)
}

// seconds is a time as OpenAI's protocol writes it; nil: none.
func seconds(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}
