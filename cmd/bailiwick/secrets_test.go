package main

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/demo"
	"bailiwick/internal/grant"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// heard keeps what was written to it.
type heard struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(p)
}

func (h *heard) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// Check 25: of every kind of secret that is made, shown, presented or typed
// while the whole program runs, nothing is left in the database, in any file of
// the data folder, in the log at its most talkative, in traces or in metrics.
func TestSec25_Anchor_KeyHashOnlyAtRest_Anchor_SecretsNeverInLogs(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		var log, spans heard
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		t.Cleanup(func() { slog.SetDefault(before) })
		collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(&spans, r.Body) }))
		t.Cleanup(collector.Close)
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
		mock, err := mockserver.Start()
		must(t, err)
		t.Cleanup(mock.Close)
		if c.Data == "" {
			c.Data = filepath.Join(t.TempDir(), "data")
		}
		o := newOffice(t, serving{place: place{Data: c.Data, Database: c.Database}, MetricsListen: "127.0.0.1:0", AllowPrivate: []string{mock.Addr}})
		secrets := o.live(mock)
		metrics, err := http.Get("http://" + o.operation.listener.Addr().String() + "/metrics")
		must(t, err)
		figures, err := io.ReadAll(metrics.Body)
		must(t, err)
		metrics.Body.Close()
		time.Sleep(1500 * time.Millisecond) // what waits is written: books, trail, spans
		o.trail.Flush()
		kept := map[string]string{"the log": log.text(), "the metrics": string(figures), "the database": dump(t, c)}
		must(t, filepath.WalkDir(c.Data, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == "master.key" {
				return err
			}
			text, err := os.ReadFile(path)
			kept[d.Name()] = string(text)
			return err
		}))
		for end := time.Now().Add(20 * time.Second); !strings.Contains(spans.text(), "gen_ai.operation.name") && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		}
		kept["the traces"] = spans.text()
		for where, text := range kept {
			if len(text) == 0 && (strings.HasPrefix(where, "the ") || strings.HasSuffix(where, ".db")) {
				t.Errorf("nothing is in %s", where)
			}
			for what, s := range secrets {
				for _, form := range []string{s, url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s)), hex.EncodeToString([]byte(s))} {
					if i := strings.Index(text, form); i >= 0 {
						t.Errorf("%s stands in %s: …%q", what, where, text[max(0, i-80):min(len(text), i+20)])
					}
				}
			}
		}
		if !strings.Contains(log.text(), "msg=call") || !strings.Contains(kept["the database"], "root") {
			t.Error("this looked at something else")
		}
	})
}

