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
func TestKnownKeysAreServedWhileTheDatabaseIsLockedAndNothingIsLost(t *testing.T) {
	e := newEstate(t, storetest.SQLiteConfig(t))
	server, base := e.serve()
	defer func() { server.Process.Kill(); server.Wait() }()
	other, err := sql.Open("sqlite", "file:"+filepath.Join(e.place.Data, "bailiwick.db")+"?_pragma=busy_timeout(5000)&_txlock=exclusive")
	must(t, err)
	defer other.Close()
	lock, err := other.BeginTx(t.Context(), nil)
	must(t, err)
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
	s, err := store.Open(t.Context(), store.Config{Data: e.place.Data})
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
