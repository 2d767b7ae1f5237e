package store_test

import (
	"slices"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

func TestAChangeWhoseEventFailsDidNotHappen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx := t.Context()
		why := w.Why("workspaces:add")
		must(t, s.Note(ctx, why)) // the id of the event is taken from here on
		before := version(t, s)
		err := s.InsertWorkspace(ctx, w.Account.ID, workspace.Workspace{ID: ident.NewWorkspace(), Name: "Marketing"}, why)
		if !fault.Is(err, fault.Internal) {
			t.Fatalf("got %v", err)
		}
		if n, _ := s.Number("SELECT COUNT(*) FROM workspaces"); n != 1 {
			t.Fatalf("%d workspaces", n)
		}
		if a, _ := s.Allowance(ctx, w.Account.ID); a.Used != 0 || version(t, s) != before {
			t.Fatalf("%+v", a)
		}
	})
}

func TestEveryChangeLeavesOneEventInTheOrderOfTheCommits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		newEstate(t, s, "acme")
		actions, err := s.Strings("SELECT action FROM audit_events ORDER BY seq")
		must(t, err)
		want := []string{
			"accounts:open", "workspaces:add", "users:add", "members:put", "keys:issue", "providers:add",
			"models:add", "providers:serve", "grants:change", "deployments:create", "datasets:change",
			"trainings:create", "trainings:create", "trainings:publish",
		}
		if !slices.Equal(actions, want) {
			t.Fatalf("%q", actions)
		}
		gaps, err := s.Number("SELECT MAX(seq) - COUNT(*) FROM audit_events")
		must(t, err)
		late, err := s.Number("SELECT COUNT(*) FROM change_log WHERE seq NOT IN (SELECT tick FROM audit_events)")
		must(t, err)
		if gaps != 0 || late != 0 {
			t.Fatalf("%d gaps, %d unexplained changes", gaps, late)
		}
	})
}

func TestAnEventIsKeptAsItWasSaidAtTheTimeOfTheClock(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		clock := &storetest.Clock{}
		c.Now = clock.Now
		s := storetest.Open(t, c)
		w := storetest.NewWorld(t, s, "acme")
		why := w.Why("grants:change")
		why.Workspace, why.Address, why.Call = w.Default, "192.0.2.7", ident.NewCall()
		why.Object, why.Summary = "qwen-turbo", "a zero \x00 byte and \xff"
		why.Detail = map[string]string{"granted": "a b"}
		must(t, s.Note(t.Context(), why))
		got, err := s.Strings(`SELECT address || '|' || call_id || '|' || workspace_id || '|' || actor_id || '|' || actor_name || '|' || object
			|| '|' || summary || '|' || detail FROM audit_events WHERE id = ?`, why.ID)
		must(t, err)
		want := "192.0.2.7|" + string(why.Call) + "|" + string(w.Default) + "|" + string(w.Root.ID) + "|root@acme|qwen-turbo|a zero  byte and \uFFFD|{\"granted\":\"a b\"}"
		if len(got) != 1 || got[0] != want {
			t.Fatalf("%q", got)
		}
		at, err := s.Number("SELECT at FROM audit_events WHERE id = ?", why.ID)
		must(t, err)
		if int64(at) != storetest.Start.UnixMicro() {
			t.Fatalf("at %d", at)
		}
	})
}

func TestTheTrailIsOnlyAddedTo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		storetest.NewWorld(t, s, "acme").User("alice", access.Regular)
		statements := []string{
			"UPDATE audit_events SET summary = 'nothing happened'", "UPDATE audit_events SET seq = seq + 1000 WHERE seq = 1",
			"DELETE FROM audit_events", "DELETE FROM audit_events WHERE seq = 1",
		}
		if s.Postgres() {
			statements = append(statements, "TRUNCATE audit_events")
		} else {
			statements = append(statements, "REPLACE INTO audit_events SELECT * FROM audit_events WHERE seq = 1")
		}
		for _, statement := range statements {
			if s.Exec(statement) == nil {
				t.Errorf("%s was done", statement)
			}
		}
		if n, _ := s.Number("SELECT COUNT(*) FROM audit_events"); n != 2 {
			t.Fatalf("%d events are left", n)
		}
	})
}
