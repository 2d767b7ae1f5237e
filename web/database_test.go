package web_test

import (
	"testing"

	"bailiwick/internal/store"
)

// eachDatabase runs a test on every kind of database that is there.
func eachDatabase(t *testing.T, test func(*testing.T, *store.Store, *clock)) {
	t.Run("sqlite", func(t *testing.T) {
		c := newClock()
		test(t, openStore(t, c), c)
	})
}
