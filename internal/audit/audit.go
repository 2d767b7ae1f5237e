// Package audit is the trail: every change is kept together with the event
// that explains it, in one transaction, or not at all. What changes nothing —
// log-ons, refusals, denied calls, explanations — is kept beside the request,
// by the Recorder.
package audit

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"bailiwick/internal/ident"
)

// Event is one line of the trail. It never holds a secret. What is empty of
// ActorKind, ObjectKind, ObjectName and Result is filled in when it is kept.
type Event struct {
	ID         ident.Event
	At         time.Time
	Account    ident.Account
	Workspace  ident.Workspace // empty: the event concerns the account as a whole
	Actor      ident.User      // or the id of the key a program came with; empty: the system or the command line
	ActorKind  Kind
	ActorName  string     // as it was called then, such as "alice@acme" or "command line"
	Address    string     // where the actor came from; empty when it came from this machine's command line
	Call       ident.Call // the request it happened in
	Action     string     // what was done or asked for, as "noun:verb"
	Object     string     // the id of what it was done to
	ObjectKind string     // "workspace", "user", "key" …
	ObjectName string     // as it was called then
	Result     Result
	Summary    string // one sentence in words, such as `created workspace "Marketing"`
	Changes    []Change
	Detail     map[string]string // what else is worth knowing
}

// Kind is what an actor is.
type Kind string

// The kinds of actors.
const (
	Root        Kind = "root"
	User        Kind = "user" // a RAM user
	Key         Kind = "key"  // a program with an API key
	AdminKey    Kind = "admin-key"
	CommandLine Kind = "command-line"
	System      Kind = "system" // the program itself
)

// Kinds lists them in the order of the page's filter.
var Kinds = []Kind{Root, User, Key, AdminKey, CommandLine, System}

// Result is how what was asked for ended.
type Result string

// The results.
const (
	Done    Result = "done"
	Refused Result = "refused" // the actor may not
	Failed  Result = "failed"  // the actor may, and it went wrong
)

// Results lists them in the order of the page's filter.
var Results = []Result{Done, Refused, Failed}

// Change is what one field was before and is after.
type Change struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// Changed notes what a field was before and is after; what stayed the same is
// not noted. A field that holds a secret must not come here.
func (e Event) Changed(field, before, after string) Event {
	if before != after {
		e.Changes = append(slices.Clone(e.Changes), Change{field, before, after})
	}
	return e
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

// About says what the object is and how it is called.
func (e Event) About(kind, name string) Event {
	e.ObjectKind, e.ObjectName = kind, name
	return e
}

// Ended says how it ended, and why if there is something to say.
func (e Event) Ended(as Result, reason string) Event {
	if e.Result = as; reason == "" {
		return e
	}
	return e.With(reasonMark, reason)
}

// reasonMark is the name of the reason in the detail.
const reasonMark = "reason"

// Between notes every field of two values of one struct that differs: numbers,
// texts and booleans. Fields of other kinds and those with a telling name are
// left out, so that nothing sealed or secret gets in.
func (e Event) Between(before, after any) Event {
	was, is := reflect.ValueOf(before), reflect.ValueOf(after)
	for i := range was.NumField() {
		field := was.Type().Field(i)
		if text, plain := plainly(was.Field(i)); plain && field.IsExported() && !telling().MatchString(field.Name) {
			now, _ := plainly(is.Field(i))
			e = e.Changed(spaced(field.Name), text, now)
		}
	}
	return e
}

// telling are the names of what is never noted.
var telling = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)pass|secret|digest|hash|token|seal|seed|credential`)
})

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

// kinds are what ids begin with.
var kinds = map[string]string{"acc": "account", "usr": "user", "llm": "workspace", "ws": "workspace", "key": "key", "prv": "provider", "evt": "event"}

// Settled fills in what goes without saying.
func (e Event) Settled() Event {
	if e.ID == "" {
		e.ID = ident.NewEvent()
	}
	if e.Result == "" {
		e.Result = Done
	}
	if e.ActorKind == "" {
		e.ActorKind = e.kind()
	}
	if e.ObjectKind == "" && e.Object != "" {
		prefix, _, _ := strings.Cut(e.Object, "-")
		noun, _, _ := strings.Cut(e.Action, ":")
		if e.ObjectKind = kinds[prefix]; e.ObjectKind == "" {
			e.ObjectKind = strings.TrimSuffix(noun, "s")
		}
	}
	return e
}

func (e Event) kind() Kind {
	switch {
	case strings.HasPrefix(string(e.Actor), "key-"):
		return Key
	case e.Actor != "":
		return User
	case e.ActorName == CommandLineName:
		return CommandLine
	}
	return System
}

// CommandLineName is how this machine's command line is called.
const CommandLineName = "command line"
