// Package audit is the trail: every change is kept together with the event
// that explains it, in one transaction, or not at all.
package audit

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode"

	"bailiwick/internal/ident"
)

// Event is one line of the trail. It never holds a secret.
type Event struct {
	ID        ident.Event
	At        time.Time
	Account   ident.Account
	Workspace ident.Workspace // empty: the event concerns the account as a whole
	Actor     ident.User      // empty: the system or the command line
	ActorName string          // as it was called then, such as "alice@acme" or "command line"
	Address   string          // where the actor came from; empty when it came from this machine's command line
	Call      ident.Call      // the request it happened in
	Action    string          // what was done, as "noun:verb"
	Object    string          // the id of what it was done to
	Summary   string          // one sentence in words, such as `created workspace "Marketing"`
	Detail    map[string]string
}

// What a name in the detail ends with when its value is that before or after
// the change.
const (
	BeforeMark = ".before"
	AfterMark  = ".after"
)

// Changed notes what a field was before and is after; what stayed the same is
// not noted. A field that holds a secret must not come here.
func (e Event) Changed(field, before, after string) Event {
	if before == after {
		return e
	}
	return e.With(field+BeforeMark, before).With(field+AfterMark, after)
}

// With notes one more thing.
func (e Event) With(name, value string) Event {
	e.Detail = maps.Clone(e.Detail)
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	e.Detail[name] = value
	return e
}

// Between notes every field of two values of one struct that differs: numbers,
// texts and booleans. Fields of other kinds and those with a telling name are
// left out, so that nothing sealed or secret gets in.
func (e Event) Between(before, after any) Event {
	was, is := reflect.ValueOf(before), reflect.ValueOf(after)
	for i := range was.NumField() {
		field := was.Type().Field(i)
		if text, plain := plainly(was.Field(i)); plain && field.IsExported() && !telling.MatchString(field.Name) {
			now, _ := plainly(is.Field(i))
			e = e.Changed(spaced(field.Name), text, now)
		}
	}
	return e
}

// telling are the names of what is never noted.
var telling = regexp.MustCompile(`(?i)pass|secret|digest|hash|token|seal|seed|credential`)

func plainly(v reflect.Value) (string, bool) {
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.String:
		return fmt.Sprint(v.Interface()), true
	}
	return "", false
}

// spaced writes the name of a field as words: "WorkspaceLimit" as "workspace limit".
func spaced(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
