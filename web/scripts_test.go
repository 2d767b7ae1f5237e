package web_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// onlyWithScripts is the line of the style sheet that hides what does nothing
// where scripts do not run.
var onlyWithScripts = regexp.MustCompile(`html:not\(\.scripts\) :is\(([^{]*)\) \{ display: none`)

func TestNoChoiceOfAFormIsHiddenWhereScriptsDoNotRun(t *testing.T) {
	sheet, err := os.ReadFile("../static/css/base.css")
	if err != nil {
		t.Fatal(err)
	}
	line := onlyWithScripts.FindStringSubmatch(string(sheet))
	if line == nil {
		t.Fatal("the style sheet hides nothing without scripts")
	}
	hidden := strings.Split(line[1], ", ")
	o := start(t)
	in, fieldset := "/workspaces/"+string(o.a), regexp.MustCompile(`<fieldset [^>]*>`)
	for _, path := range []string{in + "/trainings/new", in + "/members/new", in + "/keys/new", in + "/datasets/new", "/account/users/new", "/account/settings"} {
		found := fieldset.FindAllString(o.get("root", path).is(200).body, -1)
		if len(found) == 0 {
			t.Errorf("%s has no choices", path)
		}
		for _, tag := range found {
			for class := range strings.FieldsSeq(attribute(tag, "class")) {
				if slices.Contains(hidden, "."+class) {
					t.Errorf("%s hides choices of the class %q without scripts", path, class)
				}
			}
		}
	}
}
