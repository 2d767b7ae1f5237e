package adminapi_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/account"
	"bailiwick/internal/adminapi"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/audit"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

func (w *world) keysPath() string { return "/workspaces/" + string(w.ours.ws.ID) + "/keys" }

func TestSec39_EqualPostsAtOnceHaveOneEffectAndEqualAnswers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.config.Patience = time.Minute
		w.serve()
		before := w.version()
		answers := make([]*answer, 50)
		var wait sync.WaitGroup
		for i := range answers {
			wait.Go(func() {
				answers[i] = w.ask(w.root, "POST", w.keysPath(), `{"description":"once"}`, "Idempotency-Key", "the same")
			})
		}
		wait.Wait()
		replayed := 0
		for _, a := range answers {
			if a.is(201).body != answers[0].body || a.header.Get("ETag") != answers[0].header.Get("ETag") {
				t.Errorf("answered %s and %s", a.body, answers[0].body)
			}
			if a.header.Get("Idempotent-Replayed") == "true" {
				replayed++
			}
		}
		if changed := w.version() - before; replayed != 49 || changed != 1 {
			t.Errorf("%d answers were given again, %d changes", replayed, changed)
		}
		text := decode[adminapi.IssuedKey](answers[0]).Secret
		if !secret.WellFormed(text) {
			t.Errorf("the secret is %q", text)
		}
	})
}

func TestARequestWithAnIdempotencyKeyIsCarriedOutOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		post := func(key, body string, header ...string) *answer {
			return w.ask(key, "POST", "/workspaces", body, append([]string{"Idempotency-Key", "k"}, header...)...)
		}
		one := post(w.root, `{"name":"Sales"}`).is(201)
		if again := post(w.root, `{"name":"Sales"}`).is(201); again.body != one.body || again.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("again: %v %s", again.header, again.body)
		}
		post(w.root, `{"name":"Other"}`).fails(422, "idempotency_key_reused", "Idempotency-Key")
		w.ask(w.root, "POST", w.keysPath(), `{}`, "Idempotency-Key", "k").fails(422, "idempotency_key_reused", "Idempotency-Key")
		post(w.super, `{"name":"Sales"}`).fails(409, "conflict", "/name") // another admin key's is another claim
		post(w.super, `{"name":"Mended"}`).is(201)                        // what was refused may be said otherwise
		w.clock.pass(adminkey.ClaimLife)
		post(w.root, `{"name":"Sales"}`).fails(409, "conflict", "/name")
		w.ask(w.root, "POST", "/workspaces", `{"name":"X"}`, "Idempotency-Key", strings.Repeat("k", 256)).fails(422, "idempotency_key_reused", "Idempotency-Key")
	})
}

func TestWhileARequestIsCarriedOutAnEqualOneIsTold(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	began, go_on := make(chan struct{}), make(chan struct{})
	once := w.config.Once
	w.config.Once = slow(once, began, go_on)
	w.config.Patience = 10 * time.Millisecond
	w.serve()
	done := make(chan *answer)
	go func() { done <- w.ask(w.root, "POST", "/workspaces", `{"name":"Sales"}`, "Idempotency-Key", "k") }()
	<-began
	if a := w.ask(w.root, "POST", "/workspaces", `{"name":"Sales"}`, "Idempotency-Key", "k").fails(409, "in_progress", "Idempotency-Key"); a.header.Get("Retry-After") == "" {
		t.Error("it is not said when to ask again")
	}
	close(go_on)
	(<-done).is(201)
}

// The answer lies in the database for nobody who does not hold the admin key.
func TestSec25_SecretsOfAnswersAreKeptSealed(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s := storetest.Open(t, c)
		w := newWorld(t, s)
		issued := decode[adminapi.IssuedKey](w.ask(w.root, "POST", w.keysPath(), `{}`, "Idempotency-Key", "canary-idempotency-key").is(201)).Secret
		link := decode[adminapi.AddedUser](w.ask(w.root, "POST", "/users", `{"logon":"eve"}`, "Idempotency-Key", "x").is(201)).Invitation.Link
		given := "a canary sentence for Mallory"
		w.ask(w.root, "POST", "/users", `{"logon":"mallory","password":"`+given+`"}`, "Idempotency-Key", "y").is(201)
		_, token, _ := strings.Cut(link, "token=")
		dump := everything(t, c)
		for _, canary := range []string{issued, token, given, w.root, "canary-idempotency-key"} {
			if strings.Contains(dump, canary) {
				t.Errorf("%q lies in the database", canary)
			}
		}
		if !strings.Contains(dump, "mallory") {
			t.Error("the database was not looked into")
		}
	})
}

