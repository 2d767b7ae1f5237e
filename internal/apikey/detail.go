package apikey

import (
	"fmt"
	"strings"
	"time"
)

// terms are what narrows a key, in words for the audit trail.
func (k Key) terms() map[string]string {
	return map[string]string{
		"description": k.Description,
		"models":      words(k.Models, "all"),
		"addresses":   words(k.Networks, "all"),
		"expires":     instant(k.ExpiresAt),
	}
}

// changed puts before and after beside each other where they differ.
func changed(before, after map[string]string) map[string]string {
	detail := map[string]string{}
	for name, was := range before {
		if is := after[name]; is != was {
			detail[name] = fmt.Sprintf("%s → %s", orNone(was), orNone(is))
		}
	}
	return detail
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
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
