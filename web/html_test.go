package web_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"bailiwick/internal/ident"
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

var (
	wholeForm = regexp.MustCompile(`(?s)<form .*?</form>`)
	buttonTag = regexp.MustCompile(`(?s)<button ([^>]*)>(.*?)</button>`)
	inputTag  = regexp.MustCompile(`<input [^>]*>`)
	tableRow  = regexp.MustCompile(`(?s)<tr>.*?</tr>`)
	anID      = regexp.MustCompile(`llm-[0-9a-z]{16}`)
)

// attribute is the value of the first attribute of that name.
func attribute(tag, name string) string {
	_, rest, found := strings.Cut(tag, " "+name+`="`)
	if !found {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// hasButton reports whether a form holds a button that sends it and goes by
// this name.
func hasButton(form, name string) bool {
	for _, found := range buttonTag.FindAllStringSubmatch(form, -1) {
		label := attribute(" "+found[1], "aria-label")
		if label == "" {
			label = words(found[2])
		}
		if html.UnescapeString(label) == name && attribute(" "+found[1], "type") == "submit" && !strings.Contains(found[1], "disabled") {
			return true
		}
	}
	return false
}

// idBeside is the workspace id in the row of a table that holds a name.
func idBeside(t testing.TB, a *answer, name string) string {
	t.Helper()
	for _, row := range tableRow.FindAllString(a.body, -1) {
		if id := anID.FindString(row); id != "" && strings.Contains(words(row), name) {
			return id
		}
	}
	t.Fatalf("%s shows no id of %s", a.what, name)
	return ""
}

func workspaceID(text string) ident.Workspace { return ident.Workspace(text) }