func TestAnchor_UnknownFieldRejected_BodiesAreReadStrictly(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	before := w.version()
	for body, field := range map[string]string{
		`{"name":"A","workspace_id":"llm-0000000000000000"}`: "/workspace_id",
		`{"name":"A","Name":"B"}`:                            "/Name",
		`{"NAME":"A"}`:                                       "/NAME",
		`{"name":"A","name":"B"}`:                            "/name",
		`{"name":"A","n\u0061me":"B"}`:                       "/name",
		`{"name":7}`:                                         "/name",
		`{"name":"A"} {}`:                                    "",
		`[]`:                                                 "",
		`{"name":"a` + "\xff" + `"}`:                         "/name",
	} {
		w.ask(w.root, "POST", "/workspaces", body).fails(400, "malformed", field)
	}
	w.ask(w.root, "POST", "/workspaces", "\ufeff"+`{"name":"A"}`).is(400)
	w.ask(w.root, "POST", "/workspaces", `{"name":"a\u0000b"}`).fails(422, "invalid", "/name")
	w.ask(w.root, "POST", "/workspaces", strings.Repeat(" ", adminapi.BodyMax+1)).fails(413, "too_large", "")
	w.ask(w.root, "POST", "/workspaces", strings.Repeat("[", 20_000)).is(400)
	w.ask(w.root, "POST", "/workspaces", `{"name":"A"}`, "Content-Type", "text/plain").is(201) // the first Content-Type counts
	w.ask(w.root, "POST", "/users/"+string(w.ours.bob.ID)+"/disable", `{"x":1}`).fails(400, "malformed", "")
	w.ask(w.root, "GET", "/workspaces?serch=x", "").fails(400, "malformed", "serch")
	w.ask(w.root, "GET", "/workspaces?search=x&search=y", "").fails(400, "malformed", "search")
	w.ask(w.root, "GET", "/workspaces?limit=0", "").fails(422, "invalid", "limit")
	w.ask(w.root, "GET", "/workspaces?after=%22nonsense", "").fails(422, "invalid", "after")
	if w.version() != before+1 {
		t.Error("something else changed")
	}
}

func TestSec08_MembersThatNobodyMaySetAreRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		before := w.version()
		member := "/workspaces/" + string(w.ours.ws.ID) + "/members"
		for _, name := range []string{"id", "account", "workspace_id", "workspace", "is_root", "root", "role", "quota", "authorized_models", "key_hash", "digest", "version", "owner", "default", "call_all"} {
			extra := fmt.Sprintf(`,%q:"x"}`, name)
			w.ask(w.root, "POST", "/workspaces", `{"name":"A"`+extra).fails(400, "malformed", "/"+name)
			w.ask(w.root, "POST", "/users", `{"logon":"eve"`+extra).fails(400, "malformed", "/"+name)
			w.ask(w.root, "POST", w.keysPath(), `{"description":"d"`+extra).fails(400, "malformed", "/"+name)
			w.ask(w.root, "PATCH", "/users/"+string(w.ours.bob.ID), `{"name":"d"`+extra, "If-Match", `"1"`).fails(400, "malformed", "/"+name)
			w.ask(w.root, "PATCH", "/account/settings", `{"key_limit":9`+extra, "If-Match", `"1"`).fails(400, "malformed", "/"+name)
			if name != "role" {
				w.ask(w.root, "POST", member, fmt.Sprintf(`{"user":%q,"role":"regular"%s`, w.ours.alice.ID, extra)).fails(400, "malformed", "/"+name)
			}
		}
		// Others' ids in a body are missing, as what never was.
		for _, id := range []string{string(w.theirs.bob.ID), "usr-0000000000000000", "x"} {
			w.ask(w.root, "POST", member, fmt.Sprintf(`{"user":%q,"role":"regular"}`, id)).is(404).says("There is no such user.")
		}
		list := "/models/" + "acme%2Fown:7b" + "/grants/call"
		etag := w.ask(w.root, "GET", list, "").is(200).header.Get("ETag")
		for _, id := range []string{string(w.theirs.ws.ID), "llm-0000000000000000", "x"} {
			w.ask(w.root, "PUT", list, fmt.Sprintf(`{"workspaces":[%q]}`, id), "If-Match", etag).is(404).says("There is no such workspace.")
		}
		for _, id := range []string{string(w.theirs.model), "never-was"} {
			w.ask(w.root, "POST", "/workspaces/"+string(w.ours.ws.ID)+"/grants", fmt.Sprintf(`{"model":%q,"capability":"call"}`, id)).is(404).says("There is no such model.")
		}
		if w.version() != before {
			t.Error("something changed")
		}
	})
}

