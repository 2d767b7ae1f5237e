package account_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"
	"time"

	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

func TestTheTrailIsKeptAsLongAsTheAccountSaysAndStaysVerifiable(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		clock := &storetest.Clock{}
		c.Now = clock.Now
		s := storetest.Open(t, c)
		public, key, _ := ed25519.GenerateKey(rand.Reader) // it never fails
		w, forever := storetest.NewWorld(t, s, "acme"), storetest.NewWorld(t, s, "umbrella")
		keep := forever.Account.Settings
		keep.AuditDays = 0
		must(t, s.ChangeSettings(t.Context(), forever.Account.ID, keep, 1, forever.Why("settings:change")))
		for range 2500 {
			must(t, s.Note(t.Context(), w.Why("users:log-on")))
		}
		clock.Pass(366 * 24 * time.Hour)
		must(t, s.Note(t.Context(), w.Why("users:log-on")))
		r := account.Retention{Store: s, Key: key, Now: clock.Now}
		must(t, r.Expire(t.Context()))
		for a, want := range map[*storetest.World]int64{w: 2502, forever: 1} {
			must(t, s.Chain(t.Context(), a.Account.ID, func(c audit.Chain) error {
				found, err := audit.Inspect(c, nil, public)
				if !found.Whole() || found.From != want {
					t.Errorf("%s: %+v", a.Account.Alias, found)
				}
				return err
			}))
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
