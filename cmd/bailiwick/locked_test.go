package main

import (
	"database/sql"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/usage"
)

// P8: while the database can be written by nobody, known keys are served from
// the snapshot and unknown ones are refused; what was served is booked afterwards.
// So it is while another server that starts builds an index of a large table.
func TestAnchor_IndexOnline_KnownKeysAreServedWhileTheDatabaseIsLockedAndNothingIsLost(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) { serveLocked(t, newEstate(t, c)) })
}

// lock keeps everybody else from the tables until the transaction ends.
func (e *estate) lock() *sql.Tx {
	e.t.Helper()
	driver, source := "sqlite", "file:"+filepath.Join(e.place.Data, "bailiwick.db")+"?_pragma=busy_timeout(5000)&_txlock=exclusive"
	if e.place.Database != "" {
		driver, source = "pgx", e.place.Database
	}
	other, err := sql.Open(driver, source)
	must(e.t, err)
	e.t.Cleanup(func() { other.Close() })
	lock, err := other.BeginTx(e.t.Context(), nil)
	must(e.t, err)
	if driver == "sqlite" {
		return lock
	}
	var tables string
	must(e.t, lock.QueryRow("SELECT string_agg(tablename, ', ') FROM pg_tables WHERE schemaname = current_schema()").Scan(&tables))
	_, err = lock.Exec("LOCK TABLE " + tables + " IN ACCESS EXCLUSIVE MODE")
	must(e.t, err)
	return lock
}

func serveLocked(t *testing.T, e *estate) {
	server, base := e.serve()
	defer func() { server.Process.Kill(); server.Wait() }()
	lock := e.lock()
	for e.answered() < 40 {
		if !e.ask(base) {
			t.Fatal("a known key is not served")
		}
	}
	r, _ := http.NewRequest("POST", base+"/v1/chat/completions", strings.NewReader(`{"model":"m","messages":[]}`))
	r.Header.Set("Authorization", "Bearer sk-ws-nobody-knows-this-one")
	resp, err := e.client.Do(r)
	must(t, err)
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("an unknown key is answered with %d", resp.StatusCode)
	}
	must(t, lock.Rollback())
	s, err := store.Open(t.Context(), store.Config{Data: e.place.Data, Database: e.place.Database})
	must(t, err)
	defer s.Close()
	a, err := s.AccountByAlias(t.Context(), "acme")
	must(t, err)
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		sums, err := s.UsageSums(t.Context(), a.ID, usage.Query{})
		must(t, err)
		if len(sums) == 1 && sums[0].Calls == e.answered() {
			return
		}
	}
	sums, _ := s.UsageSums(t.Context(), a.ID, usage.Query{})
	t.Errorf("%d requests reached the model server; booked are %+v", e.answered(), sums)
}

// answered is how many requests reached the model server.
func (e *estate) answered() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.reached)
}
