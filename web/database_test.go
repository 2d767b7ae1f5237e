package web_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// eachDatabase runs a test on every kind of database that is there.
func eachDatabase(t *testing.T, test func(*testing.T, *store.Store, *clock)) {
	storetest.EachConfig(t, func(t *testing.T, config store.Config) {
		t.Parallel() // one waits for PostgreSQL while the other computes
		c := newClock()
		config.Now = c.Now
		test(t, storetest.Open(t, config), c)
	})
}

// openStore opens a database of its own, on files of the test.
func openStore(t testing.TB, c *clock) *store.Store {
	config := storetest.SQLiteConfig(t)
	config.Now = c.Now
	return storetest.Open(t, config)
}

// reopenStore opens a database that begins as a copy of a file.
func reopenStore(t testing.TB, c *clock, file []byte) *store.Store {
	t.Helper()
	config := storetest.SQLiteConfig(t)
	config.Now = c.Now
	if err := errors.Join(os.MkdirAll(config.Data, 0o700), os.WriteFile(filepath.Join(config.Data, "bailiwick.db"), file, 0o600)); err != nil {
		t.Fatal(err)
	}
	return storetest.Open(t, config)
}

func sessionsOf() store.SessionConfig { return store.SessionConfig{} }