func TestSec09_NobodyGrantsMoreThanTheyHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		trail := audit.NewRecorder(s, w.clock.Now)
		w.config.Trail = trail
		w.serve()
		w.ask(w.super, "GET", "/providers", "").fails(403, "forbidden", "") // root's alone
		by, err := s.Actor(t.Context(), w.ours.bob.ID)
		w.must(err)
		if _, _, err := w.keys.Issue(t.Context(), by, adminkey.Terms{Name: "x", Days: 7}); err == nil {
			t.Error("a regular user makes an admin key")
		}
		w.ask(w.root, "POST", w.keysPath(), `{"models":["no model!"]}`).fails(422, "invalid", "/models")
		w.ask(w.root, "POST", "/workspaces/"+string(w.ours.ws.ID)+"/members", fmt.Sprintf(`{"user":%q,"role":"super"}`, w.ours.alice.ID)).fails(422, "invalid", "/role")
		w.ask(w.root, "POST", "/workspaces/"+string(w.ours.ws.ID)+"/members", fmt.Sprintf(`{"user":%q,"role":"regular","pages":["root"]}`, w.ours.alice.ID)).fails(422, "invalid", "/pages")
		trail.Close()
		w.ask(w.root, "GET", "/audit?action=providers:read", "").is(200).says("was refused providers:read", "boss@acme")
	})
}

func TestSec10_RootAndTheLastAdministratorStay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		root := "/users/" + string(w.ours.Root.ID)
		for _, act := range []string{"/disable", "/demote", "/promote", "/invite", "/end-sessions"} {
			w.ask(w.super, "POST", root+act, "").fails(403, "forbidden", "")
		}
		w.ask(w.super, "POST", root+"/password", `{"password":"a sentence that nobody guesses"}`).fails(403, "forbidden", "")
		w.ask(w.super, "DELETE", root, "").fails(403, "forbidden", "")
		w.ask(w.super, "PATCH", root, `{"name":"x"}`, "If-Match", `"1"`).fails(403, "forbidden", "")
		w.ask(w.super, "POST", "/users/"+string(w.ours.boss.ID)+"/demote", "").fails(403, "forbidden", "") // oneself
		member := "/workspaces/" + string(w.ours.ws.ID) + "/members/" + string(w.ours.bob.ID)
		w.ask(w.super, "PUT", member, `{"role":"administrator"}`, "If-Match", w.ask(w.super, "GET", member, "").header.Get("ETag")).is(200)
		w.ask(w.super, "DELETE", member, "").fails(409, "conflict", "alone")
		w.ask(w.super, "PUT", member, `{"role":"regular"}`, "If-Match", w.ask(w.super, "GET", member, "").header.Get("ETag")).fails(409, "conflict", "/alone")
		w.ask(w.super, "DELETE", member+"?alone=true", "").is(204)
		w.ask(w.super, "DELETE", "/workspaces/"+string(w.ours.Default), "").fails(403, "forbidden", "")
	})
}

