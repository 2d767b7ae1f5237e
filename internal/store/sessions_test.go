package store_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// browser keeps the one cookie between requests.
type browser struct {
	t        *testing.T
	sessions *store.Sessions
	cookie   *http.Cookie
}

// visit makes a request: change edits the session, which is then saved.
func (b *browser) visit(change func(*sessions.Session)) *sessions.Session {
	b.t.Helper()
	r := httptest.NewRequest("GET", "https://console.example/", nil).WithContext(b.t.Context())
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	session, err := b.sessions.Get(r, "any-name")
	must(b.t, err)
	if change != nil {
		change(session)
		w := httptest.NewRecorder()
		must(b.t, session.Save(r, w))
		for _, c := range w.Result().Cookies() {
			if b.cookie = c; c.MaxAge < 0 {
				b.cookie = nil
			}
		}
	}
	return session
}

func (b *browser) logOn(u ident.User) {
	b.t.Helper()
	b.visit(func(s *sessions.Session) { s.Values[store.SessionUser] = string(u) })
}

// user says who is logged on; empty: nobody.
func (b *browser) user() string {
	b.t.Helper()
	u, _ := b.visit(nil).Values[store.SessionUser].(string)
	return u
}

// eachSessions runs a test on every database with a chosen clock.
func eachSessions(t *testing.T, test func(t *testing.T, w *storetest.World, ss *store.Sessions, clock *storetest.Clock)) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		clock := &storetest.Clock{}
		c.Now = clock.Now
		s := storetest.Open(t, c)
		test(t, storetest.NewWorld(t, s, "acme"), s.Sessions(store.SessionConfig{}), clock)
	})
}

// While others hold what writes, somebody who is logged on stays so, and does not
// wait for it either: that they were seen is kept the next time.
func TestASessionIsReadWhileNothingCanBeWritten(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, clock *storetest.Clock) {
		w.Model("m")
		b := &browser{t: t, sessions: ss}
		b.logOn(w.Root.ID)
		clock.Pass(2 * time.Minute)
		held, free, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			_ = w.Store.ChangeModelPrices(t.Context(), w.Account.ID, "m", nil, 1, func([]catalogue.Price) audit.Event { close(held); <-free; return w.Why("prices:change") })
		}()
		<-held
		began := time.Now()
		if b.user() != string(w.Root.ID) || time.Since(began) > 3*time.Second {
			t.Errorf("%q is logged on, after %v", b.user(), time.Since(began))
		}
		close(free)
		<-ended
		if b.user() != string(w.Root.ID) {
			t.Error("nobody is logged on afterwards")
		}
	})
}

func TestASessionKeepsUserWorkspaceAndNotice(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, _ *storetest.Clock) {
		b := &browser{t: t, sessions: ss}
		if first := b.visit(func(*sessions.Session) {}); !first.IsNew || b.cookie != nil {
			t.Fatal("an empty session was kept")
		}
		b.logOn(w.Root.ID)
		b.visit(func(s *sessions.Session) {
			s.Values[store.SessionWorkspace], s.Values[store.SessionNotice] = string(w.Default), "Saved."
		})
		s := b.visit(nil)
		if s.IsNew || s.Values[store.SessionUser] != string(w.Root.ID) || s.Values[store.SessionWorkspace] != string(w.Default) || s.Values[store.SessionNotice] != "Saved." {
			t.Fatalf("%+v", s.Values)
		}
		b.visit(func(s *sessions.Session) { delete(s.Values, store.SessionNotice) })
		if _, there := b.visit(nil).Values[store.SessionNotice]; there {
			t.Fatal("the notice is said twice")
		}
	})
}

func TestTheCookieHoldsARandomTokenAndTheDatabaseItsDigest(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, _ *storetest.Clock) {
		b := &browser{t: t, sessions: ss}
		b.logOn(w.Root.ID)
		c := b.cookie
		if c.Name != "__Host-bailiwick" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 || len(c.Value) != 43 {
			t.Fatalf("%+v", c)
		}
		if n, _ := w.Store.Number("SELECT COUNT(*) FROM sessions WHERE length(digest) = 32"); n != 1 {
			t.Fatalf("%d sessions", n)
		}
		if s := b.visit(nil); strings.Contains(s.ID, c.Value) || len(s.ID) != 64 {
			t.Fatalf("the session goes by %q", s.ID)
		}
		plain := &browser{t: t, sessions: w.Store.Sessions(store.SessionConfig{PlainHTTP: true})}
		plain.logOn(w.Root.ID)
		if c := plain.cookie; c.Name != "bailiwick" || c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Fatalf("%+v", c)
		}
	})
}