// live does what is done with secrets, and gives them.
func (o *office) live(mock *mockserver.Server) map[string]string {
	t, ctx := o.t, o.t.Context()
	const upstream = "sk-upstream-canary-4711"
	secrets := map[string]string{
		"an API key": o.key, "an admin key": o.admin, "a password": sentence, "a provider's credential": upstream,
		"a wrong key": secret.NewKey().Reveal(), "a password at the wrong place": "typed-instead-of-a-key", "a wrong admin key": secret.NewAdminKey().Reveal(), "a wrong password": "not the sentence of anybody",
	}
	root := actorOf(t, o.Program, "root@acme")
	p, err := o.providers.Add(ctx, root, provider.Form{Name: "Leaky", Kind: provider.OpenAI, BaseURL: mock.URL, Credential: secret.NewText(upstream)})
	must(t, err)
	_, err = o.catalogue.Add(ctx, root, "leaky", "Leaky", "custom")
	must(t, err)
	must(t, o.store.ReplaceServings(ctx, root.Account, p.ID, []provider.Serving{{Provider: p.ID, Model: "leaky", Name: "leaky"}}, root.Event("providers:change", "", string(p.ID), "serves")))
	must(t, o.grants.Set(ctx, root, grant.Subject{Model: "leaky", Capability: catalogue.Call}, o.ws, true))
	ask := func(model string, header ...string) (status int, body string) {
		r, err := http.NewRequest("POST", o.base.String()+"/v1/chat/completions", strings.NewReader(`{"model":"`+model+`","messages":[{"role":"user","content":"hello"}]}`))
		must(t, err)
		r.Header.Set("X-DashScope-WorkSpace", string(o.ws))
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		a, err := http.DefaultClient.Do(r)
		must(t, err)
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		must(t, err)
		return a.StatusCode, string(text)
	}
	echo := `{"error":{"message":"bad key ` + upstream + ` at http://x/?key=` + upstream + `","code":"` + upstream + `"}}`
	for _, reply := range []mockserver.Reply{
		{}, mockserver.JSON(401, echo), mockserver.JSON(500, echo), mockserver.JSON(400, echo), mockserver.JSON(200, echo), {Silent: true},
		{Status: 302, Header: http.Header{"Location": {"http://127.0.0.1:1/?key=" + upstream}}},
	} {
		if mock.Always(reply); reply.Status == 0 && !reply.Silent {
			mock.Answer(mockserver.Default)
		}
		if status, body := ask("leaky", "Authorization", "Bearer "+o.key); strings.Contains(body, upstream) || status == 401 || status == 403 {
			t.Errorf("%d %s", status, body)
		}
	}
	for _, header := range [][]string{
		{"x-api-key", o.key}, {"Authorization", "Bearer " + secrets["a wrong key"]}, {"Authorization", "Basic " + secrets["a password at the wrong place"]}, {"Authorization", "Bearer " + o.admin},
		{"Authorization", "Bearer " + o.key, "x-api-key", secrets["a wrong key"]}, {"Cookie", "session=" + o.key}, {"api-key", secrets["a password at the wrong place"]},
	} {
		ask(string(demo.Shared), header...)
	}
	administers(o.Program, o.admin)
	administers(o.Program, secrets["a wrong admin key"])
	secrets["an API key that the management API made"] = o.made("/api/admin/v1/workspaces/"+string(o.ws)+"/keys", o.admin, "secret", "Idempotency-Key", "once")
	secrets["a temporary key"] = o.made("/api/v1/tokens", o.key, "token")
	for _, url := range o.who.Jar.Cookies(o.base) {
		secrets["a session"] = url.Value
	}
	wrong, err := o.who.PostForm(o.base.String()+"/logon", url.Values{"account": {"alice@acme"}, "password": {secrets["a wrong password"]}})
	must(t, err)
	wrong.Body.Close()
	wrong, err = o.who.PostForm(o.base.String()+"/logon", url.Values{"account": {secrets["a wrong password"]}, "password": {"x"}})
	must(t, err)
	wrong.Body.Close()
	for what, s := range secrets {
		if len(s) < 10 {
			t.Fatalf("%s is %q", what, s)
		}
	}
	return secrets
}

// made posts and gives a member of the answer that holds a secret.
func (o *office) made(path, key, member string, header ...string) string {
	o.t.Helper()
	r, err := http.NewRequest("POST", o.base.String()+path, strings.NewReader("{}"))
	must(o.t, err)
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(path, "/api/v1") {
		r.Header.Set("X-DashScope-WorkSpace", string(o.ws))
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	must(o.t, err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	must(o.t, err)
	_, rest, found := strings.Cut(string(text), `"`+member+`":"`)
	value, _, _ := strings.Cut(rest, `"`)
	if !found {
		o.t.Fatalf("%s: %d %s", path, a.StatusCode, text)
	}
	return value
}

// dump is everything in the database, as text.
func dump(t *testing.T, c store.Config) string {
	t.Helper()
	driver, source, tables := "sqlite", "file:"+filepath.Join(c.Data, "bailiwick.db")+"?mode=ro", "SELECT name FROM sqlite_master WHERE type = 'table'"
	if c.Database != "" {
		driver, source, tables = "pgx", c.Database, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	}
	db, err := sql.Open(driver, source)
	must(t, err)
	defer db.Close()
	names := column(t, db, tables)
	if len(names) < 20 {
		t.Fatalf("only %q", names)
	}
	var all strings.Builder
	for _, name := range names {
		rows, err := db.QueryContext(t.Context(), `SELECT * FROM "`+name+`"`)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		values := make([]any, len(columns))
		for rows.Next() {
			to := make([]any, len(columns))
			for i := range values {
				to[i] = &values[i]
			}
			must(t, rows.Scan(to...))
			for _, v := range values {
				if b, isBytes := v.([]byte); isBytes {
					v = string(b)
				}
				fmt.Fprintln(&all, v)
			}
		}
		must(t, rows.Close())
	}
	return all.String()
}

func column(t *testing.T, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		list = append(list, s)
	}
	return list
}
