// Package fault names the few ways a request can fail. A Fault carries a
// message that is safe to show to whoever asked; its cause is for the log only.
package fault

import (
	"errors"
	"fmt"
)

// Kind is what went wrong, independent of how it is shown. Pages and APIs map
// each kind to one status.
type Kind int

const (
	// Internal is our own failure; also the kind of every error that is no Fault.
	Internal Kind = iota
	// Invalid means the caller said something that cannot be done as said.
	Invalid
	// Unauthenticated means we do not know who asks.
	Unauthenticated
	// Forbidden means we know who asks, and they may not.
	Forbidden
	// Missing means there is no such thing, or it is somebody else's: the two are never told apart.
	Missing
	// Conflict means somebody else changed it meanwhile, or its name is taken.
	Conflict
	// Full means a quota is used up.
	Full
	// Busy means try again later.
	Busy
	// Unavailable means something we depend on does not answer.
	Unavailable
)

var names = [...]string{"internal", "invalid", "unauthenticated", "forbidden", "missing", "conflict", "full", "busy", "unavailable"}

func (k Kind) String() string { return names[k] }

// Fault is a failure with a kind and a message safe to show.
type Fault struct {
	Kind    Kind
	Field   string // the form field or JSON member the message is about; empty when it is about the whole
	Message string // one or two sentences: what is wrong, the limit, what to do next
	cause   error
}

func (f *Fault) Error() string {
	if f.cause == nil {
		return f.Kind.String() + ": " + f.Message
	}
	return f.Kind.String() + ": " + f.Message + ": " + f.cause.Error()
}

// Unwrap gives the cause, which is never shown.
func (f *Fault) Unwrap() error { return f.cause }

// New makes a fault of the given kind with a message safe to show.
func New(k Kind, format string, args ...any) *Fault {
	return &Fault{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Field makes an Invalid fault about one field.
func Field(field, format string, args ...any) *Fault {
	return &Fault{Kind: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// About names the field a fault is about and returns the fault.
func (f *Fault) About(field string) *Fault {
	f.Field = field
	return f
}

// Because keeps the cause of a fault for the log and returns the fault.
func (f *Fault) Because(err error) *Fault {
	f.cause = err
	return f
}

// NoSuch is the one answer for what does not exist and for what is somebody
// else's. The noun is our own word, never something the caller sent.
func NoSuch(noun string) *Fault {
	return New(Missing, "There is no such %s.", noun)
}

// KindOf says which kind an error is; errors that are no Fault are Internal.
func KindOf(err error) Kind {
	var f *Fault
	if errors.As(err, &f) {
		return f.Kind
	}
	return Internal
}

// Is reports whether err is a fault of that kind.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// On returns the fault if err is one about the given field, so that a form can
// show it beside the field.
func On(err error, field string) (*Fault, bool) {
	var f *Fault
	if errors.As(err, &f) && f.Field == field {
		return f, true
	}
	return nil, false
}

// Show gives what may be shown of an error: a fault's message, or one neutral
// sentence for anything else.
func Show(err error) string {
	var f *Fault
	if errors.As(err, &f) {
		return f.Message
	}
	return "Something went wrong on our side. Try again; if it stays, tell your administrator the request id."
}
