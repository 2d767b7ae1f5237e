package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// What stands in a database from before is found as what comes later.
func TestMigrationsFillTheRowsThatAreThere(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s, err := store.Open(t.Context(), c)
		must(t, err)
		w := storetest.NewWorld(t, s, "acme")
		r := rand.New(rand.NewPCG(5, 6))
		jungle(t, w, r)
		bob := w.User("bob", access.Regular)
		for i := range 3 {
			u := w.User(ident.LogOn(fmt.Sprint("user", i)), access.Regular)
			u.Name = text(r, 5)
			must(t, s.UpdateUser(t.Context(), w.Account.ID, u, w.Why("users:change")))
		}
		insertKeyOf(t, w, w.Default, bob.ID, "stranded")
		before := shelvedWords(t, s)
		must(t, s.Unsearch())
		must(t, s.Close())
		s = storetest.Open(t, c)
		after := shelvedWords(t, s)
		if !slices.Equal(before, after) {
			t.Errorf("%d lines were there, %d are", len(before), len(after))
		}
		odd, err := s.Strings("SELECT id FROM keys k WHERE number < created OR EXISTS (SELECT 1 FROM keys o WHERE o.created < k.created AND o.number > k.number)")
		if must(t, err); len(odd) > 0 {
			t.Errorf("%d keys are out of order", len(odd))
		}
	})
}

// shelvedWords is what stands on which shelf, and which keys are stranded,
// without the numbers.
func shelvedWords(t *testing.T, s *store.Store) (words []string) {
	t.Helper()
	for _, query := range []string{
		"SELECT s.owner || '|' || f.fragment || '|' || k.id FROM fragments f JOIN shelves s ON s.number = f.shelf JOIN keys k ON k.number = f.item AND k.workspace_id = s.owner",
		"SELECT s.owner || '|' || f.fragment || '|' || u.id FROM fragments f JOIN shelves s ON s.number = f.shelf JOIN users u ON u.number = f.item AND u.account_id = s.owner",
		"SELECT 'stranded|' || id FROM keys WHERE stranded = 1",
	} {
		found, err := s.Strings(query)
		if must(t, err); len(found) == 0 {
			t.Errorf("nothing is found by %s", query)
		}
		words = append(words, found...)
	}
	slices.Sort(words)
	return words
}
