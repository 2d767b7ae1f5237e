// Package storetest opens stores for tests: a fresh SQLite file, or a fresh
// database in a throw-away PostgreSQL where its binaries are installed. What it
// gives is closed and deleted when the test ends.
package storetest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/store"
)

// Each runs a test on every database.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	EachConfig(t, func(t *testing.T, c store.Config) { test(t, Open(t, c)) })
}

// EachConfig runs a test on every database that opens its stores itself.
func EachConfig(t *testing.T, test func(t *testing.T, c store.Config)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, SQLiteConfig(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, PostgresConfig(t)) })
}

// SQLite gives a store in a fresh SQLite file.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, SQLiteConfig(t))
}

// Postgres gives a store in a fresh PostgreSQL database, or skips the test
// where PostgreSQL is not installed.
func Postgres(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, PostgresConfig(t))
}

// SQLiteConfig names a fresh SQLite file.
func SQLiteConfig(t testing.TB) store.Config {
	return store.Config{Data: filepath.Join(t.TempDir(), "data")}
}

// Open opens a store until the test ends. An SQLite file that is not there yet
// begins as a copy of one whose tables were made before.
func Open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	if path := filepath.Join(c.Data, "bailiwick.db"); c.Database == "" && absent(path) {
		file, err := empty()
		must(t, err)
		must(t, os.MkdirAll(c.Data, 0o700))
		must(t, os.WriteFile(path, file, 0o600))
	}
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func absent(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// empty is an SQLite file with all tables and nothing in them.
var empty = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "bw-empty-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	data := filepath.Join(folder, "data")
	s, err := store.Open(context.Background(), store.Config{Data: data})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil { // brings everything into the one file
		return nil, err
	}
	return os.ReadFile(filepath.Join(data, "bailiwick.db"))
})

// Clock is a chosen clock. It begins at Start.
type Clock struct {
	mu   sync.Mutex
	past time.Duration
}

// Start is where a clock begins.
var Start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// Now gives the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Start.Add(c.past)
}

// Pass lets time pass.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.past += d
}
