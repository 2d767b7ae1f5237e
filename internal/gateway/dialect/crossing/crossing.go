// Package crossing is for tests of dialects: it makes sure that every member which
// a dialect reads has a fate that the caller can know. It survives, is refused by
// its name, or is a hint that is named as left out.
package crossing

import (
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/gateway/wire"
)

// Case is a body and the fate of one member of it.
type Case struct {
	Member  string // such as "thinking.display"
	Body    string
	Says    string // a piece of what the provider is sent; it survives
	Marks   string // likewise, where the provider takes cache_control
	Refused string // the parameter that the refusal is about
	LeftOut string // the hints that are named, joined by a comma
}

// Run tries the cases at a dialect: what is sent without marks, and what with.
func Run(t *testing.T, d dialect.Dialect, s dialect.Service, way string, cases []Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Member, func(t *testing.T) {
			x, r := d.Admit(httptest.NewRequest("POST", "/", nil), s, []byte(c.Body), "call")
			var sent []byte
			if r == nil {
				sent, r = x.Body(way, "m")
			}
			if r != nil {
				if c.Refused == "" || r.Param != c.Refused {
					t.Errorf("refused at %q: %s", r.Param, r.OpenAI.Message)
				}
				return
			}
			if _, err := wire.Parse(sent); err != nil || c.Refused != "" || !strings.Contains(string(sent), c.Says) {
				t.Errorf("%v, sent %s", err, sent)
			}
			hints := x.(dialect.Hinting)
			if left := strings.Join(hints.LeftOut(), ","); left != c.LeftOut {
				t.Errorf("left out %q, said %q", left, c.LeftOut)
			}
			hints.Marks(true)
			sent, _ = x.Body(way, "m")
			if _, err := wire.Parse(sent); err != nil || !strings.Contains(string(sent), c.Marks) || c.Marks != "" && slices.Contains(hints.LeftOut(), "cache_control") {
				t.Errorf("%v, with marks sent %s, left out %q", err, sent, hints.LeftOut())
			}
		})
	}
}

// Cover makes sure that every member of the types, given by what their members
// begin with, is that of some case.
func Cover(t *testing.T, cases []Case, types map[string]reflect.Type) {
	t.Helper()
	for at, of := range types {
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if !slices.ContainsFunc(cases, func(c Case) bool {
				return c.Member == at+name || strings.HasPrefix(c.Member, at+name+" ") || strings.HasPrefix(c.Member, at+name+".")
			}) {
				t.Errorf("no case says what becomes of %s%s", at, name)
			}
		}
	}
}