func TestLoggingOnGivesANewTokenAndEndsTheOldOne(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, _ *storetest.Clock) {
		b := &browser{t: t, sessions: ss}
		b.visit(func(s *sessions.Session) { s.Values[store.SessionNotice] = "Log on first." })
		planted := *b
		b.logOn(w.Root.ID)
		if planted.cookie.Value == b.cookie.Value || planted.user() != "" || !planted.visit(nil).IsNew {
			t.Fatal("the session from before the log-on lives")
		}
		alice := w.User("alice", access.Regular)
		before := *b
		b.logOn(alice.ID)
		if before.user() != "" || b.user() != string(alice.ID) {
			t.Fatal("the other user's session lives")
		}
	})
}

func TestLoggingOffEndsTheSession(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, _ *storetest.Clock) {
		for name, off := range map[string]func(*sessions.Session){
			"by age":   func(s *sessions.Session) { s.Options.MaxAge = -1 },
			"by value": func(s *sessions.Session) { delete(s.Values, store.SessionUser) },
		} {
			b := &browser{t: t, sessions: ss}
			b.logOn(w.Root.ID)
			stolen := *b
			b.visit(off)
			if b.cookie != nil || stolen.user() != "" {
				t.Errorf("%s: the session lives", name)
			}
		}
		if n, _ := w.Store.Number("SELECT COUNT(*) FROM sessions"); n != 0 {
			t.Fatalf("%d sessions are left", n)
		}
	})
}

func TestSessionsEndWhenIdleAndWhenOld(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, clock *storetest.Clock) {
		alice := w.User("alice", access.Regular)
		for _, c := range []struct {
			user ident.User
			idle time.Duration
		}{{alice.ID, time.Hour}, {w.Root.ID, 30 * time.Minute}} {
			b := &browser{t: t, sessions: ss}
			b.logOn(c.user)
			clock.Pass(c.idle - time.Second)
			if b.user() == "" {
				t.Fatalf("ended before %v", c.idle)
			}
			clock.Pass(c.idle)
			if b.user() != "" {
				t.Fatalf("lives after %v", c.idle)
			}
			b.logOn(c.user)
			for range 2*23 + 1 {
				clock.Pass(c.idle / 2)
				if hours := b.user(); hours == "" && c.idle == time.Hour {
					t.Fatal("a busy session ended early")
				}
			}
			clock.Pass(time.Hour)
			if c.idle == time.Hour && b.user() != "" {
				t.Fatal("a busy session lives after 24 hours")
			}
		}
	})
}

func TestASessionIsSeenAtMostOnceAMinute(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, clock *storetest.Clock) {
		b := &browser{t: t, sessions: ss}
		b.logOn(w.Root.ID)
		seen := func() time.Duration {
			n, err := w.Store.Number("SELECT seen FROM sessions")
			must(t, err)
			return time.UnixMicro(int64(n)).Sub(storetest.Start)
		}
		for _, step := range []struct{ pass, want time.Duration }{{59 * time.Second, 0}, {time.Second, time.Minute}, {30 * time.Second, time.Minute}, {time.Minute, 150 * time.Second}} {
			clock.Pass(step.pass)
			b.user()
			if seen() != step.want {
				t.Fatalf("seen after %v, want %v", seen(), step.want)
			}
		}
	})
}

