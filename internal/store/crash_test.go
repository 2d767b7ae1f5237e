package store_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/usage"
)

// The crash test runs this binary again as the process that is killed.
// BAILIWICK_KILLS says how often; the usual run kills a few times.
const (
	victimDatabase = "BAILIWICK_TEST_VICTIM_DATABASE"
	victimData     = "BAILIWICK_TEST_VICTIM_DATA"
	victimAccount  = "BAILIWICK_TEST_VICTIM_ACCOUNT"
	killsVariable  = "BAILIWICK_KILLS"
)

func TestMain(m *testing.M) {
	if account := os.Getenv(victimAccount); account != "" {
		fmt.Fprintln(os.Stderr, victim(context.Background(), ident.Account(account)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim adds and deletes keys and keeps usage until it is killed. It prints a
// line once a change is acknowledged, and one before it asks for a deletion.
func victim(ctx context.Context, a ident.Account) error {
	s, err := store.Open(ctx, store.Config{Database: os.Getenv(victimDatabase), Data: os.Getenv(victimData)})
	if err != nil {
		return err
	}
	owner, err := s.UserByLogOn(ctx, "acme", "root")
	if err != nil {
		return err
	}
	f, err := s.Facts(ctx, 0)
	if err != nil {
		return err
	}
	home := f.Accounts[0].Default
	w := &storetest.World{Store: s, Root: owner}
	w.Account.ID, w.Account.Alias = a, "acme"
	failed := make(chan error)
	for range 3 {
		go func() {
			for {
				if err := torment(ctx, w, home); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

func torment(ctx context.Context, w *storetest.World, home ident.Workspace) error {
	k := apikey.Key{ID: ident.NewKey(), Account: w.Account.ID, Owner: w.Root.ID, Digest: secret.TokenDigest(string(ident.NewKey())), CreatedAt: time.Now(), Version: 1}
	if err := w.Store.InsertKey(ctx, home, k, 1<<30, w.Why("keys:issue")); err != nil {
		return err
	}
	say("added", string(k.ID))
	r := usage.Record{Call: ident.NewCall(), At: time.Now(), Account: w.Account.ID, Workspace: home}
	if err := w.Store.InsertUsage(ctx, []usage.Record{r}); err != nil {
		return err
	}
	say("used", string(r.Call))
	if err := tormentOnce(ctx, w, home); err != nil {
		return err
	}
	if rand.IntN(3) > 0 {
		return nil
	}
	say("deleting", string(k.ID))
	if err := w.Store.DeleteKey(ctx, home, k.ID, w.Why("keys:delete")); err != nil {
		return err
	}
	say("deleted", string(k.ID))
	return nil
}

// tormentOnce makes a key by a request that must not be carried out twice. Its
// answer is the key's id.
func tormentOnce(ctx context.Context, w *storetest.World, home ident.Workspace) error {
	admin, err := w.Store.AdminKeys(ctx, w.Account.ID)
	if err != nil {
		return err
	}
	k := apikey.Key{ID: ident.NewKey(), Account: w.Account.ID, Owner: w.Root.ID, Description: "once", Digest: secret.TokenDigest(string(ident.NewKey())), CreatedAt: time.Now(), Version: 1}
	claim := adminkey.Claim{Key: admin[0].ID, Mark: secret.TokenDigest(string(k.ID)), At: time.Now(), Until: time.Now().Add(adminkey.ClaimLife)}
	_, _, err = w.Store.Once(ctx, w.Account.ID, claim, func(in *store.Store) (adminkey.Answer, error) {
		return adminkey.Answer{Status: 201, Sealed: []byte(k.ID)}, in.InsertKey(ctx, home, k, 1<<30, w.Why("keys:issue"))
	})
	if err == nil {
		say("added", string(k.ID))
	}
	return err
}

var saying sync.Mutex

func say(what, id string) {
	saying.Lock()
	defer saying.Unlock()
	fmt.Println(what, id)
}

func TestKillingTheProcessLosesNoAcknowledgedChange(t *testing.T) {
	kills := 4
	if n, err := strconv.Atoi(os.Getenv(killsVariable)); err == nil {
		kills = n
	}
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		first, err := store.Open(t.Context(), c)
		must(t, err)
		w := storetest.NewWorld(t, first, "acme")
		w.AdminKey(w.Root.ID)
		must(t, first.Close())
		said := map[string][]string{}
		for range kills {
			for what, ids := range kill(t, c, w.Account.ID) {
				said[what] = append(said[what], ids...)
			}
			s, err := store.Open(t.Context(), c)
			must(t, err)
			nothingIsLost(t, s, said)
			must(t, s.Close())
		}
		t.Logf("%d kills, %d acknowledged changes", kills, len(said["added"])+len(said["used"])+len(said["deleted"]))
	})
}

// kill runs a victim for a moment, kills it and gives what it said.
func kill(t *testing.T, c store.Config, a ident.Account) map[string][]string {
	t.Helper()
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), victimDatabase+"="+c.Database, victimData+"="+c.Data, victimAccount+"="+string(a))
	victim.Stderr = os.Stderr
	out, err := victim.StdoutPipe()
	must(t, err)
	must(t, victim.Start())
	said := map[string][]string{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if len(said) == 0 { // the first line: from now on it may die at any moment
			moment := time.Duration(rand.Int64N(int64(150 * time.Millisecond)))
			time.AfterFunc(moment, func() { victim.Process.Kill() })
		}
		if what, id, whole := strings.Cut(lines.Text(), " "); whole {
			said[what] = append(said[what], id)
		}
	}
	victim.Wait()
	if len(said) == 0 {
		t.Fatal("the victim said nothing")
	}
	return said
}

func nothingIsLost(t *testing.T, s *store.Store, said map[string][]string) {
	t.Helper()
	has := func(query string) map[string]bool {
		column, err := s.Strings(query)
		must(t, err)
		set := map[string]bool{}
		for _, id := range column {
			set[id] = true
		}
		return set
	}
	keys, calls, issued := has("SELECT id FROM keys"), callIDs(t, s), has("SELECT id FROM change_log WHERE kind = 'key'")
	perhaps := map[string]bool{}
	for _, id := range said["deleting"] {
		perhaps[id] = true
	}
	for _, id := range said["added"] {
		if !keys[id] && !perhaps[id] || !issued[id] {
			t.Errorf("key %s was acknowledged and is lost", id)
		}
	}
	for _, id := range said["deleted"] {
		if keys[id] {
			t.Errorf("key %s was deleted and is back", id)
		}
	}
	for _, id := range said["used"] {
		if !calls[id] {
			t.Errorf("call %s was kept and is lost", id)
		}
	}
	inBalance(t, s)
	balanced(t, s)
}

func callIDs(t *testing.T, s *store.Store) map[string]bool {
	t.Helper()
	query := "SELECT lower(hex(call_id)) FROM usage_calls"
	if s.Postgres() {
		query = "SELECT encode(call_id, 'hex') FROM usage_calls"
	}
	column, err := s.Strings(query)
	must(t, err)
	set := map[string]bool{}
	for _, text := range column {
		b, err := hex.DecodeString(text)
		must(t, err)
		set[string(ident.CallOf([16]byte(b)))] = true
	}
	return set
}

// inBalance makes sure that changes are whole: counters count, events explain.
func inBalance(t *testing.T, s *store.Store) {
	t.Helper()
	for what, query := range map[string]string{
		"effects beside their answers": "SELECT (SELECT COUNT(*) FROM keys WHERE description = 'once') - (SELECT COUNT(*) FROM admin_claims WHERE answer IS NOT NULL)",
		"claims without an answer":     "SELECT COUNT(*) FROM admin_claims WHERE answer IS NULL",
		"keys beside their counter":    "SELECT (SELECT COUNT(*) FROM keys) - (SELECT SUM(key_count) FROM workspaces)",
		"events beside their keys": `SELECT (SELECT COUNT(*) FROM audit_events WHERE action = 'keys:issue') -
			(SELECT COUNT(*) FROM audit_events WHERE action = 'keys:delete') - (SELECT COUNT(*) FROM keys)`,
		"numbers without an event": "SELECT (SELECT seq FROM clock) - (SELECT COUNT(*) FROM audit_events) + (SELECT COUNT(*) FROM audit_events WHERE tick = 0)",
		"changes without an event": "SELECT COUNT(*) FROM change_log WHERE seq NOT IN (SELECT tick FROM audit_events)",
	} {
		if n, err := s.Number(query); err != nil || n != 0 {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
	if found := inspect(t, s, nil); len(found) > 0 {
		t.Errorf("the chains are not whole: %v", found)
	}
	if s.Postgres() {
		return
	}
	for _, check := range []string{"PRAGMA integrity_check", "PRAGMA foreign_key_check"} {
		if said, err := s.Strings(check); err != nil || len(said) > 0 && said[0] != "ok" {
			t.Errorf("%s: %q, %v", check, said, err)
		}
	}
}
