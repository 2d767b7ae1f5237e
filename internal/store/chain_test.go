package store_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// inspect gives what is wrong with any chain, in words.
func inspect(t testing.TB, s *store.Store, heads map[ident.Account][]audit.Head) (found []string) {
	t.Helper()
	must(t, s.Chains(t.Context(), func(c audit.Chain) error {
		r, err := audit.Inspect(c, heads[c.Account], signingKey().Public().(ed25519.PublicKey))
		for _, f := range r.Findings {
			found = append(found, f.What)
		}
		return err
	}))
	return found
}

// noTriggers takes away what keeps the trail from being edited, as somebody
// would who has the database in hand.
func noTriggers(t testing.TB, s *store.Store) {
	t.Helper()
	if s.Postgres() {
		must(t, s.Exec("DROP TRIGGER audit_events_keep ON audit_events"))
		must(t, s.Exec("DROP TRIGGER audit_events_keep_delete ON audit_events"))
		return
	}
	for _, name := range []string{"update", "delete", "replace"} {
		must(t, s.Exec("DROP TRIGGER audit_events_keep_"+name))
	}
}

func TestTheChainIsWholeUnderFiftyChangesAtOnceFromTwoProcesses(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		one, two := storetest.Open(t, c), storetest.Open(t, c)
		w, other := storetest.NewWorld(t, one, "acme"), storetest.NewWorld(t, two, "umbrella")
		var wait sync.WaitGroup
		for i := range 50 {
			s, world := []*store.Store{one, two}[i%2], []*storetest.World{w, other}[i/2%2]
			wait.Go(func() {
				if i%5 == 0 {
					must(t, s.Note(t.Context(), world.Why("users:log-on")))
					return
				}
				u := world.Root
				u.ID, u.LogOn, u.Role = ident.NewUser(), ident.LogOn(fmt.Sprint("user", i)), access.Regular
				must(t, s.InsertUser(t.Context(), world.Account.ID, u, world.Why("users:add")))
			})
		}
		wait.Wait()
		if found := inspect(t, one, nil); len(found) > 0 {
			t.Fatal(found)
		}
		tips, err := two.Tips(t.Context())
		must(t, err)
		if len(tips) != 2 || tips[0].Seq+tips[1].Seq != 52 {
			t.Fatalf("%+v", tips)
		}
	})
}

