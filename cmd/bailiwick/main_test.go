package main

import (
	"slices"
	"strings"
	"testing"
)

func TestHelpIsGivenInEveryWayThatPeopleAskForIt(t *testing.T) {
	for asked, want := range map[string]string{
		"":                 "--help",
		"help":             "--help",
		"help key add":     "key add --help",
		"--version":        "version",
		"key add help":     "key add help",
		"workspace list":   "workspace list",
		"serve --data=foo": "serve --data=foo",
	} {
		args := strings.Fields(asked)
		before := slices.Clone(args)
		if got := strings.Join(spelled(args), " "); got != want {
			t.Errorf("bailiwick %s is read as %q, not as %q", asked, got, want)
		}
		if !slices.Equal(args, before) {
			t.Errorf("bailiwick %s: the arguments were changed", asked)
		}
	}
}
