package store_test

import (
	"crypto/ed25519"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// columns are those of the trail, with a value that no line has there.
func columns(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	query := "SELECT name FROM pragma_table_info('audit_events')"
	if s.Postgres() {
		query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'audit_events' AND table_schema = current_schema()"
	}
	names, err := s.Strings(query)
	must(t, err)
	if len(names) < 20 {
		t.Fatalf("only the columns %v", names)
	}
	other := map[string]string{}
	for _, name := range names {
		switch name {
		case "seq":
			other[name] = "seq + 1000"
		case "at", "tick", "form":
			other[name] = name + " + 1"
		case "prev", "hash":
			other[name] = "CAST(x'00' AS BLOB)"
			if s.Postgres() {
				other[name] = name + " || '\\x00'::bytea"
			}
		case "changes":
			other[name] = "changes || ' '" // JSON to which nothing changed
		default:
			other[name] = name + " || 'x'"
		}
	}
	return other
}

// Whatever somebody writes into whichever column of whichever line is named.
func TestP23_EveryColumnOfEveryLineIsCovered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newEstate(t, s, "acme")
		why := w.Why("tries:everything").Changed("a", "b", "c").With("d", "e")
		why.Workspace, why.Address, why.Call, why.Object = w.ws.ID, "192.0.2.7", ident.NewCall(), string(w.key.ID)
		must(t, s.ChangeSettings(t.Context(), w.Account.ID, w.Account.Settings, 1, why))
		heads := exported(t, s)
		noTriggers(t, s)
		lines, err := s.Number("SELECT COUNT(*) FROM audit_events")
		must(t, err)
		for column, value := range columns(t, s) {
			for seq := 1; seq <= lines; seq++ {
				must(t, s.Exec("DROP TABLE IF EXISTS untouched"))
				must(t, s.Exec("CREATE TABLE untouched AS SELECT * FROM audit_events"))
				must(t, s.Exec(fmt.Sprintf("UPDATE audit_events SET %s = %s WHERE seq = %d", column, value, seq)))
				found := strings.Join(inspect(t, s, heads), "\n")
				if !strings.Contains(found, fmt.Sprintf("line %d ", seq)) && !strings.Contains(found, fmt.Sprintf("lines %d to", seq)) {
					t.Errorf("%s of line %d was edited and is not named: %q", column, seq, found)
				}
				must(t, s.Exec("DELETE FROM audit_events"))
				must(t, s.Exec("INSERT INTO audit_events SELECT * FROM untouched"))
				if left := inspect(t, s, heads); len(left) > 0 {
					t.Fatal("the line was not put back:", left)
				}
			}
		}
	})
}

func TestWhatSomebodyInsertsIntoTheTrailIsNamed(t *testing.T) {
	const all = `account_id, %s, 'evt-00000000000000000000', at, workspace_id, actor_id, actor_name, address, call_id, action, object, summary, detail, tick,
		prev, hash, actor_kind, object_kind, object_name, result, changes, form FROM audit_events WHERE seq = 3`
	for _, of := range []func(last int64) int64{
		func(int64) int64 { return 0 }, func(int64) int64 { return -7 },
		func(last int64) int64 { return last + 1 }, func(last int64) int64 { return last + 90 },
	} {
		storetest.Each(t, func(t *testing.T, s *store.Store) {
			w := newEstate(t, s, "acme")
			heads := exported(t, s)
			seq := fmt.Sprint(of(heads[w.Account.ID][0].Seq))
			must(t, s.Exec("INSERT INTO audit_events SELECT "+fmt.Sprintf(all, seq)))
			if found := strings.Join(inspect(t, s, heads), "\n"); !strings.Contains(found, "line "+seq+" ") {
				t.Errorf("line %s was inserted and is not named: %q", seq, found)
			}
		})
	}
}

