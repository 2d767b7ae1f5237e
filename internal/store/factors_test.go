package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/factor"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// giveFactors gives a user an app, a passkey and two recovery codes.
func giveFactors(t *testing.T, s *store.Store, w *storetest.World, u ident.User) factor.Passkey {
	t.Helper()
	ctx, a := t.Context(), w.Account.ID
	codes := []secret.Digest{secret.TokenDigest("one"), secret.TokenDigest("two")}
	must(t, s.PutApp(ctx, a, u, factor.App{Seed: []byte("sealed"), Step: 7, CreatedAt: storetest.Start}, codes, w.Why("factors:add-app")))
	p := factor.Passkey{ID: ident.NewPasskey(), Name: "Laptop", Credential: []byte(ident.NewEvent()), Record: []byte("{}"), CreatedAt: storetest.Start, Challenge: 5}
	must(t, s.InsertPasskey(ctx, a, u, p, factor.PasskeysMax, nil, w.Why("factors:add-passkey")))
	return p
}

func factorChanges(t *testing.T, s *store.Store, e estate, u account.User, held factor.Passkey) map[string]func() error {
	ctx, a, why := t.Context(), e.Account.ID, e.Why("tries:change")
	b := &browser{t: t, sessions: s.Sessions(store.SessionConfig{})}
	b.logOn(u.ID)
	list, err := s.UserSessions(ctx, a, u.ID)
	must(t, err)
	other := factor.Passkey{ID: ident.NewPasskey(), Credential: []byte("new"), CreatedAt: storetest.Start}
	return map[string]func() error{
		"PutApp": func() error {
			return s.PutApp(ctx, a, u.ID, factor.App{Seed: []byte("x"), CreatedAt: storetest.Start}, nil, why)
		},
		"DropApp":          func() error { return s.DropApp(ctx, a, u.ID, why) },
		"InsertPasskey":    func() error { return s.InsertPasskey(ctx, a, u.ID, other, 9, nil, why) },
		"DropPasskey":      func() error { return s.DropPasskey(ctx, a, u.ID, held.ID, why) },
		"DropFactors":      func() error { return s.DropFactors(ctx, a, u.ID, why) },
		"ReplaceCodes":     func() error { return s.ReplaceCodes(ctx, a, u.ID, []secret.Digest{secret.TokenDigest("three")}, why) },
		"TakeCode":         func() error { return s.TakeCode(ctx, a, u.ID, secret.TokenDigest("one"), why) },
		"EndSession":       func() error { return s.EndSession(ctx, a, u.ID, list[0].ID, why) },
		"EndOtherSessions": func() error { return s.EndOtherSessions(ctx, a, u.ID, "00", why) },
		"PutOffReminder":   func() error { return s.PutOffReminder(ctx, a, u.ID, storetest.Start, why) },
		"Rehash":           func() error { return s.Rehash(ctx, a, u.ID, u.Password, "x", why) },
	}
}

func TestFactorsAreKeptAndGoWithTheLastOfThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a, u := t.Context(), w.Account.ID, w.User("alice", access.Regular)
		p := giveFactors(t, s, w, u.ID)
		set, err := s.Factors(ctx, a, u.ID)
		must(t, err)
		if !set.App.There() || string(set.App.Seed) != "sealed" || set.App.Step != 7 || set.Codes != 2 || len(set.Passkeys) != 1 || set.Passkeys[0].Name != "Laptop" || !set.Passkeys[0].UsedAt.IsZero() {
			t.Fatalf("%+v", set)
		}
		if u, err := s.UserByLogOn(ctx, "acme", "alice"); err != nil || !u.Factor {
			t.Fatalf("%+v, %v", u, err)
		}
		must(t, s.DropApp(ctx, a, u.ID, w.Why("x")))
		if set, _ = s.Factors(ctx, a, u.ID); set.App.There() || set.Codes != 2 {
			t.Errorf("with a passkey left: %+v", set)
		}
		must(t, s.DropPasskey(ctx, a, u.ID, p.ID, w.Why("x")))
		if set, _ = s.Factors(ctx, a, u.ID); set.Codes != 0 || len(set.Passkeys) != 0 {
			t.Errorf("recovery codes stay without a factor: %+v", set)
		}
		if u, err := s.UserByLogOn(ctx, "acme", "alice"); err != nil || u.Factor {
			t.Errorf("%+v, %v", u, err)
		}
		if err := s.ReplaceCodes(ctx, a, u.ID, []secret.Digest{{1}}, w.Why("x")); !fault.Is(err, fault.Missing) {
			t.Errorf("codes without a factor: %v", err)
		}
	})
}

