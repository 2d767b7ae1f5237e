package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// grown is a gateway that knows many workspaces, each with a key and a model of
// its own.
type grown struct {
	*process
	name       string
	data       string
	idle       float64 // MiB
	keys       []string
	ids        []ident.Key
	workspaces []ident.Workspace
}

const (
	manyThings = 100_000
	// mostAtWork is how many of them call at most: from all over, and each was there
	// before, for what a first call costs is another question.
	mostAtWork = 1000
	// grownFacts are those of a model as an account adds it.
	grownFacts = `{"kinds":["TG"],"input":["Text"],"output":["Text"],"context":131072,"max_output":8192,"limit":{"requests":1000000000,"request_period":60,"usage":1000000000,"usage_period":60,"usage_field":"total_tokens"},
		"prices":[{"item":"input_token","amount":"0.8","unit":"1M tokens","currency":"CNY"},{"item":"output_token","amount":"2","unit":"1M tokens","currency":"CNY"}]}`
)

// atWork are how many call, by what that is called. So many of many, beside all of
// so many, shows what it costs that the others exist; a thousand beside ten also
// what it costs that there are more callers.
var atWork = []struct {
	name string
	n    int
}{{"ten in turn", 10}, {"a thousand in turn", mostAtWork}}

// growth measures what the gateway loses from ten keys, workspaces and models to
// a hundred thousand of each: side by side, in turn.
func (b *besides) growth(rounds int) {
	var all []*grown
	for _, things := range growths {
		g := b.grow(things)
		all = append(all, g)
		b.at[g.name] = g.process
		if _, _, err := flood(g.addr, 32, time.Second, "200", g.request(mostAtWork)); err != nil { // each was there once
			b.t.Fatal(err)
		}
		b.note("memory with so many of each: MiB", g.name, g.idle)
	}
	for range rounds {
		for _, callers := range atWork {
			for _, g := range all {
				if len(g.keys) >= callers.n {
					b.flood(g.name, callers.name+", 32 connections", 32, g.request(callers.n), 1)
					b.steady(g.name, callers.name+", ", g.request(callers.n))
				}
			}
		}
	}
	for _, g := range all {
		for i := range 20 {
			b.change(g, i)
		}
	}
}

// growths are how many of each there are.
var growths = []int{10, mostAtWork, manyThings}

// request lets so many of them ask in turn, each with its key, in its workspace,
// for its model.
func (g *grown) request(callers int) func(i int) []byte {
	return func(i int) []byte {
		i = g.at(callers, i)
		return question(g.keys[i], string(g.workspaces[i]), `{"model":"`+modelNumber(i)+`","messages":[{"role":"user","content":"`+strings.Repeat("Hello, world! ", 45)+`"}]}`)
	}
}

// at is the number of a caller: they are from all over.
func (g *grown) at(callers, i int) int {
	return i % callers * max(1, len(g.keys)/callers) % len(g.keys)
}

func modelNumber(i int) string { return fmt.Sprintf("grown-%06d", i) }

// change disables a key and enables it again through the management API, and
// notes how long it took until that counted: the next call must be refused.
func (b *besides) change(g *grown, n int) {
	i := g.at(mostAtWork, n)
	c, err := dial(g.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	for _, step := range []struct{ do, then string }{{"disable", "401"}, {"enable", "200"}} {
		began := time.Now()
		if _, err := c.call([]byte("POST /api/admin/v1/workspaces/"+string(g.workspaces[i])+"/keys/"+string(g.ids[i])+"/"+step.do+" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "+
			b.world.admin+"\r\nContent-Length: 0\r\n\r\n"), "200"); err != nil {
			b.t.Fatalf("%s: %v", step.do, err)
		}
		b.note("one change until it counts: ms", g.name, time.Since(began).Seconds()*1000)
		if _, err := c.call(g.request(mostAtWork)(n), step.then); err != nil {
			b.t.Fatalf("after %s: %v", step.do, err)
		}
	}
}

// grow starts a gateway on a copy of the world in which there are n workspaces
// more. They are put into the database itself: through the console it would take
// an hour.
func (b *besides) grow(n int) *grown {
	b.t.Helper()
	g := &grown{name: strconv.Itoa(n), data: filepath.Join(b.t.TempDir(), "data")}
	data := g.data
	must(b.t, os.CopyFS(data, os.DirFS(b.world.seed)))
	must(b.t, filepath.Walk(data, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			mode := os.FileMode(0o600)
			if info.IsDir() {
				mode = 0o700
			}
			err = os.Chmod(path, mode)
		}
		return err
	}))
	master, err := secret.LoadMaster(filepath.Join(data, "master.key"))
	must(b.t, err)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "bailiwick.db")+"?_pragma=synchronous(OFF)&_pragma=cache_size(-400000)")
	must(b.t, err)
	g.fill(b.t, db, n, master.Pepper())
	must(b.t, db.Close())
	world := *b.world
	world.data = data
	g.process = world.serve(b.t, 0)
	time.Sleep(2 * time.Second)
	g.idle = g.memory()
	return g
}

// fill puts workspaces, models, keys, grants and servings into a database.
func (g *grown) fill(t *testing.T, db *sql.DB, n int, pepper secret.Pepper) {
	t.Helper()
	tx, err := db.Begin()
	must(t, err)
	var account, owner, provider string
	must(t, tx.QueryRow("SELECT account_id, owner_id FROM keys").Scan(&account, &owner))
	must(t, tx.QueryRow("SELECT provider_id FROM servings WHERE model_id = ?", model).Scan(&provider))
	prepared := func(text string) *sql.Stmt {
		s, err := tx.Prepare(text)
		must(t, err)
		return s
	}
	places := prepared("INSERT INTO workspaces (id, account_id, name, folded, is_default, call_all, created, version) VALUES (?, ?, ?, ?, 0, 0, 1, 1)")
	models := prepared("INSERT INTO models (id, account_id, name, vendor, offers, custom, facts, version) VALUES (?, ?, ?, 'own', 1, 1, ?, 1)")
	servings := prepared("INSERT INTO servings (account_id, provider_id, model_id, name) VALUES (?, ?, ?, ?)")
	grants := prepared("INSERT INTO grants VALUES (?, ?, ?, 1, 1, 'root')")
	keys := prepared(`INSERT INTO keys (id, account_id, workspace_id, owner_id, owner_name, description, folded, digest, hint, created, last_used, disabled, expires, version, number)
		VALUES (?, ?, ?, ?, 'root', 'grown', 'grown', ?, ?, 1, 0, 0, 0, 1, (SELECT MAX(number) + 1 FROM keys))`)
	for i := range n {
		ws, key, text, name := ident.NewWorkspace(), ident.NewKey(), secret.NewKey(), modelNumber(i)
		digest := pepper.Digest(text.Reveal())
		for _, put := range []struct {
			into   *sql.Stmt
			values []any
		}{
			{places, []any{string(ws), account, name, name}}, {models, []any{name, account, name, grownFacts}}, {servings, []any{account, provider, name, name}},
			{grants, []any{account, string(ws), name}}, {keys, []any{string(key), account, string(ws), owner, bytes.Clone(digest[:]), secret.Hint(text)}},
		} {
			_, err := put.into.Exec(put.values...)
			must(t, err)
		}
		g.keys, g.ids, g.workspaces = append(g.keys, text.Reveal()), append(g.ids, key), append(g.workspaces, ws)
	}
	must(t, tx.Commit())
}
