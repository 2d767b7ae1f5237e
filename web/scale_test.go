package web_test

import (
	"database/sql"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// crowded gives a company with so many users, of whom half are members of
// workspace A, and keys, half of them there. They come by SQL: through the
// services it would take an hour.
func crowded(t *testing.T, users, keys int) *company {
	t.Helper()
	o := start(t)
	path := filepath.Join(t.TempDir(), "crowd.db")
	o.must(os.WriteFile(path, first.file, 0o600))
	db, err := sql.Open("sqlite", path)
	o.must(err)
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
	for _, insert := range []struct {
		text string
		args []any
	}{
		{`INSERT INTO users (id, account_id, log_on, name, folded, role, password, created, disabled, generation) ` + numbers +
			`SELECT 'usr-' || substr('0000000000000000' || i, -16), ?2, 'user' || i, 'User ' || i, 'user ' || i, 'regular', 'x', 1700000000000000 + i, 0, 1 FROM n`,
			[]any{users, o.account.ID}},
		{`INSERT INTO members (account_id, workspace_id, user_id, role, pages, log_on) ` + numbers +
			`SELECT ?2, ?3, 'usr-' || substr('0000000000000000' || i, -16), 'regular', NULL, 'user' || i FROM n`,
			[]any{users / 2, o.account.ID, o.a}},
		{`INSERT INTO keys (id, account_id, workspace_id, owner_id, owner_name, description, folded, digest, hint, created, last_used, disabled, expires, version) ` + numbers +
			`SELECT 'key-' || substr('0000000000000000' || i, -16), ?2, CASE WHEN i % 2 = 0 THEN ?3 ELSE ?4 END, ?5, 'root@acme', 'Key ' || i, 'key ' || i,
			CAST(substr('k' || i || 'x00000000000000000000000000000000', 1, 32) AS BLOB), 'hint', 1700000000000000 + i, 1700000000000000 + i * 7, 0, 0, 1 FROM n`,
			[]any{keys, o.account.ID, o.a, o.b, o.root.User}},
	} {
		_, err := db.Exec(insert.text, insert.args...)
		o.must(err)
	}
	_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	o.must(errors.Join(err, db.Close()))
	file, err := os.ReadFile(path)
	o.must(err)
	c := newClock()
	many := &company{t: t, clock: c, store: reopenStore(t, c, file), account: first.account, root: first.root, home: first.home, a: first.a, b: first.b}
	many.configure()
	many.cookies = maps.Clone(first.cookies)
	return many
}

// TestPagesAreAsFastWithManyAsWithFew measures the lists of people and keys
// with a full page of each and with 10,000 users and 100,000 keys, and is a long
// campaign. Set SOAK.
func TestPagesAreAsFastWithManyAsWithFew(t *testing.T) {
	if os.Getenv("SOAK") == "" {
		t.Skip("a long campaign: set SOAK")
	}
	few, many := crowded(t, 100, 100), crowded(t, 10_000, 100_000)
	for _, page := range []string{
		"/account/keys", "/account/keys?sort=used", "/account/keys?sort=expires", "/account/keys?state=enabled", "/account/keys?state=disabled", "/account/keys?state=owner-left",
		"{a}/keys", "{a}/keys?sort=used", "{a}/keys/new",
		"/account/users", "/account/users?state=disabled", "{a}/members", "{a}/members?q=user+1", "/workspaces", "{a}/models",
	} {
		a, b := few.pace(page), many.pace(page)
		mark := ""
		if float64(b) > 1.5*float64(a)+float64(time.Millisecond) {
			mark = "  SLOW"
			t.Errorf("%s takes %s with many and %s with few", page, b, a)
		}
		t.Logf("%-36s %8s %8s%s", page, a.Round(10*time.Microsecond), b.Round(10*time.Microsecond), mark)
	}
	// A search looks at every line until a page is full, so it does grow; it stays below a tenth of a second.
	for _, page := range []string{"/account/keys?q=nothing", "/account/keys?q=" + strings.Repeat("%25_", 50), "/account/users?q=nothing"} {
		took := many.pace(page)
		if t.Logf("%-36.36s %17s", page, took.Round(10*time.Microsecond)); took > 100*time.Millisecond {
			t.Errorf("%s takes %s", page, took)
		}
	}
}

// pace is the middle of how long a page takes.
func (o *company) pace(page string) time.Duration {
	o.t.Helper()
	if rest, is := strings.CutPrefix(page, "{a}"); is {
		page = o.at(o.a, rest)
	}
	var took []time.Duration
	for range 41 {
		began := time.Now()
		o.get("root", page).is(200)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}