// Check 38, as far as the tables hold it: whatever is accepted is accepted once.
func TestSec38_StepsCodesAndChallengesAreTakenOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a, u := t.Context(), w.Account.ID, w.User("alice", access.Regular).ID
		p := giveFactors(t, s, w, u)
		take := func(challenge int64) error {
			p.Challenge, p.UsedAt = challenge, storetest.Start
			return s.TakePasskey(ctx, a, u, p)
		}
		for name, c := range map[string]struct {
			first, again error
		}{
			"step":      {s.TakeStep(ctx, a, u, 8), s.TakeStep(ctx, a, u, 8)},
			"old step":  {nil, s.TakeStep(ctx, a, u, 6)},
			"code":      {s.TakeCode(ctx, a, u, secret.TokenDigest("one"), w.Why("x")), s.TakeCode(ctx, a, u, secret.TokenDigest("one"), w.Why("x"))},
			"challenge": {take(6), take(6)},
			"older":     {nil, take(3)},
		} {
			if c.first != nil || !fault.Is(c.again, fault.Missing) {
				t.Errorf("%s: %v, then %v", name, c.first, c.again)
			}
		}
		results := make(chan error)
		for range 10 {
			go func() { results <- s.TakeStep(ctx, a, u, 99) }()
		}
		taken := 0
		for range 10 {
			if err := <-results; err == nil {
				taken++
			} else if !fault.Is(err, fault.Missing) {
				t.Error(err)
			}
		}
		if taken != 1 {
			t.Errorf("one code was accepted %d times", taken)
		}
	})
}

func TestAPasskeyIsKnownOnceAndThereIsAMost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a, alice, bob := t.Context(), w.Account.ID, w.User("alice", access.Regular).ID, w.User("bob", access.Regular).ID
		p := giveFactors(t, s, w, alice)
		p.ID = ident.NewPasskey()
		if err := s.InsertPasskey(ctx, a, bob, p, 9, nil, w.Why("x")); !fault.Is(err, fault.Conflict) {
			t.Errorf("a credential of two people: %v", err)
		}
		p.Credential = []byte("another")
		if err := s.InsertPasskey(ctx, a, alice, p, 1, nil, w.Why("x")); !fault.Is(err, fault.Full) {
			t.Errorf("one more than the most: %v", err)
		}
	})
}

func TestTheRequirementOfAFactorIsADuty(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a, ws := t.Context(), w.Account.ID, w.Workspace("Marketing").ID
		head, regular, super := w.User("head", access.Regular).ID, w.User("regular", access.Regular).ID, w.User("super", access.Super).ID
		w.Member(ws, head, access.Administrator)
		w.Member(ws, regular, access.Regular)
		for version, c := range []struct {
			of   account.Circle
			duty map[ident.User]bool
		}{
			{account.Nobody, map[ident.User]bool{}},
			{account.Administrators, map[ident.User]bool{w.Root.ID: true, super: true, head: true}},
			{account.Everybody, map[ident.User]bool{w.Root.ID: true, super: true, head: true, regular: true}},
		} {
			to := account.Defaults
			to.RequireFactor = c.of
			must(t, s.ChangeSettings(ctx, a, to, int64(version+1), w.Why("settings:change")))
			for _, u := range []ident.User{w.Root.ID, super, head, regular} {
				if who, err := s.Actor(ctx, u); err != nil || (who.Duty == access.AddFactor) != c.duty[u] {
					t.Errorf("%s: %s has the duty %q, %v", c.of, who.LogOn, who.Duty, err)
				}
			}
		}
		giveFactors(t, s, w, regular)
		if who, err := s.Actor(ctx, regular); err != nil || who.Duty != access.NoDuty || !who.Factor {
			t.Errorf("with a factor the duty is %q, %v", who.Duty, err)
		}
	})
}