// Each setting is written and read back, and what it cannot be is about it. The
// last locks the key out, because its owner has no second factor.
func TestEverySettingOfTheAccountIsReadAndChanged(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	last := w.ask(w.root, "GET", "/account", "").is(200)
	for _, s := range []struct{ name, value, wrong string }{
		{"name_workspace", "false", ""}, {"workspace_limit", "11", "-1"}, {"key_limit", "51", "100001"}, {"key_calls", "7", "-1"}, {"workspace_calls", "8", "100001"},
		{"audit_days", "90", "89"}, {"dataset_files", "9", "10001"}, {"dataset_megabytes", "10", "-1"}, {"dataset_file_megabytes", "11", "0"},
		{"require_factor", `"administrators"`, `"all"`},
	} {
		match := []string{"If-Match", last.header.Get("ETag")}
		if s.wrong != "" {
			w.ask(w.root, "PATCH", "/account/settings", fmt.Sprintf(`{%q:%s}`, s.name, s.wrong), match...).fails(422, "invalid", "/"+s.name)
		}
		last = w.ask(w.root, "PATCH", "/account/settings", fmt.Sprintf(`{%q:%s}`, s.name, s.value), match...).is(200)
	}
	kept := decode[adminapi.Account](last).Settings
	if want := (adminapi.Settings{WorkspaceLimit: 11, KeyLimit: 51, KeyCalls: 7, WorkspaceCalls: 8, AuditDays: 90, RequireFactor: "administrators", DatasetFiles: 9, DatasetMegabytes: 10, DatasetFileMegabytes: 11}); kept != want {
		t.Errorf("%+v", kept)
	}
	w.ask(w.root, "GET", "/account", "").is(403)
}

func TestAChangeNamesTheVersionItWasMadeFrom(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	path := "/workspaces/" + string(w.ours.ws.ID)
	etag := w.ask(w.root, "GET", path, "").header.Get("ETag")
	w.ask(w.root, "PATCH", path, `{"name":"One"}`).fails(428, "precondition_required", "If-Match")
	changed := w.ask(w.root, "PATCH", path, `{"name":"One"}`, "If-Match", etag).is(200)
	if changed.header.Get("ETag") == etag {
		t.Error("the version stays")
	}
	for _, stale := range []string{etag, `"0"`, "*", `W/"2"`, "2", `"nine"`} {
		w.ask(w.root, "PATCH", path, `{"name":"Two"}`, "If-Match", stale).fails(412, "stale", "If-Match")
	}
}

func TestSec13_AdminKeysComeByOneWayAlone(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for _, header := range [][]string{
		{"Cookie", "bailiwick=" + w.root}, {"X-Api-Key", w.root}, {"Api-Key", w.root}, {"Authorization", "Basic " + w.root}, {"Authorization", w.root}, {"Authorization", ""},
	} {
		w.ask("", "GET", "/self", "", header...).fails(401, "unauthenticated", "")
		w.clock.pass(time.Hour)
	}
	w.ask("", "GET", "/self?api_key="+w.root, "").fails(401, "unauthenticated", "")
	w.ask(w.root, "GET", "/self", "", "Authorization", "Bearer "+w.super).fails(400, "malformed", "Authorization")
	w.ask("", "GET", "/self", "", "Authorization", "bearer "+w.root).is(200)
	a := w.ask(w.root, "OPTIONS", "/self", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "GET").fails(405, "method_not_allowed", "")
	for name := range a.header {
		if strings.HasPrefix(name, "Access-Control") {
			t.Errorf("another site's scripts are let in by %s", name)
		}
	}
	for _, path := range []string{"//workspaces", "/workspaces/", "/WORKSPACES", "/./workspaces", "/x/../workspaces", "/workspaces%2f", "/workspaces;x"} {
		w.ask(w.root, "GET", path, "").fails(404, "missing", "")
	}
	w.ask(w.root, "DELETE", "/workspaces", "", "X-HTTP-Method-Override", "GET").fails(405, "method_not_allowed", "")
}

func TestSec16_NothingThatIsSentIsTakenForSomethingElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		for _, text := range []string{"' OR 1=1 --", strings.Repeat("x", 10_000), "a\x00b", "\xff", "%", "_"} {
			var escaped strings.Builder
			for i := range len(text) {
				fmt.Fprintf(&escaped, "%%%02x", text[i])
			}
			e := escaped.String()
			for _, path := range []string{"/workspaces/" + e, "/users/" + e, "/workspaces?search=" + e, "/users?state=" + e, "/users?after=" + e, "/keys?sort=" + e, "/audit?from=" + e, "/audit?text=" + e, "/audit?workspace=" + e, "/models/" + e + "/grants/call", "/models?after=" + e, "/grants?search=" + e, "/" + e} {
				if a := w.ask(w.root, "GET", path, ""); a.status >= 500 {
					t.Errorf("%.80s answered %d: %s", a.what, a.status, a.body)
				}
			}
			w.ask("", "GET", "/self", "", "Authorization", "Bearer bw_admin_"+text).fails(401, "unauthenticated", "")
			w.clock.pass(time.Hour)
		}
	})
}

