package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/demo"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

// promptly is how soon another replica must refuse: the promise is a second.
const promptly = time.Second

// replicas starts programs on one database; the first makes the demo company.
func replicas(t *testing.T, database string, n int) []*Program {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	var list []*Program
	for range n {
		list = append(list, replica(t, serving{place: place{Data: data, Database: database}}))
	}
	return list
}

// replica starts a program that makes the demo company where there is none.
func replica(t *testing.T, c serving) *Program {
	t.Helper()
	c.Listen, c.CloudName = "127.0.0.1:0", "Alibaba Cloud"
	if c.MetricsListen == "" {
		c.MetricsListen = "off"
	}
	ctx, stop := context.WithCancel(context.Background())
	p, err := start(ctx, c, func(p *Program) error {
		if all, err := p.store.Accounts(ctx); err != nil || len(all) > 0 {
			return err
		}
		passwords := map[ident.LogOn]secret.Text{}
		for _, who := range demo.People {
			passwords[who.LogOn] = secret.NewText(sentence)
		}
		return demo.Services{Accounts: p.accounts, Workspaces: p.workspaces, Members: p.members, Catalogue: p.catalogue, Grants: p.grants, Providers: p.providers}.Ensure(ctx, passwords)
	})
	if err != nil {
		stop()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended; p.Close() })
	return p
}

// tells calls a model once and gives the status.
func tells(p *Program, ws ident.Workspace, key string) int {
	r, _ := http.NewRequest(http.MethodPost, p.base.String()+"/v1/chat/completions", strings.NewReader(`{"model":"`+string(demo.Shared)+`","messages":[{"role":"user","content":"hello"}]}`))
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("X-DashScope-WorkSpace", string(ws))
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer a.Body.Close()
	return a.StatusCode
}

func TestSec15_Anchor_RevokedKeyDiesEverywhere_WhatIsWithdrawnIsRefusedOnEveryReplicaUnderLoad(t *testing.T) {
	for name, make := range map[string]func(*testing.T) []*Program{
		"SQLite":     func(t *testing.T) []*Program { return replicas(t, "", 1) },
		"PostgreSQL": func(t *testing.T) []*Program { return replicas(t, storetest.PostgresConfig(t).Database, 2) },
	} {
		t.Run(name, func(t *testing.T) { withdraw(t, make(t)) })
	}
}

