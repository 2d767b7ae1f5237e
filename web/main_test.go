package web_test

import (
	"log/slog"
	"os"
	"testing"
)

// TestMain keeps what the console logs out of what the tests say, and ends the
// browser that they share.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := m.Run()
	if shared.stop != nil {
		shared.stop()
	}
	os.Exit(code)
}
