package secret_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/secret"
)

func TestASecretPrintsAsRedactedEverywhere(t *testing.T) {
	s := secret.NewText("canary-4711")
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s)
	fmt.Fprintf(&out, "%v %+v", struct{ S secret.Text }{s}, &struct{ S secret.Text }{s})
	if err := json.NewEncoder(&out).Encode(map[string]any{"s": s}); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", s)
	if strings.Contains(out.String(), "4711") || strings.Contains(out.String(), fmt.Sprintf("%x", "4711")) {
		t.Errorf("the secret shows: %s", out.String())
	}
}

func TestAKeyIsWellFormedAndNoKeyWithAMistakeIs(t *testing.T) {
	for range 200 {
		k := secret.NewKey().Reveal()
		if !secret.WellFormed(k) {
			t.Fatalf("a fresh key %q is not well-formed", k)
		}
		for i := range k {
			for _, c := range []byte{'0', 'z', '_', ' ', 0, 0xff} {
				if k[i] == c {
					continue
				}
				if bad := k[:i] + string(c) + k[i+1:]; secret.WellFormed(bad) {
					t.Fatalf("%q with a mistake at %d is well-formed: %q", k, i, bad)
				}
			}
		}
	}
	for _, bad := range []string{"", "sk-", "sk-ws-", strings.Repeat("a", 10_000), secret.NewKey().Reveal() + "x"} {
		if secret.WellFormed(bad) {
			t.Errorf("%.40q is well-formed", bad)
		}
	}
}

func FuzzWellFormed(f *testing.F) {
	f.Add(secret.NewKey().Reveal())
	f.Add("sk-ws-" + strings.Repeat("0", 43) + "_000000")
	f.Fuzz(func(t *testing.T, s string) {
		if secret.WellFormed(s) && (len(s) != 56 || !strings.HasPrefix(s, secret.KeyPrefix)) {
			t.Errorf("%q is well-formed", s)
		}
	})
}

func TestADigestDependsOnTheMasterKey(t *testing.T) {
	one, two := master(t), master(t)
	k := secret.NewKey().Reveal()
	if one.Pepper().Digest(k) != one.Pepper().Digest(k) {
		t.Error("the same key has two digests")
	}
	if one.Pepper().Digest(k) == two.Pepper().Digest(k) {
		t.Error("two master keys give one digest")
	}
}

func TestASealedSecretOpensOnlyInItsPlace(t *testing.T) {
	m := master(t)
	sealer, err := m.Sealer()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := sealer.Seal(secret.NewText("upstream"), "provider|a|1")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("upstream")) {
		t.Error("the sealed form holds the secret in clear")
	}
	if got, err := sealer.Open(sealed, "provider|a|1"); err != nil || got.Reveal() != "upstream" {
		t.Errorf("it opens as %q, %v", got.Reveal(), err)
	}
	if _, err := sealer.Open(sealed, "provider|a|2"); err == nil {
		t.Error("it opens in another place")
	}
	other, _ := master(t).Sealer()
	if _, err := other.Open(sealed, "provider|a|1"); err == nil {
		t.Error("it opens under another master key")
	}
}

func TestWhatTinkSealedOpens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("b3VyLXRlc3QtdmVjdG9yLWZvci1zZWFsaW5nLTAwMDE=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := secret.LoadMaster(file)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := m.Sealer()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := hex.DecodeString("0000004a42480d809aa28ef84a630486977f96072885e9f7f2a0ca38dd41b162e3644323a3e1f1f0775e0048d22bf1134c78933453ca17aed4" +
		"456a2f5cb74b27371d2cb94f7973757684e82c00f435ba0ab7eaacee7d10ceb0f84bc926e629b2bd38d82b8c95cf85db51efcc74783660fbf0")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sealer.Open(sealed, "provider|a|1"); err != nil || got.Reveal() != "upstream" {
		t.Errorf("it opens as %q, %v", got.Reveal(), err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := sealer.Open(bad, "provider|a|1"); err == nil {
			t.Errorf("it opens with byte %d changed", i)
		}
		if _, err := sealer.Open(sealed[:i], "provider|a|1"); err == nil {
			t.Errorf("the first %d bytes open", i)
		}
	}
}

