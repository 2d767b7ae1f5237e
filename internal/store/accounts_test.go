package store_test

import (
	"context"
	"reflect"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

func opening(alias ident.Alias) account.Opening {
	a := account.Account{ID: ident.NewAccount(), Alias: alias, Name: string(alias), Settings: account.Defaults, CreatedAt: storetest.Start, Version: 1}
	root := account.User{ID: ident.NewUser(), LogOn: account.RootLogOn, Name: string(alias), Role: access.Root, CreatedAt: storetest.Start, Generation: 1}
	return account.Opening{Account: a, Root: root, Workspace: ident.NewWorkspace()}
}

func openFirst(ctx context.Context, s *store.Store, alias ident.Alias) error {
	o := opening(alias)
	return s.OpenAccount(ctx, o, true, audit.Event{ID: ident.NewEvent(), Account: o.Account.ID})
}

func TestAnAccountComesBackAsItWasKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		byID, err := s.Account(ctx, w.Account.ID)
		must(t, err)
		byAlias, err := s.AccountByAlias(ctx, "acme")
		must(t, err)
		all, err := s.Accounts(ctx)
		must(t, err)
		if byID != w.Account || byAlias != w.Account || len(all) != 1 || all[0] != w.Account {
			t.Fatalf("kept %+v, got %+v, %+v, %+v", w.Account, byID, byAlias, all)
		}
		first, err := s.Workspace(ctx, w.Account.ID, w.Default)
		must(t, err)
		if !first.Default || first.Name != "Default Workspace" || first.Version != 1 || !first.CreatedAt.Equal(w.Account.CreatedAt) {
			t.Fatalf("%+v", first)
		}
	})
}

func TestAnActorHasRoleAndMemberships(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		alice := w.User("alice", access.Regular)
		marketing, research := w.Workspace("Marketing"), w.Workspace("Research")
		w.Member(marketing.ID, alice.ID, access.Regular)
		w.Member(marketing.ID, alice.ID, access.Administrator)
		w.Member(research.ID, alice.ID, access.Regular, access.PageKeys, access.PageUsage)

		got, err := s.Actor(t.Context(), alice.ID)
		must(t, err)
		want := access.Actor{
			Account: w.Account.ID, Alias: "acme", User: alice.ID, LogOn: "alice", Name: "alice", Role: access.Regular,
			In: map[ident.Workspace]access.Membership{
				marketing.ID: {Role: access.Administrator},
				research.ID:  {Role: access.Regular, Pages: []access.Page{access.PageKeys, access.PageUsage}},
			},
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		must(t, s.Exec("UPDATE users SET disabled = 1 WHERE id = ?", alice.ID))
		_, err = s.Actor(t.Context(), alice.ID)
		wantFault(t, err, fault.Missing, "")
	})
}

func TestEveryModelOfTheCatalogueComesBackAsItWasKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		builtin, err := catalogue.Builtin()
		must(t, err)
		must(t, s.InstallModels(ctx, w.Account.ID, builtin, w.Why("models:install")))
		models, err := s.Models(ctx, w.Account.ID)
		must(t, err)
		if len(models) != len(builtin) {
			t.Fatalf("%d of %d", len(models), len(builtin))
		}
		for i, want := range builtin {
			want.Account = w.Account.ID
			one, err := s.Model(ctx, w.Account.ID, want.ID)
			must(t, err)
			if !reflect.DeepEqual(models[i], want) || !reflect.DeepEqual(one, want) {
				t.Errorf("kept %+v, got %+v", want, models[i])
			}
		}
	})
}

func TestInstallingAgainAddsOnlyWhatIsLacking(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		builtin, err := catalogue.Builtin()
		must(t, err)
		must(t, s.InstallModels(ctx, w.Account.ID, builtin[1:], w.Why("models:install")))
		must(t, s.Exec("UPDATE models SET name = 'ours' WHERE id = ?", builtin[1].ID))
		before := version(t, s)
		must(t, s.InstallModels(ctx, w.Account.ID, builtin[1:], w.Why("models:install")))
		if version(t, s) != before {
			t.Fatal("installing nothing was a change")
		}
		must(t, s.InstallModels(ctx, w.Account.ID, builtin, w.Why("models:install")))
		f, err := s.Facts(ctx, before)
		must(t, err)
		if len(f.Models) != 1 || f.Models[0].ID != builtin[0].ID {
			t.Fatalf("%d models changed", len(f.Models))
		}
		if kept, _ := s.Model(ctx, w.Account.ID, builtin[1].ID); kept.Name != "ours" {
			t.Fatal("a model that was there was changed")
		}
		wantFault(t, s.InsertModel(ctx, w.Account.ID, builtin[0], w.Why("models:add")), fault.Conflict, "model")
	})
}

func version(t *testing.T, s *store.Store) int64 {
	t.Helper()
	f, err := s.Facts(t.Context(), 0)
	must(t, err)
	return f.Version
}