func withdraw(t *testing.T, programs []*Program) {
	ctx, p := t.Context(), programs[0]
	root := actorOf(t, p, "root@acme")
	ws := placeOf(t, p, root, demo.Research)
	issue := func(by access.Actor) (apikey.Key, string) {
		k, text, err := p.keys.Issue(ctx, by, ws, apikey.Terms{})
		if err != nil {
			t.Fatal(err)
		}
		return k, text.Reveal()
	}
	hire := func(name string) access.Actor {
		u, err := p.people.AddWithPassword(ctx, root, account.Profile{LogOn: name}, secret.NewText(sentence))
		if err == nil {
			err = p.members.Put(ctx, root, ws, []workspace.Member{{User: u.ID, Role: access.Regular, Pages: []access.Page{access.PageKeys}}}, false)
		}
		if err != nil {
			t.Fatal(err)
		}
		by, err := p.store.Actor(ctx, u.ID)
		if err != nil {
			t.Fatal(err)
		}
		by.Duty = access.NoDuty // as if the password were changed
		return by
	}
	for round, withdrawal := range []struct {
		name string
		do   func(k apikey.Key, owner access.Actor) error
		back func(k apikey.Key, owner access.Actor) error // nil: it is final
	}{
		{"the key is disabled", func(k apikey.Key, _ access.Actor) error { return p.keys.Disable(ctx, root, ws, k.ID) },
			func(k apikey.Key, _ access.Actor) error { return p.keys.Enable(ctx, root, ws, k.ID) }},
		{"the key expires", func(k apikey.Key, _ access.Actor) error {
			end := time.Now().Add(500 * time.Millisecond) // a busy machine must not be there first
			err := p.keys.Edit(ctx, root, ws, k.ID, apikey.Terms{ExpiresAt: end}, 1)
			time.Sleep(time.Until(end))
			return err
		}, nil},
		{"the key is reset", func(k apikey.Key, _ access.Actor) error {
			_, _, err := p.keys.Reset(ctx, root, ws, k.ID, 0, 1)
			return err
		}, nil},
		{"the key is deleted", func(k apikey.Key, _ access.Actor) error { return p.keys.Delete(ctx, root, ws, k.ID) }, nil},
		{"its owner leaves", func(_ apikey.Key, owner access.Actor) error {
			return p.members.Remove(ctx, root, ws, owner.User, false)
		}, func(_ apikey.Key, owner access.Actor) error {
			return p.members.Put(ctx, root, ws, []workspace.Member{{User: owner.User, Role: access.Regular}}, false)
		}},
		{"its owner is disabled", func(_ apikey.Key, owner access.Actor) error { return p.people.Disable(ctx, root, owner.User) },
			func(_ apikey.Key, owner access.Actor) error { return p.people.Enable(ctx, root, owner.User) }},
		{"its owner is deleted", func(_ apikey.Key, owner access.Actor) error { return p.people.Delete(ctx, root, owner.User) }, nil},
	} {
		owner := hire(fmt.Sprintf("owner-%d", round))
		k, text := issue(owner)
		await(t, programs, ws, text, true)
		var withdrawn atomic.Int64 // when, in ns
		var late, calls atomic.Int64
		stop := make(chan struct{})
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				on := programs[i%len(programs)]
				for {
					select {
					case <-stop:
						return
					default:
					}
					began := time.Now().UnixNano()
					status := tells(on, ws, text)
					calls.Add(1)
					grace := int64(promptly)
					if on == p {
						grace = int64(10 * time.Millisecond) // at once, here
					}
					if at := withdrawn.Load(); at > 0 && began > at+grace && status == http.StatusOK {
						late.Add(1)
					}
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
		if err := withdrawal.do(k, owner); err != nil {
			t.Fatal(withdrawal.name, err)
		}
		withdrawn.Store(time.Now().UnixNano())
		time.Sleep(promptly + 300*time.Millisecond)
		close(stop)
		wait.Wait()
		if late.Load() > 0 || calls.Load() < 20 {
			t.Errorf("%s: %d of %d calls were let through afterwards", withdrawal.name, late.Load(), calls.Load())
		}
		await(t, programs, ws, text, false)
		if withdrawal.back != nil {
			if err := withdrawal.back(k, owner); err != nil {
				t.Fatal(withdrawal.name, err)
			}
			await(t, programs, ws, text, true)
		}
	}
}

// Admin keys are asked of the database each time, so that no replica remembers one.
func TestSec15_Anchor_RevokedKeyDiesEverywhere_AnAdminKeyDiesAtTheNextRequest(t *testing.T) {
	for name, make := range map[string]func(*testing.T) []*Program{
		"SQLite":     func(t *testing.T) []*Program { return replicas(t, "", 1) },
		"PostgreSQL": func(t *testing.T) []*Program { return replicas(t, storetest.PostgresConfig(t).Database, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			programs := make(t)
			p, root := programs[0], actorOf(t, programs[0], "root@acme")
			k, text, err := p.adminKeys.Issue(t.Context(), root, adminkey.Terms{Name: "pipeline", Days: adminkey.UsualLife})
			if err != nil {
				t.Fatal(err)
			}
			is := func(want int) {
				t.Helper()
				for i, on := range programs {
					for range 3 { // it stays dead
						if status := administers(on, text.Reveal()); status != want {
							t.Errorf("replica %d answers %d, not %d", i, status, want)
						}
					}
				}
			}
			is(http.StatusOK)
			if err := p.adminKeys.Revoke(t.Context(), root, k.ID); err != nil {
				t.Fatal(err)
			}
			is(http.StatusUnauthorized)
		})
	}
}

// administers asks the management API who asks, and gives the status.
func administers(p *Program, key string) int {
	r, _ := http.NewRequest(http.MethodGet, p.base.String()+"/api/admin/v1/self", nil)
	r.Header.Set("Authorization", "Bearer "+key)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer a.Body.Close()
	return a.StatusCode
}

// await waits until every replica answers a key, or refuses it.
func await(t *testing.T, programs []*Program, ws ident.Workspace, key string, answered bool) {
	t.Helper()
	for i, p := range programs {
		end := time.Now().Add(promptly + time.Second)
		for status := tells(p, ws, key); (status == http.StatusOK) != answered; status = tells(p, ws, key) {
			if time.Now().After(end) {
				t.Fatalf("replica %d answers %d, and it should let through: %v", i, status, answered)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func actorOf(t *testing.T, p *Program, name string) access.Actor {
	t.Helper()
	logOn, alias, _ := strings.Cut(name, "@")
	u, err := p.store.UserByLogOn(t.Context(), ident.Alias(alias), ident.LogOn(logOn))
	if err != nil {
		t.Fatal(err)
	}
	by, err := p.store.Actor(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return by
}

func placeOf(t *testing.T, p *Program, root access.Actor, name string) ident.Workspace {
	t.Helper()
	found, _, err := p.workspaces.List(t.Context(), root, workspace.Filter{Search: name, Limit: 1})
	if err != nil || len(found) == 0 {
		t.Fatal(name, err)
	}
	return found[0].ID
}

// TestSec15_TheConsoleRefusesAtTheNextRequest ends a session, disables its user
// and takes a page away: what was open a moment ago is refused on every replica.
func TestSec15_TheConsoleRefusesAtTheNextRequest(t *testing.T) {
	programs := replicas(t, storetest.PostgresConfig(t).Database, 2)
	ctx, p := t.Context(), programs[0]
	root := actorOf(t, p, "root@acme")
	alice := actorOf(t, p, "alice@acme")
	ws := placeOf(t, p, root, demo.Marketing)
	who := logOn(t, p, "alice@acme")
	who.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	base, err := url.Parse(programs[1].base.String())
	if err != nil {
		t.Fatal(err)
	}
	who.Jar.SetCookies(base, who.Jar.Cookies(p.base))
	is := func(when string, want int) {
		t.Helper()
		for i, on := range programs {
			r, err := who.Get(on.base.String() + "/workspaces/" + string(ws) + "/keys")
			if err != nil {
				t.Fatal(err)
			}
			r.Body.Close()
			if r.StatusCode != want {
				t.Errorf("%s: replica %d answers %d, not %d", when, i, r.StatusCode, want)
			}
		}
	}
	put := func(m workspace.Member) {
		t.Helper()
		now, err := p.members.Find(ctx, root, ws, alice.User)
		if err != nil {
			t.Fatal(err)
		}
		m.User, m.Version = alice.User, now.Version
		if err := p.members.Put(ctx, root, ws, []workspace.Member{m}, true); err != nil {
			t.Fatal(err)
		}
	}
	is("at first", http.StatusOK)
	put(workspace.Member{Role: access.Regular, Pages: []access.Page{access.PageUsage}})
	is("without the page", http.StatusForbidden)
	put(workspace.Member{Role: access.Regular, Pages: []access.Page{access.PageKeys}})
	is("with the page", http.StatusOK)
	if err := p.members.Remove(ctx, root, ws, alice.User, true); err != nil {
		t.Fatal(err)
	}
	is("no longer a member", http.StatusNotFound)
	if err := p.people.EndSessions(ctx, root, alice.User); err != nil {
		t.Fatal(err)
	}
	is("with the session ended", http.StatusSeeOther)
}
