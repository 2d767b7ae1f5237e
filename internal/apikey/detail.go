package apikey

import (
	"fmt"
	"strings"
	"time"

	"bailiwick/internal/audit"
)

// changed notes in the audit trail what narrows a key otherwise than before.
func changed(why audit.Event, before, after Key) audit.Event {
	return why.Changed("description", before.Description, after.Description).
		Changed("models", words(before.Models, "all"), words(after.Models, "all")).
		Changed("addresses", words(before.Networks, "all"), words(after.Networks, "all")).
		Changed("expires", instant(before.ExpiresAt), instant(after.ExpiresAt))
}

// made notes what narrows a new key.
func made(why audit.Event, k Key) audit.Event {
	return why.Changed("description", "", k.Description).Changed("models", "", words(k.Models, "all")).
		Changed("addresses", "", words(k.Networks, "all")).Changed("expires", "", instant(k.ExpiresAt))
}

// wordsMax is how many things of a list the trail names.
const wordsMax = 20

// words lists things; nil means something else.
func words[T any](list []T, otherwise string) string {
	if list == nil {
		return otherwise
	}
	var b strings.Builder
	for i, item := range list[:min(len(list), wordsMax)] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, item)
	}
	if rest := len(list) - wordsMax; rest > 0 {
		fmt.Fprintf(&b, " and %d more", rest)
	}
	return b.String()
}

func instant(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

// named puts a description behind what was done.
func named(description string) string {
	if description == "" {
		return ""
	}
	return fmt.Sprintf(" %q", description)
}
