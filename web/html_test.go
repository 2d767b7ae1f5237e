package web_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`(?s)<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>`)

// linkTo is the address behind the first link with these words.
func linkTo(t testing.TB, a *answer, text string) string {
	t.Helper()
	for _, found := range link.FindAllStringSubmatch(a.body, -1) {
		if words(found[2]) == text {
			return html.UnescapeString(found[1])
		}
	}
	t.Fatalf("%s has no link %q", a.what, text)
	return ""
}

var formTag = regexp.MustCompile(`(?s)<form [^>]*action="([^"]*)".*?</form>`)

// formTo is the address of the first form that holds these words.
func formTo(t testing.TB, a *answer, text string) string {
	t.Helper()
	for _, found := range formTag.FindAllStringSubmatch(a.body, -1) {
		if strings.Contains(words(found[0]), text) || strings.Contains(found[0], `aria-label="`+text+`"`) {
			return html.UnescapeString(found[1])
		}
	}
	t.Fatalf("%s has no form %q", a.what, text)
	return ""
}