func TestPasswordsMatchOnlyThemselves(t *testing.T) {
	ctx := context.Background()
	p := secret.NewText("a short sentence of mine")
	kept, err := secret.HashPassword(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{p.Reveal(): true, "a short sentence of mind": false, "": false} {
		if got, err := secret.PasswordMatches(ctx, secret.NewText(text), kept); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if got, err := secret.PasswordMatches(ctx, p, secret.Nobody); err != nil || got {
		t.Errorf("nobody's hash matches: %v, %v", got, err)
	}
	again, _ := secret.HashPassword(ctx, p)
	if again == kept {
		t.Error("two hashes of one password are equal")
	}
}

func TestWeakPasswordsAreRefusedWithTheirReason(t *testing.T) {
	for _, text := range []string{"", "short", strings.Repeat("a", 20), "passwordpassword", "changeme-changeme", strings.Repeat("x1", 200)} {
		if _, ok := fault.On(secret.CheckPassword("password", secret.NewText(text)), "password"); !ok {
			t.Errorf("%q passes", text)
		}
	}
	for _, text := range []string{"correct horse battery", "Grüße aus dem schönen Köln", secret.NewPassword().Reveal()} {
		if err := secret.CheckPassword("password", secret.NewText(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPasswordsThatPeopleTryFirstAreRefused(t *testing.T) {
	for _, text := range []string{
		"passwordpassword1", "Password1234567!", "p@ssw0rdp@ssw0rd", "thisismypassword", "iloveyouiloveyou", "letmeinletmein123", "princess princess1",
		"123456789012345", "qwertyuiopasdfgh", "1qaz2wsx3edc4rfv", "abcdefghijklmnop", "1234567890qwertyuiop", "abcabcabcabcabcabc",
		"ab c9ab c9ab c9ab c9ab c9", "Summer2026Summer2026", "Administrator123", strings.Repeat("aZ", 128), strings.Repeat("a", 128) + strings.Repeat("7", 100),
		"acmeacmeacmeacme", "Acme Bailiwick 1", "alice@acme-2026!", "bailiwick-acme-root", "Alice-Doe-Acme-1", "AliceDoeAliceDoe",
		"h3ll0w0rld12345", "P@$$w0rd!P@$$w0rd!", "qwertzuiopasdfg", "azertyuiopqsdfg", "741852963741852", "monkey31.12.1999", "zyxwvutsrqponml", "dragon dragon 77 dragon",
	} {
		err := secret.CheckPassword("password", secret.NewText(text), "acme", "alice", "Alice Doe", "alice@example.com", "")
		if f, ok := fault.On(err, "password"); !ok || f.Kind != fault.Invalid {
			t.Errorf("%q passes", text)
		}
	}
	for _, text := range []string{
		"acme makes the best anvils in town", "my dog eats homework daily", "correcthorsebatterystaple", "aaaa aaaa aaaa the cat has typed this",
		strings.Repeat("a", 100) + " and then a sentence of words that nobody ever wrote before", "日本語のパスワードはとても長いです",
	} {
		if err := secret.CheckPassword("password", secret.NewText(text), "acme", "alice", "Alice Doe"); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAnyTextCanBeCheckedQuickly(t *testing.T) {
	began := time.Now()
	letters := []rune("aA1é日\U0001F600 @$\u0301x")
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		text := make([]rune, 15+random.IntN(240))
		for i := range text {
			text[i] = letters[random.IntN(len(letters))]
		}
		_ = secret.CheckPassword("password", secret.NewText(string(text)), "acme")
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("60 passwords took %s", took)
	}
}

func TestSec27_AMasterKeyThatIsWeakOrReadableStopsTheStart(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "master.key")
	if _, err := secret.LoadMaster(file); err != nil {
		t.Fatalf("the first start: %v", err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key's file has mode %v, %v", info.Mode(), err)
	}
	if _, err := secret.LoadMaster(file); err != nil {
		t.Fatalf("the second start: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.LoadMaster(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key others can read: %v", err)
	}
	for name, text := range map[string]string{"empty": "", "short": "c2hvcnQ=", "zero": strings.Repeat("A", 43) + "=",
		"sample": "Y2hhbmdlLW1lLWNoYW5nZS1tZS1jaGFuZ2UtbWUtMTI="} {
		bad := filepath.Join(dir, name)
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.LoadMaster(bad); err == nil {
			t.Errorf("a master key that is %s is taken", name)
		}
	}
}

func master(t testing.TB) secret.Master {
	t.Helper()
	m, err := secret.LoadMaster(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
