package provider

import (
	"bytes"

	"bailiwick/internal/audit"
)

// changed notes in the audit trail what a provider was and is. Of its
// credential it says no more than whether there is one, and whether it is
// another one.
func changed(why audit.Event, before, after Provider) audit.Event {
	if why.ObjectName = after.Name; after.Name == "" {
		why.ObjectName = before.Name
	}
	why = why.Changed("name", before.Name, after.Name).Changed("kind", string(before.Kind), string(after.Kind)).Changed("address", before.BaseURL, after.BaseURL)
	switch {
	case bytes.Equal(before.Sealed, after.Sealed):
		return why
	case before.Sealed == nil:
		return why.Changed("credential", "none", "given")
	case after.Sealed == nil:
		return why.Changed("credential", "given", "none")
	}
	return why.Changed("credential", "given", "another one")
}
