package factor_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// bench is a service on a real database, and somebody who uses it.
type bench struct {
	*factor.Service
	t     *testing.T
	clock *storetest.Clock
	store *store.Store
	who   access.Actor
}

func newBench(t *testing.T) *bench {
	t.Helper()
	clock := &storetest.Clock{}
	c := storetest.SQLiteConfig(t)
	c.Now = clock.Now
	s := storetest.Open(t, c)
	w := storetest.NewWorld(t, s, "acme")
	master, err := secret.ParseMaster("AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK+2vcTL0tk=")
	must(t, err)
	sealer, err := master.Sealer()
	must(t, err)
	b := &bench{t: t, clock: clock, store: s, Service: &factor.Service{
		Store: s, Sealer: sealer, Pepper: master.Factors(), Throttle: &account.Throttle{Now: clock.Now}, Now: clock.Now,
		Accounts: &account.Service{Store: s, Throttle: &account.Throttle{Now: clock.Now}, Now: clock.Now},
	}}
	b.who, err = s.Actor(t.Context(), w.Root.ID)
	must(t, err)
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) user() account.User {
	b.t.Helper()
	u, err := b.Halfway(b.t.Context(), b.who.User)
	must(b.t, err)
	return u
}

// enrolled has an app whose seed it gives.
func (b *bench) enrolled() string {
	b.t.Helper()
	o, err := b.OfferApp(b.who)
	must(b.t, err)
	_, err = b.AddApp(b.t.Context(), b.who, o.Sealed, code(b.t, o.Seed.Reveal(), b.clock.Now()))
	must(b.t, err)
	return o.Seed.Reveal()
}

func code(t *testing.T, seed string, at time.Time) string {
	t.Helper()
	text, err := totp.GenerateCode(seed, at)
	must(t, err)
	return text
}

// Check 38: a code is good in its own half minute and the ones beside it, once.
func TestSec38_ACodeIsGoodAroundItsTimeAndNeverAgain(t *testing.T) {
	b := newBench(t)
	seed := b.enrolled()
	for _, step := range []struct {
		of   time.Duration // the clock of the app, against ours
		good bool
	}{
		{0, false}, // it was the one that set the app up
		{30 * time.Second, true},
		{30 * time.Second, false},
		{0, false},                // earlier than the last
		{60 * time.Second, false}, // too far ahead
		{-60 * time.Second, false},
	} {
		err := b.LogOn(t.Context(), b.user(), code(t, seed, b.clock.Now().Add(step.of)), "192.0.2.1", ident.NewCall())
		if (err == nil) != step.good {
			t.Errorf("a code of %s from now: %v", step.of, err)
		}
		b.Throttle = &account.Throttle{Now: b.clock.Now}
	}
	b.clock.Pass(10 * time.Minute)
	if err := b.LogOn(t.Context(), b.user(), code(t, seed, b.clock.Now().Add(-25*time.Second)), "192.0.2.1", ident.NewCall()); err != nil {
		t.Errorf("a code of half a minute ago: %v", err)
	}
}

// Check 38: the seed lies sealed, for one user, and codes as keyed digests.
func TestSec38_WhatIsKeptIsWorthNothingWithoutTheMasterKey(t *testing.T) {
	b := newBench(t)
	o, err := b.OfferApp(b.who)
	must(t, err)
	codes, err := b.AddApp(t.Context(), b.who, o.Sealed, code(t, o.Seed.Reveal(), b.clock.Now()))
	must(t, err)
	set, err := b.Of(t.Context(), b.who)
	must(t, err)
	if strings.Contains(string(set.App.Seed), o.Seed.Reveal()) || len(codes) != factor.CodesMade || set.Codes != factor.CodesMade {
		t.Errorf("%d codes", len(codes))
	}
	other := b.who
	other.User = ident.NewUser()
	if _, err := b.AddApp(t.Context(), other, o.Sealed, code(t, o.Seed.Reveal(), b.clock.Now())); !fault.Is(err, fault.Invalid) {
		t.Errorf("another's offer: %v", err)
	}
	seen := map[string]bool{}
	for _, c := range codes {
		if len(strings.ReplaceAll(c.Reveal(), "-", "")) != 16 || seen[c.Reveal()] {
			t.Errorf("the code %s", c.Reveal())
		}
		seen[c.Reveal()] = true
	}
}

func TestPasskeysNeedAHostNameAndEncryptionOrThisMachine(t *testing.T) {
	for base, works := range map[string]bool{
		"https://models.example.com": true, "https://models.example.com:8443": true, "http://localhost:8080": true, "http://demo.localhost": true,
		"http://127.0.0.1:8080": false, "https://10.0.0.7": false, "https://[::1]:8080": false, "http://models.example.com": false, "": false, "%": false,
	} {
		if why := factor.NewSite(base).Trouble(); (why == "") != works {
			t.Errorf("%q: %q", base, why)
		}
	}
}

// What no browser answered, or not to us, is refused, and counted.
func TestSec38_PasskeysAreNotForgedAndTryingIsThrottled(t *testing.T) {
	b := newBench(t)
	site := factor.NewSite("https://models.example.com")
	challenge := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("x", 56)))
	client := base64.RawURLEncoding.EncodeToString([]byte(`{"type":"webauthn.get","challenge":"` + challenge + `","origin":"https://models.example.com"}`))
	forged := `{"id":"YWJj","rawId":"YWJj","type":"public-key","response":{"clientDataJSON":"` + client + `","authenticatorData":"` +
		base64.RawURLEncoding.EncodeToString(make([]byte, 37)) + `","signature":"YWJj","userHandle":"` + base64.RawURLEncoding.EncodeToString([]byte(b.who.User)) + `"}}`
	for _, answer := range []string{"", "{}", "null", `"x"`, forged, strings.ReplaceAll(forged, "webauthn.get", "webauthn.create")} {
		b.Throttle = &account.Throttle{Now: b.clock.Now}
		if _, err := b.LogOnWithPasskey(t.Context(), account.User{}, site, []byte(answer), "192.0.2.1", ident.NewCall()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.60q: %v", answer, err)
		}
	}
	if _, err := b.AddPasskey(t.Context(), b.who, site, "Laptop", []byte(forged)); !fault.Is(err, fault.Invalid) {
		t.Errorf("a forged passkey: %v", err)
	}
	tried := 0
	for range 100 {
		if _, err := b.LogOnWithPasskey(t.Context(), b.user(), site, []byte(forged), "192.0.2.1", ident.NewCall()); fault.Is(err, fault.Invalid) {
			tried++
		}
	}
	if tried > 5 {
		t.Errorf("%d answers could be tried at once", tried)
	}
}

// An administrator at the machine can take lost factors away; nobody else can.
func TestFactorsAreResetFromTheMachine(t *testing.T) {
	b := newBench(t)
	if err := b.Reset(t.Context(), b.user()); !fault.Is(err, fault.Conflict) {
		t.Errorf("without a factor: %v", err)
	}
	b.enrolled()
	must(t, b.Reset(t.Context(), b.user()))
	if set, err := b.Of(t.Context(), b.who); err != nil || set.App.There() || set.Codes != 0 || b.user().Factor {
		t.Errorf("%+v, %v", set, err)
	}
	if _, err := b.Of(t.Context(), access.Actor{}); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("nobody: %v", err)
	}
}
