package store_test

import (
	"os"
	"testing"
	"time"

	"bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// million copies a line a million times, behind the store's back: a tenth of
// them in one workspace, every hundredth refused.
const million = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
	INSERT INTO audit_events (account_id, seq, id, at, workspace_id, actor_id, actor_name, address, call_id, action, object, summary, detail, tick, prev, hash,
		actor_kind, object_kind, object_name, result, changes, form)
	SELECT e.account_id, 1000 + n.i, 'evt-' || n.i, e.at + n.i, CASE WHEN n.i % 10 = 0 THEN ? ELSE '' END, e.actor_id, CASE WHEN n.i % 50 = 0 THEN 'alice@acme' ELSE e.actor_name END,
		e.address, e.call_id, CASE WHEN n.i % 1000 = 0 THEN 'keys:delete' ELSE e.action END, 'thing-' || (n.i % 10000), 'did something ' || n.i, '{"a":"b"}', 0, e.prev, e.hash,
		e.actor_kind, e.object_kind, e.object_name, CASE WHEN n.i % 100 = 0 THEN 'refused' ELSE 'done' END, '', 2
	FROM audit_events e, n WHERE e.seq = 1`

// A page of a million events, with any filter, is there in a tenth of a second
// (check 17 asks it of a hundred thousand rows). It runs when BAILIWICK_LONG is set.
func TestSec17_AMillionEventsAreFilteredInATenthOfASecond(t *testing.T) {
	if os.Getenv("BAILIWICK_LONG") == "" {
		t.Skip("set BAILIWICK_LONG to fill a table with a million events")
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newEstate(t, s, "acme")
		must(t, s.Exec(million, w.ws.ID))
		if s.Postgres() {
			must(t, s.Exec("ANALYZE audit_events"))
		}
		hostile := ""
		for range 50 {
			hostile += "%_"
		}
		for name, f := range map[string]account.TrailFilter{
			"everything": {}, "a workspace": {Workspace: w.ws.ID}, "an actor": {Actor: "alice@acme"}, "an action": {Action: "keys:delete"}, "a noun": {Action: "keys:"},
			"an object": {Object: "thing-77"}, "refused": {Result: audit.Refused}, "a text": {Text: "something 999"}, "a text that is nowhere": {Text: "nowhere"},
			"hostile": {Text: hostile}, "several": {Workspace: w.ws.ID, Actor: "alice@acme", Action: "keys:delete", Result: audit.Refused, Text: "nowhere"},
			"nobody's": {Actor: "root@acme", Action: "keys:nothing"}, "a user": {Actor: string(w.user.ID)},
			"an hour": {From: storetest.Start, To: storetest.Start.Add(time.Hour)},
		} {
			f.Limit = 50
			best := time.Hour
			for range 3 {
				began := time.Now()
				page, next, err := s.Trail(t.Context(), w.Account.ID, f)
				must(t, err)
				if took := time.Since(began); took < best {
					best = took
				}
				f.After = ""
				_, _ = page, next
			}
			t.Logf("%-24s %v", name, best.Round(100*time.Microsecond))
			if best > 100*time.Millisecond {
				t.Errorf("%s took %v", name, best)
			}
		}
	})
}
