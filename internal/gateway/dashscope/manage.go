package dashscope

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// envelope is the answer of addresses that list or change: code and message are
// null when it went well.
type envelope struct {
	Code    *string    `json:"code"`
	Message *string    `json:"message"`
	Success bool       `json:"success"`
	Output  any        `json:"output"`
	Request ident.Call `json:"request_id"`
}

func enveloped(output any, id ident.Call) ([]byte, *dialect.Refusal) {
	body, err := json.Marshal(envelope{Success: true, Output: output, Request: id})
	if err != nil {
		return nil, &dialect.Internal
	}
	return body, nil
}

// Done answers a change.
func Done(id ident.Call) []byte {
	return []byte(`{"code":null,"message":null,"success":true,"output":null,"request_id":"` + string(id) + `"}`)
}

// strictly reads the body of a change: one object, no name twice or unknown or
// in another case.
func strictly(body []byte, into any) *dialect.Refusal {
	if err := json.Unmarshal(body, into, json.RejectUnknownMembers(true)); err != nil {
		return dialect.BadBody.WithMessage("%s %s", dialect.BadBody.Native.Message, why(err))
	}
	return nil
}

// why says what a reader of JSON stumbled over: its last words, without the
// names of our types.
func why(err error) string {
	text := strings.TrimPrefix(err.Error(), "json: ")
	if i := strings.Index(text, " into Go"); i >= 0 {
		text = text[:i] + " there"
	}
	return "(" + text + ")"
}

// query is what a list is asked for.
type query struct {
	url.Values
	number, size int
}

// names that every list takes.
var listed = []string{"name", "model", "page_no", "page_size"}

// repeated are the names that may stand several times.
var repeated = []string{"providers", "inference_providers", "capabilities", "features"}

// readQuery reads the query of a list. A name that is none of these is refused,
// and so is a second value of one: a filter that is left out in silence shows
// too much.
func readQuery(r *http.Request, more ...string) (q query, refusal *dialect.Refusal) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, &dialect.BadParameters
	}
	for name, said := range values {
		switch {
		case !slices.Contains(listed, name) && !slices.Contains(more, name):
			return q, dialect.Unknown(name)
		case len(said) > 1 && !slices.Contains(repeated, name):
			return q, dialect.Range(name, "The parameter %q stands twice.", name)
		}
	}
	number, ok := count(values.Get("page_no"), 1, 1<<20)
	if !ok {
		return q, dialect.Range("page_no", "Range of page_no should be [1, %d]", 1<<20)
	}
	size, ok := count(values.Get("page_size"), 20, largestPage)
	if !ok {
		return q, dialect.Range("page_size", "Range of page_size should be [1, %d]", largestPage)
	}
	return query{values, number, size}, nil
}

// one gives the value of a filter that is one of some words; the first is what
// nothing means.
func (q query) one(name string, words ...string) (string, *dialect.Refusal) {
	v := q.Get(name)
	if v == "" {
		return words[0], nil
	}
	if !slices.Contains(words, v) {
		return "", dialect.Range(name, "%s should be one of %s", name, strings.Join(slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" }), ", "))
	}
	return v, nil
}

// named asks the filters that every list has: part of the name or id, and the
// whole id.
func (q query) named(m *policy.Model) bool {
	part := strings.ToLower(q.Get("name"))
	return (strings.Contains(strings.ToLower(m.Name), part) || strings.Contains(strings.ToLower(string(m.ID)), part)) &&
		(q.Get("model") == "" || q.Get("model") == string(m.ID))
}

// page cuts a page out of what was found.
func page[T any](q query, found []T) []T {
	from := min((q.number-1)*q.size, len(found))
	return found[from:min(from+q.size, len(found))]
}

func count(s string, otherwise, most int) (int, bool) {
	if s == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= most
}