func TestSec18_WrongAdminKeysAreAnsweredAlikeAndThrottled(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	reads := 0
	w.config.AdminKeys = &adminkey.Service{Store: counting{w.store, &reads}, Now: w.clock.Now}
	w.serve()
	body := func(key string) string {
		a := w.ask(key, "GET", "/self", "").fails(401, "unauthenticated", "")
		w.clock.pass(2 * time.Hour)
		return strings.ReplaceAll(a.body, a.header.Get("X-Request-Id"), "ID")
	}
	wrong := body(secret.NewAdminKey().Reveal())
	if again := body(revoked(w)); again != wrong {
		t.Errorf("revoked: %s, unknown: %s", again, wrong)
	}
	reads = 0
	if again := body(w.root[:len(w.root)-1] + "!"); again != wrong || reads != 0 {
		t.Errorf("a bad checksum is looked up %d times, and answered %s", reads, again)
	}
	w.at = "198.51.100.1"
	w.ask(w.super, "GET", "/self", "").is(200)
	statuses := []int{}
	for range 8 {
		statuses = append(statuses, w.ask(secret.NewAdminKey().Reveal(), "GET", "/self", "").status)
	}
	if !slices.Contains(statuses, 429) || statuses[0] != 401 {
		t.Errorf("guessing is answered with %v", statuses)
	}
	w.ask(w.super, "GET", "/self", "").is(200) // who was let in before is not made to wait
	reads = 0
	if a := w.ask(w.root, "GET", "/self", ""); a.status != 429 || reads != 0 || a.header.Get("Retry-After") == "" {
		t.Errorf("a throttled address is answered %d after %d reads", a.status, reads)
	}
	w.at = "198.51.100.2"
	w.ask(w.root, "GET", "/self", "").is(200)
}

func TestAnAdminKeyIsUsedFromItsNetworksAlone(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	key := w.adminKey(w.ours.Root.ID, "10.0.0.0/8", "2001:db8::1")
	w.ask(key, "GET", "/self", "").fails(403, "forbidden", "")
	w.at = "10.1.2.3"
	w.ask(key, "GET", "/self", "").is(200)
}

func TestPagesFollowEachOther(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.ask(w.root, "POST", w.keysPath(), `{}`).is(201)
	w.ours.Model(model + "x")
	for _, path := range []string{"/workspaces", "/users", "/keys", "/models", "/grants", "/audit"} {
		whole := decode[adminapi.Page[map[string]any]](w.ask(w.root, "GET", path+"?limit=1000", ""))
		var walked []map[string]any
		for after := ""; ; {
			p := decode[adminapi.Page[map[string]any]](w.ask(w.root, "GET", path+"?limit=1&after="+after, "").is(200))
			walked = append(walked, p.Items...)
			if after = p.Next; after == "" {
				break
			}
			after = strings.ReplaceAll(after, "+", "%2B")
		}
		if fmt.Sprint(walked) != fmt.Sprint(whole.Items) || len(walked) < 2 {
			t.Errorf("%s: %d items one by one, %d at once", path, len(walked), len(whole.Items))
		}
	}
}

func TestSec05_NothingOfAnotherAccountIsEverAnswered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		asked := 0
		for _, o := range adminapi.Operations() {
			if o.Method != "GET" {
				continue
			}
			for _, more := range []string{"", "?search=zyzzyva", "?limit=1000"} {
				a := w.ask(w.root, "GET", pathOf(o, w.ownThings(o))+more, "")
				if asked++; strings.Contains(strings.ReplaceAll(a.body, "never-was", ""), "zyzzyva") {
					t.Errorf("%s tells of others: %s", a.what, a.body)
				}
			}
		}
		if asked < 40 {
			t.Errorf("only %d answers were looked at", asked)
		}
	})
}

func TestAPanicIsAnsweredAndTellsNothing(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.config.Services.Workspaces = nil
	w.serve()
	a := w.ask(w.root, "GET", "/workspaces", "").fails(500, "internal", "")
	if strings.Contains(a.body, "nil") {
		t.Error(a.body)
	}
	w.config.Throttle = &account.Throttle{Now: w.clock.Now}
	w.must(w.store.Close())
	if a := w.ask(w.root, "GET", "/self", "").fails(503, "unavailable", ""); strings.Contains(a.body, "sql") || a.header.Get("Retry-After") == "" {
		t.Error(a.header, a.body)
	}
}
