package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

func TestAWorkspaceNameIsTakenRegardlessOfCase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		w.Workspace("Über-Münze")
		research := w.Workspace("Research")
		for _, name := range []string{"über-münze", "ÜBER-MÜNZE", "U\u0308ber-Mu\u0308nze", "default workspace"} {
			err := s.InsertWorkspace(ctx, w.Account.ID, workspace.Workspace{ID: ident.NewWorkspace(), Name: name}, w.Why("workspaces:add"))
			wantFault(t, err, fault.Conflict, "name")
			wantFault(t, s.RenameWorkspace(ctx, w.Account.ID, research.ID, name, 1, w.Why("workspaces:rename")), fault.Conflict, "name")
		}
		if a, _ := s.Allowance(ctx, w.Account.ID); a.Used != 2 {
			t.Fatalf("%d are counted", a.Used)
		}
		must(t, s.RenameWorkspace(ctx, w.Account.ID, research.ID, "RESEARCH", 1, w.Why("workspaces:rename")))
		storetest.NewWorld(t, s, "umbrella").Workspace("Research")
	})
}

func TestAStaleRenameIsAConflict(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		ws := w.Workspace("Marketing")
		must(t, s.RenameWorkspace(ctx, w.Account.ID, ws.ID, "Sales", 1, w.Why("workspaces:rename")))
		wantFault(t, s.RenameWorkspace(ctx, w.Account.ID, ws.ID, "Purchase", 1, w.Why("workspaces:rename")), fault.Conflict, "version")
		got, err := s.Workspace(ctx, w.Account.ID, ws.ID)
		must(t, err)
		if got.Name != "Sales" || got.Version != 2 || got.ID != ws.ID {
			t.Fatalf("%+v", got)
		}
	})
}

func TestAWorkspaceIsDeletedOnlyWhenEmpty(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		ws, alice := w.Workspace("Marketing"), w.User("alice", access.Regular)
		w.Model("qwen-turbo")
		key, _ := w.Key(ws.ID, secret.Pepper{})
		w.Member(ws.ID, alice.ID, access.Regular)
		w.Grant("qwen-turbo", catalogue.Call, ws.ID)
		w.Grant("qwen-turbo", catalogue.Train, ws.ID)
		before := version(t, s)

		want := []workspace.Remain{{Kind: "keys", Count: 1}, {Kind: "grants", Count: 2}, {Kind: "members", Count: 1}}
		left, err := s.DeleteWorkspace(ctx, w.Account.ID, ws.ID, w.Why("workspaces:delete"))
		must(t, err)
		seen, err := s.Remains(ctx, w.Account.ID, ws.ID)
		must(t, err)
		if !reflect.DeepEqual(left, want) || !reflect.DeepEqual(seen, want) || version(t, s) != before {
			t.Fatalf("%+v, %+v", left, seen)
		}
		must(t, s.DeleteKey(ctx, ws.ID, key.ID, w.Why("keys:delete")))
		w.Grant("qwen-turbo", catalogue.Call)
		w.Grant("qwen-turbo", catalogue.Train)
		must(t, s.Exec("DELETE FROM members"))
		left, err = s.DeleteWorkspace(ctx, w.Account.ID, ws.ID, w.Why("workspaces:delete"))
		if err != nil || len(left) != 0 {
			t.Fatal(left, err)
		}
		_, err = s.Workspace(ctx, w.Account.ID, ws.ID)
		wantFault(t, err, fault.Missing, "")
		_, err = s.DeleteWorkspace(ctx, w.Account.ID, w.Default, w.Why("workspaces:delete"))
		wantFault(t, err, fault.Missing, "")
	})
}

func TestWorkspacesComeInPagesCompleteAndWithoutDuplicates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		settings := w.Account.Settings
		settings.WorkspaceLimit = 100
		must(t, s.ChangeSettings(t.Context(), w.Account.ID, settings, 1, w.Why("settings:change")))
		want := []string{}
		for i := range 23 {
			name := fmt.Sprintf("%c team %02d", "aBcD"[i%4], i)
			w.Workspace(name)
			want = append(want, name)
		}
		storetest.NewWorld(t, s, "umbrella").Workspace("a team of others")
		slices.SortFunc(want, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
		want = append([]string{"Default Workspace"}, want...)

		for _, size := range []int{1, 2, 5, 23, 24, 25} {
			var got []string
			f := workspace.Filter{Limit: size}
			for {
				page, next, err := s.Workspaces(t.Context(), w.Account.ID, f)
				must(t, err)
				for _, ws := range page {
					got = append(got, ws.Name)
				}
				if f.After = next; next == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("in pages of %d: %q", size, got)
			}
		}
	})
}

func TestASearchFindsPartsOfNamesAndIDsAndNothingElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		a, b := w.Workspace(`100%_Sales\`), w.Workspace("Übersee")
		find := func(f workspace.Filter) (names []string) {
			page, _, err := s.Workspaces(t.Context(), w.Account.ID, f)
			must(t, err)
			for _, ws := range page {
				names = append(names, ws.Name)
			}
			return names
		}
		for search, want := range map[string][]string{
			"sALES": {a.Name}, "%": {a.Name}, "_": {a.Name}, `\`: {a.Name}, "0%_s": {a.Name}, "ÜBER": {b.Name}, "u\u0308BER": {b.Name},
			string(b.ID): {b.Name}, strings.ToUpper(string(b.ID)): {b.Name}, "nobody": nil, "\x00\xff": nil,
		} {
			if got := find(workspace.Filter{Search: search}); !slices.Equal(got, want) {
				t.Errorf("%q finds %q", search, got)
			}
		}
		if got := find(workspace.Filter{Only: []ident.Workspace{b.ID}}); !slices.Equal(got, []string{b.Name}) {
			t.Errorf("only one: %q", got)
		}
		if got := find(workspace.Filter{Only: []ident.Workspace{}}); got != nil {
			t.Errorf("only none: %q", got)
		}
		_, _, err := s.Workspaces(t.Context(), w.Account.ID, workspace.Filter{Search: strings.Repeat("x", 101)})
		wantFault(t, err, fault.Invalid, "search")
		for _, cursor := range []string{"?", "AAAA", "WyJhIl0", "bnVsbA", "WyJhIiwiXHUwMDAwIiwiYyJd"} {
			_, _, err := s.Workspaces(t.Context(), w.Account.ID, workspace.Filter{After: cursor})
			wantFault(t, err, fault.Invalid, "after")
		}
	})
}

func TestAdministratorsAreReadWithOneQuery(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		alice, bob, carol := w.User("alice", access.Regular), w.User("bob", access.Regular), w.User("carol", access.Regular)
		for i := range 5 {
			ws := w.Workspace(fmt.Sprint("Department ", i))
			w.Member(ws.ID, bob.ID, access.Administrator)
			w.Member(ws.ID, alice.ID, access.Administrator)
			w.Member(ws.ID, carol.ID, access.Regular)
		}
		statements := s.Reads(func() {
			page, _, err := s.Workspaces(t.Context(), w.Account.ID, workspace.Filter{})
			must(t, err)
			for _, ws := range page {
				if want := []string{"alice", "bob"}; !ws.Default && !slices.Equal(ws.Administrators, want) {
					t.Errorf("%s: %q", ws.Name, ws.Administrators)
				}
			}
		})
		if len(statements) != 2 {
			t.Fatalf("%d statements: %q", len(statements), statements)
		}
	})
}
