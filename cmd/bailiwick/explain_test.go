package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/explanation"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
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
	a, err := p.store.AccountByAlias(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	throttled := explanation.Refusal{
		Call: ident.NewCall(), At: time.Now(), Account: a.ID, Model: "qwen-turbo", Capability: catalogue.Call, Status: 429, Code: "limit_requests",
		Limit: explanation.Limit{Kind: limit.AccountRequests, Rate: limit.Rate{Count: 5, Period: 60}, SetBy: "root@acme", SetAt: time.Now()},
	}
	if err := p.store.InsertRefusals(t.Context(), []explanation.Refusal{throttled}); err != nil {
		t.Fatal(err)
	}
	said, err = printed(t, append([]string{"explain", "acme", string(throttled.Call)}, args...)...)
	if err != nil || !strings.Contains(said, "NO  There is room within the limits: All workspaces of the account together may use 5 requests in 60 s of qwen-turbo.") ||
		!strings.Contains(said, "root@acme set this limit, "+throttled.At.UTC().Format("2006-01-02T")) || !strings.Contains(said, "1. Raise the account's request limit of qwen-turbo.") {
		t.Errorf("%v: %s", err, said)
	}
	for _, wrong := range [][]string{{"explain", "umbrella"}, {"explain", "acme", "--key", "key-0000000000000000"}, {"explain", "acme", "00000000-0000-4000-8000-000000000000"}} {
		if said, err := printed(t, append(wrong, args...)...); err == nil || errors.Is(err, errRefused) || said != "" {
			t.Errorf("%v: %v %s", wrong, err, said)
		}
	}
}
