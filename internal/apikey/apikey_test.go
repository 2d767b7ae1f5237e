package apikey_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store/storetest"
)

// office is a workspace with somebody who makes keys in it.
type office struct {
	t     *testing.T
	world *storetest.World
	clock *storetest.Clock
	keys  *apikey.Service
	by    access.Actor
	ws    ident.Workspace
	file  string // of the database
}

func open(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, clock: &storetest.Clock{}}
	c := storetest.SQLiteConfig(t)
	c.Now = o.clock.Now
	o.file = filepath.Join(c.Data, "bailiwick.db")
	s := storetest.Open(t, c)
	o.world = storetest.NewWorld(t, s, "acme")
	o.ws = o.world.Workspace("Marketing").ID
	carol := o.world.User("carol", access.Regular)
	o.world.Member(o.ws, carol.ID, access.Regular, access.PageKeys)
	by, err := s.Actor(t.Context(), carol.ID)
	o.must(err)
	o.by, o.keys = by, &apikey.Service{Store: s, Now: o.clock.Now}
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) issue(terms apikey.Terms) (apikey.Key, secret.Text) {
	o.t.Helper()
	k, text, err := o.keys.Issue(o.t.Context(), o.by, o.ws, terms)
	o.must(err)
	return k, text
}

func (o *office) find(id ident.Key) apikey.Key {
	o.t.Helper()
	k, err := o.keys.Find(o.t.Context(), o.by, o.ws, id)
	o.must(err)
	return k
}

// trail is the audit trail as text.
func (o *office) trail() string {
	o.t.Helper()
	db, err := sql.Open("sqlite", "file:"+o.file+"?mode=ro")
	o.must(err)
	defer db.Close()
	rows, err := db.QueryContext(o.t.Context(), "SELECT summary || ' ' || detail || changes FROM audit_events ORDER BY seq")
	o.must(err)
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		o.must(rows.Scan(&line))
		lines = append(lines, line)
	}
	o.must(rows.Err())
	return strings.Join(lines, "\n")
}

func (o *office) refused(err error, field string) {
	o.t.Helper()
	if f, ok := fault.On(err, field); !ok || !strings.HasSuffix(f.Message, ".") {
		o.t.Errorf("got %v, want a fault on %q", err, field)
	}
}

func TestTermsThatCannotBeAreAFaultOnTheirField(t *testing.T) {
	o := open(t)
	k, _ := o.issue(apikey.Terms{})
	many := make([]string, apikey.ModelsMax+1)
	for i := range many {
		many[i] = fmt.Sprint("model-", i)
	}
	for field, list := range map[string][]apikey.Terms{
		"description": {{Description: strings.Repeat("ü", 201)}, {Description: "a\x00b"}, {Description: "a\xff"}},
		"expires":     {{ExpiresAt: storetest.Start}, {ExpiresAt: storetest.Start.Add(-time.Hour)}},
		"models": {
			{Scope: apikey.Scope{Custom: true, OnlyModels: true}},
			{Scope: apikey.Scope{Custom: true, OnlyModels: true, Models: []string{"no model"}}},
			{Scope: apikey.Scope{Custom: true, OnlyModels: true, Models: many}},
		},
		"networks": {{Scope: apikey.Scope{Custom: true, Networks: []string{"here"}}}},
	} {
		for _, terms := range list {
			_, _, err := o.keys.Issue(t.Context(), o.by, o.ws, terms)
			o.refused(err, field)
			o.refused(o.keys.Edit(t.Context(), o.by, o.ws, k.ID, terms, 1), field)
		}
	}
	if kept := o.find(k.ID); kept.Version != 1 {
		t.Errorf("a refused edit changed the key: %+v", kept)
	}
}

func TestWhatIsSaidBesideAllNarrowsNothing(t *testing.T) {
	o := open(t)
	k, _ := o.issue(apikey.Terms{Scope: apikey.Scope{OnlyModels: true, Models: []string{"qwen-plus", "?"}, Networks: []string{"nonsense"}}})
	if k.Models != nil || k.Networks != nil {
		t.Errorf("%+v", k)
	}
	k, _ = o.issue(apikey.Terms{Scope: apikey.Scope{Custom: true, Models: []string{"qwen-plus"}}})
	if k.Models != nil {
		t.Errorf("every model, and yet narrowed to %v", k.Models)
	}
	k, _ = o.issue(apikey.Terms{Scope: apikey.Scope{Custom: true, OnlyModels: true, Models: []string{"b", "a", "b"}}})
	if !slices.Equal(o.find(k.ID).Models, []ident.Model{"a", "b"}) {
		t.Errorf("%+v", k.Models)
	}
}

