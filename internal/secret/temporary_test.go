package secret_test

import (
	"strings"
	"testing"
	"time"

	"bailiwick/internal/secret"
)

func TestATemporaryKeyOpensOnlyAsItWasMade(t *testing.T) {
	p := master(t).Pepper()
	digest, until := p.Digest(secret.NewKey().Reveal()), time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	text := p.Temporary(digest, until).Reveal()
	if got, at, ok := p.OpenTemporary(text); !ok || got != digest || !at.Equal(until) {
		t.Fatalf("it opens as %x until %s, %v", got, at, ok)
	}
	for i := range text {
		bad := []byte(text)
		if bad[i]++; string(bad) == text {
			continue
		}
		if _, _, ok := p.OpenTemporary(string(bad)); ok {
			t.Errorf("with a change at %d it still opens", i)
		}
	}
	for _, bad := range []string{"", "st-", text[:len(text)-1], text + "A", text + "=", text + "\n", text[:len(text)-4] + "\n\n\n\n", strings.TrimPrefix(text, "st-"), "sk-" + text, strings.ToUpper(text)} {
		if _, _, ok := p.OpenTemporary(bad); ok {
			t.Errorf("%q opens", bad)
		}
	}
	if _, _, ok := master(t).Pepper().OpenTemporary(text); ok {
		t.Error("it opens under another master key")
	}
	if secret.WellFormed(text) {
		t.Error("it passes for an API key")
	}
}

func FuzzOpenTemporary(f *testing.F) {
	p := master(f).Pepper()
	f.Add("st-")
	f.Add(p.Temporary(secret.Digest{1}, time.Unix(1, 0)).Reveal()[1:])
	f.Fuzz(func(t *testing.T, text string) {
		if d, until, ok := p.OpenTemporary(text); ok && p.Temporary(d, until).Reveal() != text {
			t.Errorf("%q opens and was not made here", text)
		}
	})
}