// Check 32: a change of factors ends every session, and one's own are listed
// and ended one by one.
func TestSec32_SessionsEndWithAChangeOfFactorsAndOneByOne(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, clock *storetest.Clock) {
		s, ctx, a, u := w.Store, t.Context(), w.Account.ID, w.User("alice", access.Regular).ID
		one, two, half := &browser{t: t, sessions: ss}, &browser{t: t, sessions: ss}, &browser{t: t, sessions: ss}
		one.logOn(u)
		clock.Pass(2 * time.Minute)
		two.logOn(u)
		half.visit(func(v *sessions.Session) { v.Values[store.SessionPending] = string(u) })
		list, err := s.UserSessions(ctx, a, u)
		must(t, err)
		if len(list) != 2 || list[0].ID != two.visit(nil).ID || list[1].ID != one.visit(nil).ID {
			t.Fatalf("%+v", list)
		}
		must(t, s.EndSession(ctx, a, u, list[1].ID, w.Why("sessions:end")))
		if one.user() != "" || two.user() == "" {
			t.Error("another session than the one was ended")
		}
		one.logOn(u)
		must(t, s.EndOtherSessions(ctx, a, u, two.visit(nil).ID, w.Why("sessions:end-others")))
		if one.user() != "" || two.user() == "" || !half.visit(nil).IsNew {
			t.Error("not exactly the others ended")
		}
		giveFactors(t, s, w, u)
		if two.user() != "" {
			t.Error("a session lives on after a factor was added")
		}
	})
}

// Check 32: a proof gives the session a new token and no more time, and whoever
// is half-way has ten minutes.
func TestSec32_AStepUpGivesANewTokenAndNoMoreTime(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, clock *storetest.Clock) {
		alice := w.User("alice", access.Regular).ID
		b := &browser{t: t, sessions: ss}
		b.logOn(alice)
		for range 47 {
			clock.Pass(30 * time.Minute)
			b.user()
		}
		before := *b
		b.visit(func(v *sessions.Session) { v.Values[store.SessionProved] = "1795000000000000" })
		if before.cookie.Value == b.cookie.Value || before.user() != "" || b.user() == "" || b.visit(nil).Values[store.SessionProved] != "1795000000000000" {
			t.Fatal("the token from before the proof lives, or the new one does not")
		}
		clock.Pass(31 * time.Minute)
		if b.user() != "" {
			t.Error("a proof lengthens a session beyond 24 hours")
		}
		half := &browser{t: t, sessions: ss}
		half.visit(func(v *sessions.Session) { v.Values[store.SessionPending] = string(alice) })
		clock.Pass(9 * time.Minute)
		if half.visit(nil).IsNew || half.user() != "" {
			t.Error("half a log-on is over early, or is a whole one")
		}
		clock.Pass(2 * time.Minute)
		if !half.visit(nil).IsNew {
			t.Error("half a log-on lives longer than ten minutes")
		}
		must(t, w.Store.SetUserDisabled(t.Context(), w.Account.ID, alice, storetest.Start, w.Why("users:disable")))
		if _, err := w.Store.Half(t.Context(), alice); !fault.Is(err, fault.Missing) {
			t.Errorf("somebody disabled is half-way: %v", err)
		}
	})
}

func TestAPasswordIsHashedAnewUnlessItChangedMeanwhile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a, u := t.Context(), w.Account.ID, w.User("alice", access.Regular)
		b := &browser{t: t, sessions: s.Sessions(store.SessionConfig{})}
		b.logOn(u.ID)
		err := errors.Join(s.Rehash(ctx, a, u.ID, u.Password, "new", w.Why("users:rehash")), s.Rehash(ctx, a, u.ID, u.Password, "late", w.Why("users:rehash")))
		must(t, err)
		kept, err := s.UserByLogOn(ctx, "acme", "alice")
		if err != nil || kept.Password != "new" || b.user() == "" {
			t.Errorf("%q, %v; the session of the same password: %q", kept.Password, err, b.user())
		}
	})
}
