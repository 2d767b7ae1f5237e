package adminapi_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"bailiwick/internal/adminapi"
	"bailiwick/internal/store/storetest"
)

var document = sync.OnceValues(func() (*openapi3.T, error) {
	text, err := adminapi.Document("https://models.example.com")
	if err != nil {
		return nil, err
	}
	return openapi3.NewLoader().LoadFromData(text)
})

// described finds what the document says of a request.
func described(d *openapi3.T, method, path string) *openapi3.Operation {
	path, _, _ = strings.Cut(path, "?")
	asked := strings.Split(adminapi.Prefix+path, "/")
	for template, item := range d.Paths.Map() {
		parts := strings.Split(template, "/")
		same := len(parts) == len(asked)
		for i := 0; same && i < len(parts); i++ {
			same = parts[i] == asked[i] || strings.HasPrefix(parts[i], "{") && !literal(d, template, i, asked[i])
		}
		if o := item.GetOperation(method); same && o != nil {
			return o
		}
	}
	return nil
}

// literal reports whether another path has this word at a place where a
// template has a parameter.
func literal(d *openapi3.T, template string, at int, word string) bool {
	for other := range d.Paths.Map() {
		parts := strings.Split(other, "/")
		if other != template && len(parts) == len(strings.Split(template, "/")) && parts[at] == word {
			return true
		}
	}
	return false
}

// matches makes sure that an answer is one that the document declares.
func (w *world) matches(a *answer, method, path string) {
	w.t.Helper()
	d, err := document()
	w.must(err)
	if method == "HEAD" || strings.HasPrefix(path, "/openapi") {
		return
	}
	var schema *openapi3.Schema
	if o := described(d, method, path); o != nil {
		declared := o.Responses.Value(strconv.Itoa(a.status))
		if declared == nil {
			w.t.Fatalf("%s answered %d, which the document does not declare: %s", a.what, a.status, a.body)
		}
		if content := declared.Value.Content.Get("application/json"); content != nil {
			schema = content.Schema.Value
		} else if a.body != "" {
			w.t.Fatalf("%s answered %q where nothing is declared", a.what, a.body)
		}
		if etag := declared.Value.Headers["ETag"]; etag != nil && a.header.Get("ETag") == "" {
			w.t.Fatalf("%s has no ETag", a.what)
		}
	} else {
		schema = d.Components.Schemas["Failure"].Value
	}
	if schema == nil {
		return
	}
	var value any
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		w.t.Fatalf("%s: %v: %s", a.what, err, a.body)
	}
	if err := schema.VisitJSON(value); err != nil {
		w.t.Fatalf("%s does not match its schema: %v", a.what, err)
	}
}

func TestTheDocumentIsValidAndIsWhatIsServed(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	served := w.ask("", "GET", adminapi.DocumentPath, "").is(200)
	d, err := openapi3.NewLoader().LoadFromData([]byte(served.body))
	w.must(err)
	w.must(d.Validate(t.Context()))
	listed := map[string]bool{}
	for path, item := range d.Paths.Map() {
		for method, o := range item.Operations() {
			listed[method+" "+strings.TrimPrefix(path, adminapi.Prefix)] = true
			sample := string(mustJSON(t, o.Extensions["x-codeSamples"]))
			if o.Summary == "" || o.Description == "" || o.OperationID == "" || !strings.Contains(sample, "curl ") || len(o.Responses.Map()) < 8 {
				t.Errorf("%s %s is not wholly described", method, path)
			}
		}
	}
	for _, o := range adminapi.Operations() {
		if !listed[o.Method+" "+o.Path] {
			t.Errorf("%s is served and not in the document", o.ID)
		}
		delete(listed, o.Method+" "+o.Path)
	}
	if len(listed) != 0 {
		t.Errorf("the document lists what is not served: %v", listed)
	}
	w.ask("", "POST", adminapi.DocumentPath, "{}").is(405)
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
