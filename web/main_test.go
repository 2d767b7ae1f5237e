package web_test

import (
	"log/slog"
	"os"
	"testing"
)

// TestMain keeps what the console logs out of what the tests say.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}
