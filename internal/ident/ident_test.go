package ident_test

import (
	"strings"
	"testing"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

func TestWhatIsGeneratedParses(t *testing.T) {
	for range 100 {
		ws := ident.NewWorkspace()
		if got, err := ident.ParseWorkspace(string(ws)); err != nil || got != ws {
			t.Fatalf("%q: %v", ws, err)
		}
		if _, err := ident.ParseKey(string(ident.NewKey())); err != nil {
			t.Fatal(err)
		}
		if _, err := ident.ParseProvider(string(ident.NewProvider())); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWorkspaceIDsHaveTheTwoPublishedForms(t *testing.T) {
	for id, want := range map[string]bool{
		"llm-8l75168qayuhsr3o": true, "llm-34o9ts1dai60z5sf": true, "ws-ac3ef438bec22dc5": true,
		"": false, "llm-": false, "llm-8L75168QAYUHSR3O": false, "llm-8l75168qayuhsr3": false, "llm-8l75168qayuhsr3oo": false,
		"ws-zc3ef438bec22dc5": false, "llm-8l75168qayuhsr3o ": false, "llm-8l75168qayuhs' o": false, "key-8l75168qayuhsr3o": false,
	} {
		_, err := ident.ParseWorkspace(id)
		if (err == nil) != want {
			t.Errorf("%q: %v", id, err)
		}
		if err != nil && !fault.Is(err, fault.Missing) {
			t.Errorf("%q is %v, not missing", id, err)
		}
	}
}

func TestModelIDsHoldWhatProvidersUse(t *testing.T) {
	for id, want := range map[string]bool{
		"qwen-turbo": true, "meta-llama/Llama-3.1-8B": true, "llama3:8b-q4_K_M": true, "@cf/x": false, "": false, "a b": false,
		"mo\x00del": false, "ü": false, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false, "a'or'1": false,
	} {
		if _, err := ident.ParseModel(id); (err == nil) != want {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestLogOnNamesAreTakenApart(t *testing.T) {
	name, alias, err := ident.SplitLogOn("  Alice@ACME ")
	if err != nil || name != "alice" || alias != "acme" {
		t.Errorf("%q %q %v", name, alias, err)
	}
	for _, bad := range []string{"", "alice", "@acme", "alice@", "al ice@acme", "alice@acme@x", "alice@1acme", strings.Repeat("a", 70) + "@acme"} {
		if _, _, err := ident.SplitLogOn(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestCallsAreRandomUUIDs(t *testing.T) {
	a, b := ident.NewCall(), ident.NewCall()
	if a == b || len(a) != 36 || a[14] != '4' || !strings.ContainsRune("89ab", rune(a[19])) {
		t.Errorf("%q %q", a, b)
	}
}