func TestOldLinesGoBehindASignedAnchorAndTheRestStaysProven(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		clock := &storetest.Clock{}
		c.Now = clock.Now
		s := storetest.Open(t, c)
		w := newEstate(t, s, "acme")
		heads := exported(t, s)
		last := heads[w.Account.ID][0].Seq // the rest begins after it
		rest := fmt.Sprint(last + 1)
		clock.Pass(400 * 24 * time.Hour)
		must(t, s.Note(t.Context(), w.Why("users:log-on")))
		expire := func() int64 {
			n, err := s.ExpireTrail(t.Context(), w.Account.ID, clock.Now().AddDate(0, 0, -365), func(seq int64, hash audit.Digest) audit.Anchor {
				return audit.SignAnchor(signingKey(), w.Account.ID, seq, hash, clock.Now())
			}, func(from, to int64) audit.Event {
				return w.Why("audit:expire").With("lines", fmt.Sprintf("%d–%d", from, to))
			})
			must(t, err)
			return n
		}
		if n := expire(); n != last {
			t.Fatalf("%d lines expired", n)
		}
		if n := expire(); n != 0 {
			t.Fatalf("%d more lines expired", n)
		}
		report := reportOf(t, s, w.Account.ID, heads[w.Account.ID])
		if !report.Whole() || report.From != last+1 || report.To != last+2 || report.Proven.Seq != last {
			t.Fatalf("%+v", report)
		}
		if s.Exec("DELETE FROM audit_events WHERE seq = "+rest) == nil {
			t.Error("a line that no anchor covers was deleted")
		}
		for _, statement := range []string{"DELETE FROM audit_anchors", "UPDATE audit_anchors SET seq = " + rest} {
			if s.Exec(statement) == nil {
				t.Errorf("%s was done", statement)
			}
		}
		// An anchor made by hand lets lines be deleted, and is found out.
		must(t, s.Exec(`INSERT INTO audit_anchors (account_id, seq, hash, at, signature)
			SELECT e.account_id, e.seq, e.hash, a.at, a.signature FROM audit_events e JOIN audit_anchors a ON a.account_id = e.account_id WHERE e.seq = `+rest))
		must(t, s.Exec("DELETE FROM audit_events WHERE seq = "+rest))
		found := strings.Join(inspect(t, s, heads), "\n")
		if !strings.Contains(found, "lines up to "+rest) || !strings.Contains(found, "line "+rest+" was deleted") {
			t.Errorf("%q", found)
		}
	})
}

// reportOf inspects one account's chain.
func reportOf(t *testing.T, s *store.Store, a ident.Account, heads []audit.Head) (r audit.Report) {
	t.Helper()
	must(t, s.Chain(t.Context(), a, func(c audit.Chain) (err error) {
		r, err = audit.Inspect(c, heads, signingKey().Public().(ed25519.PublicKey))
		return err
	}))
	return r
}

// What a method reaches in the store that writes, and what keeps an event.
const (
	writes = "write"
	events = "chainEvent"
)

// Whoever adds a method that writes has to leave an event, or say here why not.
func TestP23_EveryMethodThatWritesLeavesAnEvent(t *testing.T) {
	without := map[string]string{
		"Open": "the migrations", "Close": "", "Sessions": "a browser's, which log-on and log-off explain", "New": "a session", "Get": "a session", "Save": "a session",
		"Delete": "a session", "InsertUsage": "the books of calls", "KeysUsed": "the books of calls", "Canary": "the installation's", "Beat": "a server that runs", "Leave": "a server that ended",
	}
	calls := callsOf(t)
	var reached func(from string, seen map[string]bool)
	reached = func(from string, seen map[string]bool) {
		if !seen[from] {
			seen[from] = true
			for to := range calls[from] {
				reached(to, seen)
			}
		}
	}
	changing := 0
	for name := range calls {
		seen := map[string]bool{}
		reached(name, seen)
		if !ast.IsExported(name) || !seen[writes] {
			continue
		}
		if _, known := without[name]; !known && !seen[events] {
			t.Errorf("%s writes and leaves no event", name)
		}
		changing++
	}
	if changing < 30 {
		t.Errorf("only %d methods that write were found", changing)
	}
}

// callsOf is what every function of the store names in its body.
func callsOf(t *testing.T) map[string]map[string]bool {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), ".", nil, parser.SkipObjectResolution)
	must(t, err)
	calls := map[string]map[string]bool{}
	for file, f := range packages["store"].Files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, d := range f.Decls {
			fn, is := d.(*ast.FuncDecl)
			if !is || fn.Body == nil {
				continue
			}
			if calls[fn.Name.Name] == nil {
				calls[fn.Name.Name] = map[string]bool{}
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if id, is := n.(*ast.Ident); is && !slices.Contains([]string{"tx", "err", "ctx"}, id.Name) {
					calls[fn.Name.Name][id.Name] = true
				}
				return true
			})
		}
	}
	return calls
}
