package web_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// crowded gives a company with so many users, of whom half are members of
// workspace A, and keys, half of them there. They come by SQL: through the
// services it would take an hour.
func crowded(t *testing.T, users, keys int) *company { return crowd(t, users, keys, true) }

// crowd is the same; without the fragments nobody of them is found by a search.
func crowd(t *testing.T, users, keys int, found bool) *company {
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
		{`INSERT INTO users (id, account_id, log_on, name, folded, role, password, created, disabled, generation, number) ` + numbers +
			`SELECT 'usr-' || substr('0000000000000000' || i, -16), ?2, 'user' || i, 'User ' || i, 'user ' || i, 'regular', 'x', 1700000000000000 + i, 0, 1, 1000 + i FROM n`,
			[]any{users, o.account.ID}},
		{`INSERT INTO members (account_id, workspace_id, user_id, role, pages, log_on, number, folded) ` + numbers +
			`SELECT ?2, ?3, 'usr-' || substr('0000000000000000' || i, -16), 'regular', NULL, 'user' || i, 1000 + i, 'user ' || i FROM n`,
			[]any{users / 2, o.account.ID, o.a}},
		{`INSERT INTO keys (id, account_id, workspace_id, owner_id, owner_name, description, folded, digest, hint, created, last_used, disabled, expires, version, number) ` + numbers +
			`SELECT 'key-' || substr('0000000000000000' || i, -16), ?2, CASE WHEN i % 2 = 0 THEN ?3 ELSE ?4 END, ?5, 'root@acme', 'Key ' || i, 'key ' || i,
			CAST(substr('k' || i || 'x00000000000000000000000000000000', 1, 32) AS BLOB), substr('000' || i, -4), 1700000000000000 + i, 1700000000000000 + i * 7, 0, 0, 1, 1700000000000000 + i FROM n`,
			[]any{keys, o.account.ID, o.a, o.b, o.root.User}},
		{`DELETE FROM fragments`, nil},
		{`INSERT INTO shelves SELECT i, id FROM (SELECT 1000 + ROW_NUMBER() OVER (ORDER BY id) AS i, id FROM workspaces WHERE id NOT IN (SELECT owner FROM shelves)) w`, nil},
		{fmt.Sprintf(shelved, "keys", "workspace_id"), nil}, {fmt.Sprintf(shelved, "users", "account_id"), nil},
	} {
		if strings.HasPrefix(insert.text, "INSERT INTO fragments") && !found {
			continue
		}
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

// shelved puts whatever a table has on the shelves, as the store does.
const shelved = `INSERT INTO fragments WITH RECURSIVE rests (shelf, item, rest) AS (
		SELECT s.number, t.number, t.folded FROM %s t JOIN shelves s ON s.owner = t.%s
		UNION ALL SELECT shelf, item, substr(rest, 2) FROM rests WHERE length(rest) > 1
	) SELECT DISTINCT shelf, substr(rest, 1, 16), item FROM rests`

// What is frequent, but far down the list, is found page by page: the first say
// that nothing was found yet, and lead on.
func TestASearchThatFindsNothingYetLeadsOn(t *testing.T) {
	o := crowded(t, 10, 24_000)
	first := o.get("root", "/account/keys?q=key+1").is(200).says("Nothing found yet", "go on with Next")
	second := o.get("root", linkTo(t, first, "Next")).is(200).says("Key 19999", "50 lines here")
	third := o.get("root", linkTo(t, second, "Next")).is(200).says("Key 19949")
	o.get("root", linkTo(t, third, "Previous")).is(200).says("Key 19999")
	o.get("root", "/account/keys?q=nowhere").is(200).says("No key has “nowhere”")
}

// TestPagesAreAsFastWithManyAsWithFew measures the lists of people and keys
// with 100 of each, which is a full page, and with 10,000 users and 100,000 keys:
// it may take half as long again, and what the clock cannot tell apart. What
// else the machine does only ever adds to it, so a page that is over is measured
// again. It is a long campaign. Set SOAK.
func TestPagesAreAsFastWithManyAsWithFew(t *testing.T) {
	if os.Getenv("SOAK") == "" {
		t.Skip("a long campaign: set SOAK")
	}
	few, many := crowded(t, 100, 100), crowded(t, 10_000, 100_000)
	many.get("root", "/account/keys?q=777").says("Key 777").says("Key 99777") // as many are there as are measured
	for _, page := range []string{
		"/account/keys", "/account/keys?sort=used", "/account/keys?sort=expires", "/account/keys?state=enabled", "/account/keys?state=disabled", "/account/keys?state=owner-left",
		"{a}/keys", "{a}/keys?sort=used", "{a}/keys/new",
		"/account/users", "/account/users?state=disabled", "{a}/members", "{a}/members?q=user+1", "/workspaces", "{a}/models", "{a}/members/new",
		// Searches: in all, in one of ten, in one of a hundred, in a few, in none; a letter, a secret's end, an id; and what nothing but a walk finds.
		"/account/keys?q=key", "/account/keys?q=y+7", "/account/keys?q=y+77", "/account/keys?q=y+777", "/account/keys?q=77", "/account/keys?q=key+77777", "/account/keys?q=nothing",
		"/account/keys?q=k", "/account/keys?q=7", "/account/keys?q=z", "/account/keys?q=7777", "/account/keys?q=key-00000000000777", "/account/keys?q=" + strings.Repeat("%25_", 50),
		"/account/keys?q=key+7&sort=used", "/account/keys?q=77&sort=expires", "/account/keys?q=key&state=enabled", "/account/keys?q=777&state=disabled",
		"{a}/keys?q=key", "{a}/keys?q=77", "{a}/keys?q=777", "{a}/keys?q=nothing", "{a}/keys?q=7&sort=used",
		"/account/users?q=user", "/account/users?q=7", "/account/users?q=77", "/account/users?q=777", "/account/users?q=user+7777", "/account/users?q=nothing", "/account/users?q=u&state=disabled",
		"{a}/members?q=user", "{a}/members?q=7", "{a}/members?q=77", "{a}/members?q=nothing", "{a}/members/new?q=7", "{a}/members/new?q=777", "{a}/members/new?q=nothing",
	} {
		t.Run(page, func(t *testing.T) {
			list := page
			if before, _, searched := strings.Cut(page, "?q="); searched {
				list = before // there the search finds a full page, here perhaps not
			}
			for try := 1; ; try++ {
				took := paces([]*company{few, few, many}, []string{page, list, page})
				a, b := max(took[0], took[1]), took[2]
				t.Logf("%-44.44s %8s %8s %.2f", page, a.Round(10*time.Microsecond), b.Round(10*time.Microsecond), float64(b)/float64(a))
				if float64(b) <= 1.5*float64(a)+float64(100*time.Microsecond) {
					return
				}
				if try == 3 {
					t.Fatalf("SLOW: %s takes %s with many and %s with few", page, b, a)
				}
			}
		})
	}
}

// paces is how long each page takes its company: the first quarter of many tries
// by turns, in the processor's time, which what else the machine does disturbs
// least. Whatever makes these pages works in this process.
func paces(of []*company, pages []string) []time.Duration {
	took, all := make([]time.Duration, len(of)), make([][]time.Duration, len(of))
	for range 41 {
		for i, o := range of {
			address := pages[i]
			if rest, is := strings.CutPrefix(address, "{a}"); is {
				address = o.at(o.a, rest)
			}
			began := spent()
			o.get("root", address).is(200)
			all[i] = append(all[i], spent()-began)
		}
	}
	for i := range all {
		slices.Sort(all[i])
		took[i] = all[i][len(all[i])/4]
	}
	return took
}

// spent is the processor's time that the process had.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
