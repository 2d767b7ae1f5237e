package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/apikey"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

// syllables make texts that have much in common, some of it behind each other.
var syllables = []string{"na", "an", "ana", "Banane ", "É", "%", "_", `\`, "a-very-long-word-of-many-", " 7", "7", "key-"}

func text(r *rand.Rand, most int) string {
	var b strings.Builder
	for range r.IntN(most) + 1 {
		b.WriteString(syllables[r.IntN(len(syllables))])
	}
	return strings.TrimSpace(b.String())
}

// jungle is two workspaces of keys, each key changed or not since, and some deleted.
func jungle(t *testing.T, w *storetest.World, r *rand.Rand) (keys map[ident.Key]apikey.Key, workspaces []ident.Workspace) {
	keys = map[ident.Key]apikey.Key{}
	workspaces = []ident.Workspace{w.Workspace("a").ID, w.Workspace("b").ID}
	for i := range 120 {
		ws := workspaces[r.IntN(2)]
		id := ident.NewKey()
		k := apikey.Key{ID: id, Account: w.Account.ID, Workspace: ws, Owner: w.Root.ID, Description: text(r, 6), Digest: secret.TokenDigest(string(id)),
			Hint: "An" + fmt.Sprintf("%02d", i%10), CreatedAt: storetest.Start.Add(time.Duration(r.IntN(40)) * time.Millisecond), Version: 1}
		must(t, w.Store.InsertKey(t.Context(), ws, k, 500, w.Why("keys:issue")))
		switch r.IntN(8) {
		case 0:
			must(t, w.Store.DeleteKey(t.Context(), ws, id, w.Why("keys:delete")))
			continue
		case 1:
			k.Description = text(r, 6)
			must(t, w.Store.UpdateKey(t.Context(), ws, k, w.Why("keys:change")))
		case 2:
			k.DisabledAt = storetest.Start
			must(t, w.Store.SetKeyDisabled(t.Context(), ws, id, k.DisabledAt, w.Why("keys:disable")))
		}
		keys[id] = k
	}
	return keys, workspaces
}

// Whatever its reach, a search that is followed to its end finds all that it
// should and nothing twice, in the order of its list.
func TestASearchFindsAllThatHoldsWhatWasTyped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		r := rand.New(rand.NewPCG(1, 2))
		keys, workspaces := jungle(t, w, r)
		for try := range 150 {
			s.SetReach([]int{0, 5, 3000}[try%3], []int{0, 3, 500}[try/3%3], []int{4, 20, 5000}[try/9%3], []int{2, 9, 1000}[try%3])
			f := apikey.Filter{Search: text(r, 3), Order: []apikey.Order{apikey.ByCreation, apikey.ByUse, apikey.ByExpiry}[r.IntN(3)], Reversed: r.IntN(2) == 0,
				At: storetest.Start, Limit: 7}
			switch r.IntN(6) {
			case 0:
				f.Search = "An0" + fmt.Sprint(r.IntN(10))
			case 1:
				for id := range keys {
					f.Search = string(id)[:r.IntN(16)+5]
					break
				}
			}
			if r.IntN(3) == 0 {
				f.State = []apikey.State{apikey.Disabled, apikey.Enabled}[r.IntN(2)]
			}
			if r.IntN(2) == 0 {
				f.Only = workspaces[:r.IntN(2)+1]
			}
			var want []ident.Key
			for id, k := range keys {
				low := strings.ToLower(f.Search)
				found := strings.Contains(strings.ToLower(k.Description), low) || k.Hint == f.Search || strings.HasPrefix(f.Search, "key-") && strings.HasPrefix(string(id), low)
				if found && (f.State == "" || k.DisabledAt.IsZero() == (f.State == apikey.Enabled)) && (f.Only == nil || slices.Contains(f.Only, k.Workspace)) {
					want = append(want, id)
				}
			}
			var got []ident.Key
			var last time.Time
			for g := f; ; {
				page, next, err := s.Keys(t.Context(), w.Account.ID, g)
				must(t, err)
				for _, k := range page {
					if f.Order == apikey.ByCreation && !last.IsZero() && last.Before(k.CreatedAt) != f.Reversed && !last.Equal(k.CreatedAt) {
						t.Errorf("%+v: out of order", f)
					}
					got, last = append(got, k.ID), k.CreatedAt
				}
				if g.After = next; next == "" {
					break
				}
			}
			slices.Sort(got)
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Fatalf("%+v: %d found, want %d", f, len(got), len(want))
			}
		}
	})
}

func TestASearchForPeopleFindsAllWhoHaveWhatWasTyped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a, ws := t.Context(), w.Account.ID, w.Workspace("a").ID
		r := rand.New(rand.NewPCG(3, 4))
		folded, inside := map[ident.LogOn]string{}, map[ident.LogOn]bool{}
		for i := range 60 {
			u := w.User(ident.LogOn(fmt.Sprintf("u%02d", i*7%60)), access.Regular)
			if r.IntN(6) == 0 {
				must(t, s.DeleteUser(ctx, a, u.ID, w.Why("users:delete")))
				continue
			}
			u.Name, u.Email = text(r, 5), fmt.Sprintf("p%d@example.com", i)
			must(t, s.UpdateUser(ctx, a, u, w.Why("users:change")))
			folded[u.LogOn] = strings.ToLower(string(u.LogOn) + "\n" + u.Name + "\n" + u.Email)
			if inside[u.LogOn] = r.IntN(2) == 0; inside[u.LogOn] {
				w.Member(ws, u.ID, access.Regular)
			}
		}
		for try := range 60 {
			s.SetReach(5, []int{0, 4, 500}[try%3], 20, []int{4, 18, 1000}[try/3%3])
			search := []string{text(r, 2), "@example", "u", fmt.Sprint("p", r.IntN(60)), "nobody"}[r.IntN(5)]
			var everybody, members, others []ident.LogOn
			for name, words := range folded {
				if !strings.Contains(words, strings.ToLower(search)) {
					continue
				}
				if everybody = append(everybody, name); inside[name] {
					members = append(members, name)
				} else {
					others = append(others, name)
				}
			}
			compare(t, "users "+search, everybody, func(after string) (names []ident.LogOn, next string) {
				page, next, err := s.Users(ctx, a, account.UserFilter{Search: search, After: after, Limit: 7})
				must(t, err)
				for _, u := range page {
					names = append(names, u.LogOn)
				}
				return names, next
			})
			compare(t, "members "+search, members, func(after string) (names []ident.LogOn, next string) {
				page, next, err := s.Members(ctx, a, ws, workspace.MemberFilter{Search: search, After: after, Limit: 7})
				must(t, err)
				for _, m := range page {
					names = append(names, m.LogOn)
				}
				return names, next
			})
			list, more, err := s.Candidates(ctx, a, ws, workspace.CandidateFilter{Search: search, Limit: 100})
			must(t, err)
			slices.Sort(others)
			for i, c := range list {
				if c.LogOn != others[i] {
					t.Errorf("%q: %v is no candidate", search, c)
				}
			}
			if !more && len(list) < len(others) {
				t.Errorf("%q: %d candidates of %d, and no more", search, len(list), len(others))
			}
		}
	})
}

// compare walks through the pages of a list by log-on name.
func compare(t *testing.T, what string, want []ident.LogOn, page func(after string) ([]ident.LogOn, string)) {
	t.Helper()
	var got []ident.LogOn
	for after := ""; ; {
		names, next := page(after)
		got = append(got, names...)
		if after = next; next == "" {
			break
		}
	}
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Fatalf("%s: %q, want %q", what, got, want)
	}
}

// Nothing stays on a shelf of what is gone.
func TestFragmentsGoWithWhatTheyAreOf(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ws, bob := w.Workspace("a").ID, w.User("bob", access.Regular)
		before, err := s.Number("SELECT count(*) FROM fragments")
		must(t, err)
		id := ident.NewKey()
		k := apikey.Key{ID: id, Account: w.Account.ID, Workspace: ws, Owner: w.Root.ID, Description: "Nightly", Digest: secret.TokenDigest("x"), CreatedAt: storetest.Start, Version: 1}
		must(t, s.InsertKey(t.Context(), ws, k, 50, w.Why("keys:issue")))
		k.Description = "Daily and nightly"
		must(t, s.UpdateKey(t.Context(), ws, k, w.Why("keys:change")))
		if n, _ := s.Number("SELECT count(*) FROM fragments"); n != before+len(k.Description) {
			t.Errorf("%d fragments, want %d", n, before+len(k.Description))
		}
		must(t, s.DeleteKey(t.Context(), ws, id, w.Why("keys:delete")))
		_, err = s.DeleteWorkspace(t.Context(), w.Account.ID, ws, w.Why("workspaces:delete"))
		must(t, err)
		must(t, s.DeleteUser(t.Context(), w.Account.ID, bob.ID, w.Why("users:delete")))
		left, err := s.Strings("SELECT fragment FROM fragments f WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.number = f.item)")
		must(t, err)
		shelves, err := s.Number("SELECT count(*) FROM shelves WHERE owner = ?", ws)
		if must(t, err); len(left) > 0 || shelves > 0 {
			t.Errorf("%q is left, %d shelves", left, shelves)
		}
	})
}
