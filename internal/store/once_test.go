package store_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

func claimOf(k adminkey.Key, mark, body string) adminkey.Claim {
	at := storetest.Start
	return adminkey.Claim{Key: k.ID, Mark: secret.TokenDigest(mark), Body: secret.TokenDigest(body), At: at, Until: at.Add(adminkey.ClaimLife)}
}

// adding is a request that adds a workspace and answers with its name.
func adding(ctx context.Context, w *storetest.World, name string) func(*store.Store) (adminkey.Answer, error) {
	return func(s *store.Store) (adminkey.Answer, error) {
		ws := workspace.Workspace{ID: ident.NewWorkspace(), Account: w.Account.ID, Name: name, CreatedAt: storetest.Start, Version: 1}
		if err := s.InsertWorkspace(ctx, w.Account.ID, ws, w.Why("workspaces:add")); err != nil {
			return adminkey.Answer{}, err
		}
		kept, err := s.Workspace(ctx, w.Account.ID, ws.ID) // what was changed is read inside
		return adminkey.Answer{Status: 201, Sealed: []byte(kept.ID)}, err
	}
}

func TestSec39_EqualRequestsHaveOneEffectAndOneAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		k := w.AdminKey(w.Root.ID)
		var told, fresh atomic.Int64
		s.OnChange(func(context.Context) { told.Add(1) })
		answers := make([]string, 50)
		var wait sync.WaitGroup
		for i := range answers {
			wait.Go(func() {
				a, replayed, err := s.Once(t.Context(), w.Account.ID, claimOf(k, "same", "body"), adding(t.Context(), w, "Sales"))
				if err != nil {
					answers[i] = err.Error()
					return
				}
				if !replayed {
					fresh.Add(1)
				}
				answers[i] = fmt.Sprint(a.Status, string(a.Sealed))
			})
		}
		wait.Wait()
		for _, a := range answers {
			if a != answers[0] {
				t.Errorf("answered %q and %q", answers[0], a)
			}
		}
		n, err := s.Number("SELECT COUNT(*) FROM workspaces WHERE name = 'Sales'")
		if must(t, err); n != 1 || fresh.Load() != 1 || told.Load() != 1 {
			t.Errorf("%d workspaces, %d effects, told %d times", n, fresh.Load(), told.Load())
		}
	})
}

func TestARequestIsItsBodyItsKeyAndADay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, k, other := t.Context(), w.AdminKey(w.Root.ID), w.AdminKey(w.Root.ID)
		once := func(c adminkey.Claim, name string) (bool, error) {
			_, replayed, err := s.Once(ctx, w.Account.ID, c, adding(ctx, w, name))
			return replayed, err
		}
		_, err := once(claimOf(k, "one", "body"), "A")
		must(t, err)
		_, err = once(claimOf(k, "one", "another body"), "B")
		wantFault(t, err, fault.Invalid, "Idempotency-Key")
		if replayed, err := once(claimOf(other, "one", "another body"), "C"); err != nil || replayed {
			t.Errorf("the claim of another admin key: %v, %v", replayed, err)
		}
		later := claimOf(k, "one", "another body")
		later.At, later.Until = later.Until, later.Until.Add(time.Hour)
		if replayed, err := once(later, "D"); err != nil || replayed {
			t.Errorf("after a day: %v, %v", replayed, err)
		}
		for i := range 3 {
			c := claimOf(k, fmt.Sprint("old", i), "body")
			_, err = once(c, fmt.Sprint("old", i))
			must(t, err)
		}
		later.Mark, later.At, later.Until = secret.TokenDigest("new"), later.At.Add(time.Hour), later.Until.Add(time.Hour)
		_, err = once(later, "E")
		must(t, err)
		if n, err := s.Number("SELECT COUNT(*) FROM admin_claims"); err != nil || n != 2 {
			t.Errorf("%d claims are kept, %v", n, err) // the last one, and that of the other key
		}
	})
}

func TestWhatFailsInsideLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, k := t.Context(), w.AdminKey(w.Root.ID)
		w.Workspace("Taken")
		before := everything(t, s)
		_, _, err := s.Once(ctx, w.Account.ID, claimOf(k, "x", "y"), func(in *store.Store) (adminkey.Answer, error) {
			if _, err := adding(ctx, w, "First")(in); err != nil {
				return adminkey.Answer{}, err
			}
			return adding(ctx, w, "Taken")(in)
		})
		wantFault(t, err, fault.Conflict, "name")
		func() {
			defer func() { _ = recover() }()
			_, _, _ = s.Once(ctx, w.Account.ID, claimOf(k, "x", "y"), func(in *store.Store) (adminkey.Answer, error) {
				_, err := adding(ctx, w, "Second")(in)
				must(t, err)
				panic("a bug")
			})
		}()
		if after := everything(t, s); after != before {
			t.Errorf("something was kept:\n%s\n%s", before, after)
		}
		// A part that changes nothing, or fails and is mended, is undone alone.
		key, _ := w.Key(w.Default, secret.Pepper{})
		a, _, err := s.Once(ctx, w.Account.ID, claimOf(k, "x", "y"), func(in *store.Store) (adminkey.Answer, error) {
			if _, err := adding(ctx, w, "Taken")(in); !fault.Is(err, fault.Conflict) {
				t.Errorf("taken: %v", err)
			}
			must(t, in.SetKeyDisabled(ctx, w.Default, key.ID, time.Time{}, w.Why("keys:enable"))) // it is enabled
			return adding(ctx, w, "Third")(in)
		})
		if must(t, err); a.Status != 201 {
			t.Error("a failed attempt cannot be repeated")
		}
		n, err := s.Number("SELECT (SELECT seq FROM clock) - (SELECT COUNT(*) FROM audit_events)")
		if must(t, err); n != 0 {
			t.Errorf("%d numbers have no event", n)
		}
	})
}

func TestNothingIsKeptForAnAdminKeyThatWasRevokedMeanwhile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, k := t.Context(), w.AdminKey(w.Root.ID)
		_, _, err := s.Once(ctx, w.Account.ID, claimOf(k, "kept", "y"), adding(ctx, w, "First"))
		must(t, err)
		must(t, s.DeleteAdminKey(ctx, w.Account.ID, k.ID, w.Why("admin-keys:revoke")))
		_, _, err = s.Once(ctx, w.Account.ID, claimOf(k, "x", "y"), adding(ctx, w, "Second"))
		wantFault(t, err, fault.Unauthenticated, "")
		n, err := s.Number("SELECT (SELECT COUNT(*) FROM admin_claims) + (SELECT COUNT(*) FROM workspaces WHERE name = 'Second')")
		if must(t, err); n != 0 {
			t.Error("something was kept")
		}
	})
}

func TestAnAdminKeyIsKeptAsItWasMade(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, alice := t.Context(), w.User("alice", access.Super)
		k := adminkey.Key{
			ID: ident.NewAdminKey(), Account: w.Account.ID, Owner: alice.ID, OwnerName: "alice@acme", Name: "terraform", Digest: secret.TokenDigest("t"), Hint: "wxyz",
			CreatedAt: storetest.Start, ExpiresAt: storetest.Start.Add(time.Hour), Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, OwnerRole: access.Super,
		}
		must(t, s.InsertAdminKey(ctx, w.Account.ID, k, 2, w.Why("admin-keys:issue")))
		for _, read := range []func() (adminkey.Key, error){
			func() (adminkey.Key, error) { return s.AdminKey(ctx, w.Account.ID, k.ID) },
			func() (adminkey.Key, error) { return s.AdminKeyByDigest(ctx, k.Digest) },
		} {
			got, err := read()
			if must(t, err); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", k) {
				t.Errorf("got %+v, want %+v", got, k)
			}
		}
		must(t, s.AdminKeyUsed(ctx, w.Account.ID, k.ID, storetest.Start.Add(time.Minute)))
		must(t, s.AdminKeyUsed(ctx, w.Account.ID, k.ID, storetest.Start.Add(90*time.Second)))
		must(t, s.SetUserDisabled(ctx, w.Account.ID, alice.ID, storetest.Start, w.Why("users:disable")))
		got, err := s.AdminKey(ctx, w.Account.ID, k.ID)
		if must(t, err); !got.LastUsedAt.Equal(storetest.Start.Add(time.Minute)) || got.State(storetest.Start) != adminkey.Dead {
			t.Errorf("used and disabled it is %+v", got)
		}
		w.AdminKey(w.Root.ID)
		wantFault(t, s.InsertAdminKey(ctx, w.Account.ID, adminkey.Key{ID: ident.NewAdminKey(), Owner: alice.ID, Digest: secret.TokenDigest("u"), ExpiresAt: storetest.Start}, 2, w.Why("x")), fault.Full, "")
		must(t, s.DeleteUser(ctx, w.Account.ID, alice.ID, w.Why("users:delete")))
		_, err = s.AdminKeyByDigest(ctx, k.Digest)
		wantFault(t, err, fault.Missing, "")
	})
}