func TestWhatSomebodyDidToTheTrailByHandIsNamed(t *testing.T) {
	for what, did := range map[string]struct {
		statements []string
		named      string
	}{
		"an edited summary":   {[]string{"UPDATE audit_events SET summary = 'nothing happened' WHERE seq = 5"}, "line 5 (%s) was edited or inserted"},
		"an edited actor":     {[]string{"UPDATE audit_events SET actor_name = 'carol@acme' WHERE seq = 5"}, "line 5 (%s) was edited or inserted"},
		"an edited time":      {[]string{"UPDATE audit_events SET at = at + 1 WHERE seq = 5"}, "line 5 (%s) was edited or inserted"},
		"an edited workspace": {[]string{"UPDATE audit_events SET workspace_id = 'llm-0000000000000000' WHERE seq = 5"}, "line 5 (%s) was edited or inserted"},
		"an edited detail":    {[]string{`UPDATE audit_events SET detail = '{"a":"b"}' WHERE seq = 5`}, "line 5 (%s) was edited or inserted"},
		"a broken detail":     {[]string{"UPDATE audit_events SET detail = 'x' WHERE seq = 5"}, "line 5 (%s) was edited or inserted"},
		"a cut hash":          {[]string{"UPDATE audit_events SET hash = prev WHERE seq = 5"}, "line 5 (%s) was edited or inserted"},
		"a deleted line":      {[]string{"DELETE FROM audit_events WHERE seq = 5"}, "line 5 was deleted"},
		"deleted lines":       {[]string{"DELETE FROM audit_events WHERE seq IN (4, 5)"}, "lines 4 to 5 were deleted"},
		"the first deleted":   {[]string{"DELETE FROM audit_events WHERE seq = 1"}, "line 1 was deleted"},
		"the last deleted":    {[]string{"DELETE FROM audit_events WHERE seq = <last>"}, "lines <last> to <last> were deleted from the end"},
		"all deleted":         {[]string{"DELETE FROM audit_events"}, "lines 1 to <last> were deleted from the end"},
		"the head put back": {[]string{"DELETE FROM audit_events WHERE seq = <last>", "UPDATE audit_heads SET seq = seq - 1, hash = (SELECT hash FROM audit_events WHERE seq = <last> - 1)"},
			"lines <last> to <last> were deleted from the end"},
		"the head deleted": {[]string{"DELETE FROM audit_heads"}, "line <last> is not the one that the chain ends with"},
		"swapped lines": {[]string{"UPDATE audit_events SET seq = 99 WHERE seq = 5", "UPDATE audit_events SET seq = 5 WHERE seq = 6",
			"UPDATE audit_events SET seq = 6 WHERE seq = 99"}, "line 6 (%s) was edited or inserted"},
		"another account's": {[]string{"UPDATE audit_events SET account_id = 'acc-0000000000000000' WHERE seq = 5"}, "line 5 was deleted"},
	} {
		t.Run(what, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				w := newEstate(t, s, "acme")
				heads := exported(t, s)
				if found := inspect(t, s, heads); len(found) > 0 {
					t.Fatal(found)
				}
				ids, err := s.Strings("SELECT id FROM audit_events WHERE seq = 5")
				must(t, err)
				told := strings.NewReplacer("<last>", fmt.Sprint(heads[w.Account.ID][0].Seq), "%s", ids[0])
				noTriggers(t, s)
				for _, statement := range did.statements {
					must(t, s.Exec(told.Replace(statement)))
				}
				found := strings.Join(inspect(t, s, heads), "\n")
				if !strings.Contains(found, told.Replace(did.named)) {
					t.Errorf("%s of %s is not named: %s", what, w.Account.ID, found)
				}
			})
		})
	}
}

var signingKey = sync.OnceValue(func() ed25519.PrivateKey {
	_, key, _ := ed25519.GenerateKey(rand.Reader) // it never fails
	return key
})

// exported signs the heads there are.
func exported(t testing.TB, s *store.Store) map[ident.Account][]audit.Head {
	t.Helper()
	heads := map[ident.Account][]audit.Head{}
	tips, err := s.Tips(t.Context())
	must(t, err)
	for _, tip := range tips {
		heads[tip.Account] = append(heads[tip.Account], audit.Sign(signingKey(), tip.Account, tip.Seq, tip.Hash, storetest.Start))
	}
	return heads
}

func TestOldEventsAreChainedByTheMigration(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s := storetest.Open(t, c)
		newEstate(t, s, "acme")
		newEstate(t, s, "umbrella")
		must(t, s.Unchain())
		n, err := s.Number("SELECT COUNT(*) FROM audit_events")
		must(t, err)
		again := storetest.Open(t, c)
		if found := inspect(t, again, nil); len(found) > 0 {
			t.Fatal(found)
		}
		if m, _ := again.Number("SELECT COUNT(*) FROM audit_events"); m != n || n < 18 {
			t.Fatalf("%d events, then %d", n, m)
		}
		if again.Exec("DELETE FROM audit_events") == nil {
			t.Error("after the migration events can be deleted")
		}
	})
}

func TestAGrantIsAnEventOfEachWorkspaceItConcerns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		w.Model("qwen-turbo")
		a, b := w.Workspace("a"), w.Workspace("b")
		w.Grant("qwen-turbo", catalogue.Call, a.ID, b.ID)
		w.Grant("qwen-turbo", catalogue.Call, b.ID)
		n, err := s.Number("SELECT COUNT(*) FROM audit_events WHERE action = 'grants:change'")
		must(t, err)
		if found := inspect(t, s, nil); n != 3 || len(found) > 0 {
			t.Fatalf("%d events, %v", n, found)
		}
	})
}
