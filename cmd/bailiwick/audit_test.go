package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // to edit by hand
	_ "modernc.org/sqlite"             // to edit by hand

	"bailiwick/internal/audit"
	"bailiwick/internal/secret"
	"bailiwick/internal/store/storetest"
)

// printed runs a command line and gives what it wrote.
func printed(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	before := stdout
	stdout = &out
	defer func() { stdout = before }()
	err := run(t.Context(), args)
	return out.String(), err
}

func TestAuditVerifyNamesWhatWasEditedByHandBesideARunningServer(t *testing.T) {
	for name, database := range map[string]func(*testing.T) string{
		"SQLite":     func(*testing.T) string { return "" },
		"PostgreSQL": func(t *testing.T) string { return storetest.PostgresConfig(t).Database },
	} {
		t.Run(name, func(t *testing.T) {
			at := place{Data: filepath.Join(t.TempDir(), "data"), Database: database(t)}
			args := []string{"--data", at.Data}
			driver, source := "sqlite", filepath.Join(at.Data, "bailiwick.db")
			if at.Database != "" {
				args, driver, source = append(args, "--database", at.Database), "pgx", at.Database
			}
			p, err := start(t.Context(), serving{place: at, Listen: "127.0.0.1:0"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			stdin = strings.NewReader(sentence + "\n")
			if err := run(t.Context(), append([]string{"account", "create", "--password-stdin", "acme"}, args...)); err != nil {
				t.Fatal(err)
			}
			if err := p.heads.Export(t.Context()); err != nil {
				t.Fatal(err)
			}
			verify := append([]string{"audit", "verify"}, args...)
			said, err := printed(t, verify...)
			if err != nil || !strings.Contains(said, "acme: 2 lines, 1 to 2, are whole; proven by the head exported at ") {
				t.Fatalf("%v: %s", err, said)
			}
			headIs(t, at, append([]string{"audit", "head"}, args...))
			db, err := sql.Open(driver, source)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			byHand(t, db, driver == "pgx")
			said, err = printed(t, verify...)
			if err == nil || !strings.Contains(said, "acme: line 2 (evt-") || !strings.Contains(said, "was edited") {
				t.Errorf("%v: %s", err, said)
			}
			if _, err := printed(t, append(verify, "--heads", filepath.Join(at.Data, "no-such-file"))...); err == nil {
				t.Error("a file of heads that is not there was taken for none")
			}
		})
	}
}

// headIs makes sure that the head that is printed is the one of the chain, and signed.
func headIs(t *testing.T, at place, args []string) {
	t.Helper()
	said, err := printed(t, args...)
	var h audit.Head
	if err != nil || json.Unmarshal([]byte(said), &h) != nil || h.Seq != 2 {
		t.Fatalf("%v: %s", err, said)
	}
	master, err := secret.LoadMaster(at.masterKey())
	if err != nil || !h.Genuine(master.Signer().Public().(ed25519.PublicKey)) {
		t.Errorf("%v: the head is not signed with the master key", err)
	}
	file, err := os.ReadFile(at.heads())
	if err != nil || !strings.Contains(string(file), h.Hash) {
		t.Errorf("%v: the exported head is another one: %s", err, file)
	}
}

func byHand(t *testing.T, db *sql.DB, postgres bool) {
	t.Helper()
	statements := []string{"DROP TRIGGER audit_events_keep_update", "UPDATE audit_events SET summary = 'nothing happened' WHERE seq = 2"}
	if postgres {
		statements[0] = "DROP TRIGGER audit_events_keep ON audit_events"
	}
	for _, s := range statements {
		if _, err := db.ExecContext(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
}
