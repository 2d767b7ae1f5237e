package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

func TestOnlyOwnModesAreAccepted(t *testing.T) {
	for _, wrong := range []struct {
		part string
		mode os.FileMode
	}{{"", 0o755}, {"", 0o710}, {"bailiwick.db", 0o640}, {"bailiwick.db", 0o604}} {
		c := storetest.SQLiteConfig(t)
		s, err := store.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		must(t, s.Close())
		path := filepath.Join(c.Data, wrong.part)
		must(t, os.Chmod(path, wrong.mode))
		_, err = store.Open(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), "chmod") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q %04o: %v", wrong.part, wrong.mode, err)
		}
	}
}

func TestFilesAreMadeForTheOwnerAlone(t *testing.T) {
	c := storetest.SQLiteConfig(t)
	c.Server = true
	storetest.NewWorld(t, storetest.Open(t, c), "acme")
	folder, err := os.ReadDir(c.Data)
	must(t, err)
	for _, entry := range folder {
		info, err := entry.Info()
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %04o", entry.Name(), info.Mode().Perm())
		}
	}
	info, err := os.Stat(c.Data)
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %04o", info.Mode().Perm())
	}
}

func TestASecondServerIsRefusedAndACommandIsNot(t *testing.T) {
	c := storetest.SQLiteConfig(t)
	c.Server = true
	first := storetest.Open(t, c)
	_, err := store.Open(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "in use by another server") {
		t.Fatalf("a second server: %v", err)
	}
	beside := c
	beside.Server = false
	storetest.NewWorld(t, storetest.Open(t, beside), "acme")
	if all, err := first.Accounts(t.Context()); err != nil || len(all) != 1 {
		t.Fatalf("the server sees %d accounts, %v", len(all), err)
	}
}

func TestOtherDatabasesAreRefused(t *testing.T) {
	_, err := store.Open(t.Context(), store.Config{Database: "mysql://root:hunter2@host/db", Data: filepath.Join(t.TempDir(), "data")})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), store.Config{Database: "postgres://root:hunter2@127.0.0.1:1/db"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatal(err)
	}
}

func TestAnchor_TwoBootMigration_FourStartersMigrateAtOnce(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				s, err := store.Open(context.WithoutCancel(t.Context()), c)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		storetest.NewWorld(t, storetest.Open(t, c), "acme")
	})
}

// Somebody made an index by hand before a release brings one of that name: the
// release starts, and the index is as it says.
func TestAnchor_DuplicateIndexTolerated(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s, err := store.Open(t.Context(), c)
		must(t, err)
		must(t, s.Exec("DELETE FROM migrations WHERE id = '202611280041_administrators'"))
		for _, statement := range []string{"DROP INDEX members_by_role", "CREATE INDEX members_by_role ON members (pages)"} { // the other index of the migration stays
			must(t, s.Exec(statement))
		}
		must(t, s.Close())
		s = storetest.Open(t, c)
		query := "SELECT sql FROM sqlite_master WHERE type = 'index' AND name IN ('members_by_role', 'keys_of_account_by_owner')"
		if s.Postgres() {
			query = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND indexname IN ('members_by_role', 'keys_of_account_by_owner')"
		}
		found, err := s.Strings(query)
		if must(t, err); len(found) != 2 || !strings.Contains(strings.Join(found, ";"), "(workspace_id, role, user_id)") {
			t.Errorf("the indexes are %q", found)
		}
		storetest.NewWorld(t, s, "acme")
	})
}

func TestHooksRunAfterTheCommitAndBeforeTheAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var seen int
		s.OnChange(func(ctx context.Context) {
			all, err := s.Accounts(ctx)
			must(t, err)
			seen = len(all)
		})
		w := storetest.NewWorld(t, s, "acme")
		if seen != 1 {
			t.Fatalf("the hook saw %d accounts", seen)
		}
		seen = -1
		must(t, s.Note(t.Context(), w.Why("users:log-on")))
		wantFault(t, s.InsertUser(t.Context(), w.Account.ID, w.Root, w.Why("users:add")), fault.Conflict, "name")
		if seen != -1 {
			t.Fatal("the hook ran although nothing changed")
		}
	})
}

func TestAHookOutlivesItsRequest(t *testing.T) {
	s := storetest.SQLite(t)
	ctx, cancel := context.WithCancel(t.Context())
	var after error
	s.OnChange(func(ctx context.Context) { cancel(); after = ctx.Err() })
	a := account.Account{ID: ident.NewAccount(), Alias: "acme", Name: "Acme", Settings: account.Defaults, CreatedAt: storetest.Start, Version: 1}
	root := account.User{ID: ident.NewUser(), LogOn: "root", Name: "Acme", Role: access.Root, CreatedAt: storetest.Start, Generation: 1}
	must(t, s.OpenAccount(ctx, account.Opening{Account: a, Root: root, Workspace: ident.NewWorkspace()}, true, audit.Event{ID: ident.NewEvent(), Account: a.ID}))
	if after != nil {
		t.Fatal(after)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantFault fails unless err is a fault of that kind about that field.
func wantFault(t testing.TB, err error, k fault.Kind, field string) {
	t.Helper()
	f, ok := fault.On(err, field)
	if !ok || f.Kind != k {
		t.Fatalf("got %v, want a fault of kind %v about %q", err, k, field)
	}
	if f.Message == "" || !strings.HasSuffix(f.Message, ".") {
		t.Fatalf("a fault says %q", f.Message)
	}
}
