package adminapi_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bailiwick/internal/adminapi"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
)

// counting counts how often a secret is looked up.
type counting struct {
	*store.Store
	reads *int
}

func (c counting) AdminKeyByDigest(ctx context.Context, d secret.Digest) (adminkey.Key, error) {
	*c.reads++
	return c.Store.AdminKeyByDigest(ctx, d)
}

// slow carries out a request only when it is told to go on.
func slow(once adminapi.Once, began, goOn chan struct{}) adminapi.Once {
	return func(ctx context.Context, a ident.Account, c adminkey.Claim, do func(adminapi.Services) (adminkey.Answer, error)) (adminkey.Answer, bool, error) {
		close(began)
		<-goOn
		return once(ctx, a, c, do)
	}
}

// everything is what the database holds: the files of SQLite, or every column
// of every table of PostgreSQL as text.
func everything(t *testing.T, c store.Config) string {
	t.Helper()
	var b strings.Builder
	if c.Database == "" {
		files, err := filepath.Glob(filepath.Join(c.Data, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(text)
		}
		return b.String()
	}
	conn, err := pgx.Connect(t.Context(), c.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, table := range tables(t, conn) {
		rows, err := conn.Query(t.Context(), "SELECT x::text FROM "+table+" x")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			b.WriteString(text)
		}
	}
	return b.String()
}

func tables(t *testing.T, conn *pgx.Conn) (names []string) {
	rows, err := conn.Query(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}
