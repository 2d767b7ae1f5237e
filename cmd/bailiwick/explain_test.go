package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestExplainSaysOnTheCommandLineWhatWouldBeDecided(t *testing.T) {
	at := place{Data: filepath.Join(t.TempDir(), "data")}
	args := []string{"--data", at.Data}
	p, err := start(t.Context(), serving{place: at, Listen: "127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	stdin = strings.NewReader(sentence + "\n")
	if err := run(t.Context(), append([]string{"account", "create", "--password-stdin", "acme"}, args...)); err != nil {
		t.Fatal(err)
	}
	said, err := printed(t, append([]string{"explain", "acme", "--model", "qwen-turbo"}, args...)...)
	if !errors.Is(err, errRefused) || !strings.Contains(said, "REFUSED") || !strings.Contains(said, "NO  An API key is presented") || !strings.Contains(said, "whoever runs the program can do it") {
		t.Errorf("%v: %s", err, said)
	}
	stdin = strings.NewReader("sk-ws-garbage\n")
	said, err = printed(t, append([]string{"explain", "acme", "--secret-stdin"}, args...)...)
	if !errors.Is(err, errRefused) || !strings.Contains(said, "has not the form of a key") || strings.Contains(said, "garbage") {
		t.Errorf("%v: %s", err, said)
	}
	for _, wrong := range [][]string{{"explain", "umbrella"}, {"explain", "acme", "--key", "key-0000000000000000"}, {"explain", "acme", "00000000-0000-4000-8000-000000000000"}} {
		if said, err := printed(t, append(wrong, args...)...); err == nil || errors.Is(err, errRefused) || said != "" {
			t.Errorf("%v: %v %s", wrong, err, said)
		}
	}
}