func TestSessionsThatEndedAreSweptOnTheWay(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, clock *storetest.Clock) {
		for range 5 {
			(&browser{t: t, sessions: ss}).logOn(w.Root.ID)
		}
		clock.Pass(2 * time.Hour)
		(&browser{t: t, sessions: ss}).logOn(w.Root.ID)
		if n, _ := w.Store.Number("SELECT COUNT(*) FROM sessions"); n != 1 {
			t.Fatalf("%d sessions are left", n)
		}
		clock.Pass(2 * time.Hour)
		must(t, ss.Sweep(t.Context()))
		if n, _ := w.Store.Number("SELECT COUNT(*) FROM sessions"); n != 0 {
			t.Fatalf("%d sessions are left", n)
		}
	})
}

func TestAUsersSessionsEndTogether(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, _ *storetest.Clock) {
		alice := w.User("alice", access.Regular)
		for name, end := range map[string]func() error{
			"a new password": func() error {
				return w.Store.SetPassword(t.Context(), w.Account.ID, alice.ID, "hash", false, w.Why("users:reset-password"))
			},
			"ended": func() error {
				return w.Store.EndSessions(t.Context(), w.Account.ID, alice.ID, w.Why("users:end-sessions"))
			},
			"a generation": func() error {
				return w.Store.Exec("UPDATE users SET generation = generation + 1 WHERE id = ?", alice.ID)
			},
			"disabled": func() error {
				return w.Store.SetUserDisabled(t.Context(), w.Account.ID, alice.ID, storetest.Start, w.Why("users:disable"))
			},
			"full access": func() error {
				return w.Store.SetUserRole(t.Context(), w.Account.ID, alice.ID, access.Super, w.Why("users:promote"))
			},
		} {
			must(t, w.Store.Exec("UPDATE users SET disabled = 0"))
			one, two, root := &browser{t: t, sessions: ss}, &browser{t: t, sessions: ss}, &browser{t: t, sessions: ss}
			one.logOn(alice.ID)
			two.logOn(alice.ID)
			root.logOn(w.Root.ID)
			must(t, end())
			if one.user() != "" || two.user() != "" || root.user() == "" {
				t.Errorf("%s: %q %q %q", name, one.user(), two.user(), root.user())
			}
		}
		u, err := w.Store.UserByLogOn(t.Context(), "acme", "alice")
		if err != nil || u.Password != "hash" || u.Generation != 6 {
			t.Fatalf("%+v, %v", u, err)
		}
	})
}

func TestASessionThatEndedMeanwhileIsNotRevivedBySaving(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, _ *storetest.Clock) {
		b, alice := &browser{t: t, sessions: ss}, w.User("alice", access.Regular)
		b.logOn(alice.ID)
		b.visit(func(s *sessions.Session) {
			must(t, w.Store.EndSessions(t.Context(), w.Account.ID, alice.ID, w.Why("users:end-sessions")))
			s.Values[store.SessionNotice] = "Saved."
		})
		if n, _ := w.Store.Number("SELECT COUNT(*) FROM sessions"); n != 0 || b.cookie != nil {
			t.Fatalf("%d sessions", n)
		}
	})
}

func TestAStrangeCookieBeginsANewSession(t *testing.T) {
	eachSessions(t, func(t *testing.T, w *storetest.World, ss *store.Sessions, _ *storetest.Clock) {
		for _, value := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 42) + "B", strings.Repeat("%", 43), strings.Repeat("A", 5000), "a' OR 1=1 --"} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Cookie", "__Host-bailiwick="+value)
			s, err := ss.New(r, "session")
			if err != nil || s == nil || !s.IsNew || len(s.Values) != 0 {
				t.Errorf("%q: %v, %v", value, s, err)
			}
		}
	})
}

func TestASessionValueOfAnotherTypeIsSaid(t *testing.T) {
	s := storetest.SQLite(t)
	ss := s.Sessions(store.SessionConfig{})
	r := httptest.NewRequest("GET", "/", nil)
	session, err := ss.New(r, "session")
	must(t, err)
	session.Values[store.SessionUser] = ident.NewUser()
	if err := ss.Save(r, httptest.NewRecorder(), session); err == nil {
		t.Fatal("a user that is no string logs nobody on, without a word")
	}
	session.Values[store.SessionUser] = string(ident.NewUser())
	if err := ss.Save(r, httptest.NewRecorder(), session); err == nil {
		t.Fatal("a user who does not exist is logged on")
	}
}