func TestAnExpiredKeyMayBeEditedWithoutBeingGivenANewLife(t *testing.T) {
	o := open(t)
	k, _ := o.issue(apikey.Terms{ExpiresAt: o.clock.Now().Add(time.Hour)})
	o.clock.Pass(time.Hour)
	if k = o.find(k.ID); k.State(o.clock.Now()) != apikey.Expired {
		t.Fatalf("%+v", k)
	}
	o.must(o.keys.Edit(t.Context(), o.by, o.ws, k.ID, apikey.Terms{Description: "old", ExpiresAt: k.ExpiresAt}, 1))
	if got := o.find(k.ID); got.Description != "old" || got.State(o.clock.Now()) != apikey.Expired {
		t.Errorf("%+v", got)
	}
	o.must(o.keys.Edit(t.Context(), o.by, o.ws, k.ID, apikey.Terms{Description: "old"}, 2))
	if got := o.find(k.ID); got.State(o.clock.Now()) != apikey.Enabled {
		t.Errorf("%+v", got)
	}
}

func TestAResetGivesANewSecretAndEndsTheOldOneWhenItWasSaid(t *testing.T) {
	o := open(t)
	k, first := o.issue(apikey.Terms{})
	after, second, err := o.keys.Reset(t.Context(), o.by, o.ws, k.ID, 0, 1)
	o.must(err)
	if second.Reveal() == first.Reveal() || !secret.WellFormed(second.Reveal()) || after.Digest == k.Digest || !after.Previous.Zero() || secret.Hint(second) != o.find(k.ID).Hint {
		t.Errorf("%+v", after)
	}
	_, _, err = o.keys.Reset(t.Context(), o.by, o.ws, k.ID, time.Hour, 1)
	o.refused(err, "version")
	third, _, err := o.keys.Reset(t.Context(), o.by, o.ws, k.ID, time.Hour, 2)
	o.must(err)
	if kept := o.find(k.ID); kept.Previous != after.Digest || !kept.PreviousUntil.Equal(o.clock.Now().Add(time.Hour)) || kept.Digest != third.Digest {
		t.Errorf("%+v", kept)
	}
	for _, wrong := range []time.Duration{-1, apikey.OverlapMax + 1} {
		_, _, err := o.keys.Reset(t.Context(), o.by, o.ws, k.ID, wrong, 3)
		o.refused(err, "overlap")
	}
}

func TestTheTrailSaysWhatChangedAndNoSecret(t *testing.T) {
	o := open(t)
	k, first := o.issue(apikey.Terms{Description: "reports"})
	terms := apikey.Terms{Description: "nightly", Scope: apikey.Scope{Custom: true, OnlyModels: true, Models: []string{"qwen-plus"}, Networks: []string{"10.0.0.0/8"}}}
	o.must(o.keys.Edit(t.Context(), o.by, o.ws, k.ID, terms, 1))
	_, second, err := o.keys.Reset(t.Context(), o.by, o.ws, k.ID, time.Hour, 2)
	o.must(err)
	lines := o.trail()
	for _, want := range []string{
		`created an API key "reports"`, `changed an API key "nightly"`, `{"field":"description","old":"reports","new":"nightly"}`,
		`{"field":"models","old":"all","new":"qwen-plus"}`, `{"field":"addresses","old":"all","new":"10.0.0.0/8"}`,
		`gave an API key "nightly" a new secret`, "2026-11-23T10:00:00Z",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("the trail does not say %q: %s", want, lines)
		}
	}
	for _, text := range []secret.Text{first, second} {
		if strings.Contains(lines, text.Reveal()) || strings.Contains(lines, text.Reveal()[6:30]) {
			t.Error("the trail holds a secret")
		}
	}
}

func TestAnchor_ViewerCannotCreate_WithoutTheRightNothingIsDoneWithKeys(t *testing.T) {
	o := open(t)
	k, _ := o.issue(apikey.Terms{})
	none := o.by
	none.In = map[ident.Workspace]access.Membership{o.ws: {Role: access.Regular, Pages: []access.Page{access.PageUsage}}}
	ctx := t.Context()
	for name, err := range map[string]error{
		"issue":   third(o.keys.Issue(ctx, none, o.ws, apikey.Terms{})),
		"list":    third(o.keys.List(ctx, none, o.ws, apikey.Filter{})),
		"find":    second(o.keys.Find(ctx, none, o.ws, k.ID)),
		"edit":    o.keys.Edit(ctx, none, o.ws, k.ID, apikey.Terms{}, 1),
		"reset":   third(o.keys.Reset(ctx, none, o.ws, k.ID, 0, 1)),
		"disable": o.keys.Disable(ctx, none, o.ws, k.ID),
		"enable":  o.keys.Enable(ctx, none, o.ws, k.ID),
		"delete":  o.keys.Delete(ctx, none, o.ws, k.ID),
	} {
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, _, err := o.keys.ListAll(ctx, none, apikey.Filter{}); len(all) != 0 || err != nil {
		t.Errorf("list of all: %v, %v", all, err)
	}
	if got := o.find(k.ID); got.Version != 1 {
		t.Errorf("the key was changed: %+v", got)
	}
}

func second(_ any, err error) error   { return err }
func third(_, _ any, err error) error { return err }
