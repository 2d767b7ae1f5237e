package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

// parallel runs do 50 times at once and counts how often it was done and how
// often refused as full.
func parallel(t *testing.T, do func(i int) error) (done, full int64) {
	var wait sync.WaitGroup
	var d, f atomic.Int64
	for i := range 50 {
		wait.Go(func() {
			switch err := do(i); {
			case err == nil:
				d.Add(1)
			case fault.Is(err, fault.Full):
				f.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	return d.Load(), f.Load()
}

func TestSec39_FiftyAddsAtALimitOfTenEndAtTen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		done, full := parallel(t, func(i int) error {
			ws := workspace.Workspace{ID: ident.NewWorkspace(), Name: fmt.Sprint("Department ", i), CreatedAt: storetest.Start, Version: 1}
			return s.InsertWorkspace(ctx, w.Account.ID, ws, w.Why("workspaces:add"))
		})
		if done != 10 || full != 40 {
			t.Fatalf("%d were added, %d refused", done, full)
		}
		n, err := s.Number("SELECT COUNT(*) FROM workspaces WHERE NOT is_default = TRUE")
		must(t, err)
		allowance, err := s.Allowance(ctx, w.Account.ID)
		must(t, err)
		if n != 10 || allowance != (workspace.Allowance{Used: 10, Limit: 10}) {
			t.Fatalf("there are %d, %+v", n, allowance)
		}
		err = s.InsertWorkspace(ctx, w.Account.ID, workspace.Workspace{ID: ident.NewWorkspace(), Name: "One more"}, w.Why("workspaces:add"))
		if !strings.Contains(fault.Show(err), "10") || !strings.Contains(fault.Show(err), "Delete") {
			t.Fatalf("the refusal says %q", fault.Show(err))
		}
	})
}

func TestSec39_FiftyKeysAtALimitOfTenEndAtTen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		done, full := parallel(t, func(i int) error { return insertKey(ctx, w, w.Default, 10) })
		if done != 10 || full != 40 {
			t.Fatalf("%d were made, %d refused", done, full)
		}
		page, _, err := s.Keys(ctx, w.Account.ID, apikey.Filter{})
		must(t, err)
		if len(page) != 10 {
			t.Fatalf("there are %d", len(page))
		}
		must(t, s.DeleteKey(ctx, w.Default, page[3].ID, w.Why("keys:delete")))
		must(t, insertKey(ctx, w, w.Default, 10))
		wantFault(t, insertKey(ctx, w, w.Default, 10), fault.Full, "")
	})
}

func insertKey(ctx context.Context, w *storetest.World, ws ident.Workspace, limit int) error {
	text := secret.NewKey()
	k := apikey.Key{ID: ident.NewKey(), Account: w.Account.ID, Digest: secret.TokenDigest(text.Reveal()), Hint: "abcd", Owner: w.Root.ID, CreatedAt: storetest.Start, Version: 1}
	return w.Store.InsertKey(ctx, ws, k, limit, w.Why("keys:issue"))
}

func TestADeletedWorkspaceMakesRoom(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		var last workspace.Workspace
		for i := range 10 {
			last = w.Workspace(fmt.Sprint("Department ", i))
		}
		left, err := s.DeleteWorkspace(ctx, w.Account.ID, last.ID, w.Why("workspaces:delete"))
		if err != nil || left != nil {
			t.Fatal(left, err)
		}
		w.Workspace("Department 9")
	})
}

func TestALoweredLimitKeepsWhatIsThereAndAddsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		w.Workspace("Marketing")
		w.Workspace("Research")
		settings := w.Account.Settings
		settings.WorkspaceLimit = 1
		must(t, s.ChangeSettings(ctx, w.Account.ID, settings, 1, w.Why("settings:change")))
		wantFault(t, s.ChangeSettings(ctx, w.Account.ID, settings, 1, w.Why("settings:change")), fault.Conflict, "version")
		err := s.InsertWorkspace(ctx, w.Account.ID, workspace.Workspace{ID: ident.NewWorkspace(), Name: "Sales"}, w.Why("workspaces:add"))
		wantFault(t, err, fault.Full, "")
		allowance, err := s.Allowance(ctx, w.Account.ID)
		must(t, err)
		if allowance != (workspace.Allowance{Used: 2, Limit: 1}) {
			t.Fatalf("%+v", allowance)
		}
	})
}

func TestTwoFirstAccountsAtOnceAreOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var wait sync.WaitGroup
		var opened atomic.Int64
		for i := range 8 {
			wait.Go(func() {
				err := openFirst(ctx, s, ident.Alias(fmt.Sprint("acme", i)))
				if err == nil {
					opened.Add(1)
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if opened.Load() != 1 {
			t.Fatalf("%d accounts were the first", opened.Load())
		}
	})
}

func TestAnAliasAndALogOnNameAreTakenOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		o := opening("acme")
		wantFault(t, s.OpenAccount(ctx, o, false, w.Why("accounts:open")), fault.Conflict, "alias")
		alice := w.User("alice", access.Regular)
		again := alice
		again.ID = ident.NewUser()
		wantFault(t, s.InsertUser(ctx, w.Account.ID, again, w.Why("users:add")), fault.Conflict, "name")
		storetest.NewWorld(t, s, "umbrella").User("alice", access.Regular)

		found, err := s.UserByLogOn(ctx, "acme", "alice")
		alice.Alias = "acme"
		must(t, err)
		if found != alice {
			t.Fatalf("got %+v, want %+v", found, alice)
		}
		_, err = s.UserByLogOn(ctx, "acme", "bob")
		wantFault(t, err, fault.Missing, "")
	})
}
