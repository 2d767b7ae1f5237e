package secret_test

import (
	"testing"
	"time"

	"bailiwick/internal/ident"
)

func TestATemporaryKeyOpensOnlyAsItWasMade(t *testing.T) {
	p := master(t).Pepper()
	key, until := ident.NewKey(), time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	text := p.Temporary(key, until).Reveal()
	if got, at, ok := p.OpenTemporary(text); !ok || got != key || !at.Equal(until) {
		t.Fatalf("it opens as %q until %s, %v", got, at, ok)
	}
	for i := range text {
		bad := []byte(text)
		if bad[i]++; bad[i] == '=' || string(bad) == text {
			continue
		}
		if _, _, ok := p.OpenTemporary(string(bad)); ok {
			t.Errorf("with a change at %d it still opens", i)
		}
	}
	if _, _, ok := master(t).Pepper().OpenTemporary(text); ok {
		t.Error("it opens under another master key")
	}
}
