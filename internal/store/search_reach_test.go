package store_test

import (
	"regexp"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/apikey"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

// crowd fills a workspace with 4,000 members and keys whose texts are the worst
// there are: every part of what is searched below is in all of them, the whole in
// none. They come by SQL.
func crowd(t *testing.T, s *store.Store, w *storetest.World, ws ident.Workspace) {
	t.Helper()
	w.User("first", access.Regular) // puts up the shelf
	insertKeyOf(t, w, ws, w.Root.ID, "first")
	const numbers = " FROM n"
	head := "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
	for _, statement := range []string{
		`INSERT INTO users (id, account_id, log_on, name, folded, role, password, created, disabled, generation, number) ` + head +
			`SELECT 'usr-' || i, '` + string(w.Account.ID) + `', 'user' || i, 'x', 'abcdefghijklmnop1 user abcdefghijklmnop2', 'regular', 'x', i, 0, 1, 1000 + i` + numbers,
		`INSERT INTO members (account_id, workspace_id, user_id, role, pages, log_on, number, folded) ` + head +
			`SELECT '` + string(w.Account.ID) + `', '` + string(ws) + `', 'usr-' || i, 'regular', NULL, 'user' || i, 1000 + i, 'abcdefghijklmnop1 user abcdefghijklmnop2'` + numbers,
		`INSERT INTO keys (id, account_id, workspace_id, owner_id, owner_name, description, folded, digest, hint, created, last_used, disabled, expires, version, number) ` + head +
			`SELECT 'key-' || i, '` + string(w.Account.ID) + `', '` + string(ws) + `', '` + string(w.Root.ID) + `', 'root', 'x', 'abcdefghijklmnop1 key abcdefghijklmnop2', DIGEST, 'hint', i, i, 0, 0, 1, i` + numbers,
		"INSERT INTO fragments (shelf, fragment, item) " + shelved("users", "account_id") + " AND t.number > 1000",
		"INSERT INTO fragments (shelf, fragment, item) " + shelved("keys", "workspace_id") + " AND t.number <= 4000",
	} {
		digest := "CAST(substr(i || 'x00000000000000000000000000000000', 1, 32) AS BLOB)"
		if s.Postgres() {
			digest = "CAST(substr(i || 'x00000000000000000000000000000000', 1, 32) AS BYTEA)"
		}
		must(t, s.Exec(strings.ReplaceAll(statement, "DIGEST", digest)))
	}
	if s.Postgres() {
		must(t, s.Exec("ANALYZE"))
	}
}

func shelved(table, owner string) string {
	return "SELECT DISTINCT s.number, substr(t.folded, n.i, 16), t.number FROM " + table + " t JOIN shelves s ON s.owner = t." + owner +
		" JOIN (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) SELECT i FROM n) n ON n.i <= length(t.folded) WHERE 1 = 1"
}

var tableScan = regexp.MustCompile(`(?m)^SCAN (\w+)`)

// However frequent every part of it is, and however rare the whole, a search
// reads no more than its reach: a page of 100,000 is as fast as a page of ten.
func TestASearchReadsNoMoreThanItsReach(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s, "acme")
		ctx, a, ws := t.Context(), w.Account.ID, w.Workspace("a").ID
		crowd(t, s, w, ws)
		const walk = 200
		s.SetReach(100, 50, walk, walk)
		reads := map[string]func(search string) error{
			"users": func(q string) error {
				_, _, err := s.Users(ctx, a, account.UserFilter{Search: q, Limit: 10})
				return err
			},
			"members": func(q string) error {
				_, _, err := s.Members(ctx, a, ws, workspace.MemberFilter{Search: q, Limit: 10})
				return err
			},
			"candidates": func(q string) error {
				_, _, err := s.Candidates(ctx, a, ws, workspace.CandidateFilter{Search: q, Limit: 10})
				return err
			},
		}
		for _, order := range []apikey.Order{apikey.ByCreation, apikey.ByUse, apikey.ByExpiry} {
			reads["keys by "+string(order)] = func(q string) error {
				_, _, err := s.Keys(ctx, a, apikey.Filter{Search: q, Order: order, Limit: 10})
				return err
			}
			reads["keys of one by "+string(order)] = func(q string) error {
				_, _, err := s.Keys(ctx, a, apikey.Filter{Search: q, Order: order, Only: []ident.Workspace{ws}, Limit: 10})
				return err
			}
		}
		for name, read := range reads {
			for _, search := range []string{"a", "e", "key", "user", "hint", "key-1", "nothing", "first", "abcdefghijklmnop2abcdefghijklmnop1", "abcdefghijklmnop1 key abcdefghijklmnop1"} {
				for _, statement := range s.Reads(func() { must(t, read(search)) }) {
					lines, err := s.Plan(statement)
					must(t, err)
					plan := strings.Join(lines, "\n")
					for _, scan := range tableScan.FindAllStringSubmatch(plan, -1) {
						if scan[1] != "CONSTANT" && !strings.Contains(plan, "CO-ROUTINE "+scan[1]) && !strings.Contains(plan, "MATERIALIZE "+scan[1]) {
							t.Errorf("%s, %q, reads a whole table:\n%s\n%s", name, search, statement, plan)
						}
					}
					if !s.Postgres() || !strings.HasPrefix(statement, "SELECT") {
						continue
					}
					// A line of a walk is read, its user looked up, and whether it is a member.
					if rows, plan, err := s.Visits(statement); err != nil || rows > 4*walk {
						t.Errorf("%s, %q, reads %d rows (%v):\n%s\n%s", name, search, rows, err, statement, plan)
					}
				}
			}
		}
	})
}
