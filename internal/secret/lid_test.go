package secret_test

import (
	"bytes"
	"strings"
	"testing"

	"bailiwick/internal/secret"
)

func TestALidOpensForItsHolderAndItsPlaceAlone(t *testing.T) {
	holder, other := secret.NewAdminKey(), secret.NewAdminKey()
	lid := secret.NewLid(holder, "tests")
	sealed := lid.Close([]byte("a canary"), []byte("here"))
	if bytes.Contains(sealed, []byte("canary")) {
		t.Error("it is not sealed")
	}
	if text, err := secret.NewLid(holder, "tests").Open(sealed, []byte("here")); err != nil || string(text) != "a canary" {
		t.Errorf("its holder opens it to %q, %v", text, err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another secret":  func() ([]byte, error) { return secret.NewLid(other, "tests").Open(sealed, []byte("here")) },
		"another purpose": func() ([]byte, error) { return secret.NewLid(holder, "else").Open(sealed, []byte("here")) },
		"another place":   func() ([]byte, error) { return lid.Open(sealed, []byte("there")) },
		"a changed bit":   func() ([]byte, error) { return lid.Open(changed, []byte("here")) },
		"a piece":         func() ([]byte, error) { return lid.Open(sealed[:5], []byte("here")) },
	} {
		if text, err := open(); err == nil {
			t.Errorf("%s opens it to %q", name, text)
		}
	}
	if lid.Mark([]byte("a"), []byte("bc")) == lid.Mark([]byte("ab"), []byte("c")) || lid.Mark([]byte("a")) == secret.NewLid(other, "tests").Mark([]byte("a")) {
		t.Error("marks of different texts or holders are alike")
	}
}

func TestAdminKeysAreOfTheirOwnKind(t *testing.T) {
	text := secret.NewAdminKey().Reveal()
	if !secret.AdminWellFormed(text) || secret.WellFormed(text) || secret.AdminWellFormed(secret.NewKey().Reveal()) {
		t.Errorf("%q is mistaken", text)
	}
	for i := range text {
		wrong := []byte(text)
		if wrong[i]++; secret.AdminWellFormed(string(wrong)) {
			t.Errorf("a mistake at %d passes", i)
		}
	}
	if secret.AdminWellFormed(text[:len(text)-1]) || secret.AdminWellFormed(text+"x") || secret.AdminWellFormed(strings.ToUpper(text)) || secret.AdminWellFormed("") {
		t.Error("what is no key passes")
	}
}
