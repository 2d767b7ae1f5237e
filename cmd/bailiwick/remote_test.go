package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick/internal/adminapi"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/demo"
	"bailiwick/internal/secret"
)

// terminal runs subcommands against a server as somebody would by hand.
type terminal struct {
	t           *testing.T
	server, key string
}

// atTerminal starts the demo company and holds an admin key of its owner.
func atTerminal(t *testing.T) (terminal, *Program) {
	t.Helper()
	p := company(t)
	root, err := p.store.UserByLogOn(t.Context(), demo.Alias, "root")
	must(t, err)
	by, err := p.store.Actor(t.Context(), root.ID)
	must(t, err)
	_, text, err := p.adminKeys.Issue(t.Context(), by, adminkey.Terms{Name: "terminal", Days: 7})
	must(t, err)
	return terminal{t, p.base.String(), text.Reveal()}, p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// try runs a subcommand and gives what it printed.
func (c terminal) try(args ...string) (string, error) {
	c.t.Helper()
	c.t.Setenv("BAILIWICK_ADMIN_KEY", c.key)
	var out bytes.Buffer
	before := stdout
	stdout = &out
	defer func() { stdout = before }()
	err := run(context.Background(), append(args, "--server", c.server))
	return out.String(), err
}

// does makes sure that it works and prints these texts.
func (c terminal) does(command string, says ...string) string {
	c.t.Helper()
	out, err := c.try(strings.Split(command, "|")...)
	if err != nil {
		c.t.Fatalf("%s: %v", command, err)
	}
	for _, text := range says {
		if !strings.Contains(out, text) {
			c.t.Fatalf("%s does not say %q: %s", command, text, out)
		}
	}
	return out
}

// fails makes sure of what the program ends with, and that it says what to do.
func (c terminal) fails(command string, code int, says string) {
	c.t.Helper()
	out, err := c.try(strings.Split(command, "|")...)
	if err == nil || codeOf(err) != code || !strings.Contains(plain(err), says) || out != "" {
		c.t.Fatalf("%s ends with %d (%v) and %q, not with %d and %q", command, codeOf(err), err, out, code, says)
	}
}

func jsonOf[T any](c terminal, command string) (v T) {
	c.t.Helper()
	text := c.does(command + "|--output|json")
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		c.t.Fatalf("%s prints %s: %v", command, text, err)
	}
	return v
}

func TestTheCommandLineAdministersThroughAServer(t *testing.T) {
	c, p := atTerminal(t)
	ws := strings.TrimSpace(c.does("workspace|add|Terminal", "llm-"))
	c.does("workspace|list", "ID", "NAME", ws, "Terminal")
	c.does("workspace|rename|Terminal|Terminals", ws+" is now named Terminals")
	if all := jsonOf[[]adminapi.ListedWorkspace](c, "workspace|list|--search|terminals"); len(all) != 1 || all[0].ID != ws || all[0].Version != 2 {
		t.Errorf("workspaces as JSON: %+v", all)
	}

	c.does("user|add|dora|--name|Dora Doe|--email|dora@example.com|--workspace|Terminals|--role|regular|--pages|keys", "dora "+c.server+"/welcome?token=")
	c.does("user|list|--search|dora", "LOGON", "Dora Doe", "invited")
	c.does("user|show|dora", ws, "Terminals", "regular", "keys")
	c.does("user|edit|dora|--name|Dora Roe", "dora is changed")
	for _, act := range []string{"disable", "enable", "promote", "demote", "end-sessions"} {
		c.does("user|"+act+"|dora", "dora is ")
	}
	c.does("user|invite|dora", "/welcome?token=")
	if dora := jsonOf[[]adminapi.User](c, "user|list|--search|dora"); len(dora) != 1 || dora[0].Name != "Dora Roe" || dora[0].Email != "dora@example.com" || dora[0].Role != "regular" {
		t.Errorf("users as JSON: %+v", dora)
	}
	stdin = strings.NewReader(sentence + " by hand\n")
	c.does("user|add|erik|--super|--password-stdin", "erik\n")

	c.does("member|set|Terminals|dora|--role|administrator", "dora is administrator in Terminals")
	c.does("member|list|Terminals", "dora", "administrator")
	c.fails("member|remove|Terminals|dora", exitConflict, "administrator")
	c.does("member|remove|Terminals|dora|--alone", "dora is no member")
	c.does("member|add|Terminals|dora|--page|usage", "dora is regular in Terminals")

	c.does("grant|add|Terminals|qwen-turbo|call", "Terminals may call qwen-turbo")
	c.does("grant|list|--workspace|Terminals", "MODEL", "qwen-turbo", "Terminals")
	c.does("grant|show|qwen-turbo|call", ws, "root@acme")
	id, text, _ := strings.Cut(strings.TrimSpace(c.does("key|add|Terminals|--description|by hand|--model|qwen-turbo|--never", "key-", "sk-ws-")), " ")
	if answer, err := asks(p, ws, text, "qwen-turbo"); err != nil {
		t.Errorf("the key that was printed: %q, %v", answer, err)
	}
	c.does("key|list|--workspace|Terminals", id, "by hand", "enabled")
	c.does("key|edit|"+id+"|--description|still by hand", id+" is changed")
	_, next, _ := strings.Cut(strings.TrimSpace(c.does("key|reset|"+id, "sk-ws-")), " ")
	if _, err := asks(p, ws, text, "qwen-turbo"); err == nil {
		t.Error("the old secret works on")
	}
	if _, err := asks(p, ws, next, "qwen-turbo"); err != nil {
		t.Error("the new secret:", err)
	}
	c.does("key|edit|"+id+"|--expires|2027-11-20", id+" is changed")
	c.does("key|list|--workspace|Terminals", "2027-11-20 23:59Z")
	c.does("key|edit|"+id+"|--never", id+" is changed")
	c.does("key|disable|"+id, "is disabled")
	c.does("key|enable|"+id, "is enabled")
	if keys := jsonOf[[]adminapi.Key](c, "key|list|--search|still"); len(keys) != 1 || keys[0].ExpiresAt != nil || keys[0].Models == nil {
		t.Errorf("keys as JSON: %+v", keys)
	}
	c.does("grant|remove|Terminals|qwen-turbo|call", "may not")
	c.does("grant|set|qwen-turbo|train|Terminals", "1 workspace may train qwen-turbo")
	c.does("grant|set|qwen-turbo|train", "0 workspaces")
	c.does("audit|list|--action|keys:|--limit|3", "keys:enable", "root@acme", "Terminals")
	c.does("key|delete|"+id, "is deleted")
	c.fails("user|delete|dora", exitUsage, "0 sessions and ends 1 membership, for good: say --yes")
	c.fails("key|add|Terminals|--expires|never", exitUsage, "no day such as 2027-11-20")
	c.fails("workspace|delete|Terminals", exitConflict, "still holds 1 member. Clear it first.")
	c.does("user|delete|dora|--yes", "dora is deleted")
	c.does("workspace|delete|Terminals", "Terminals is deleted")
}

func TestFailuresOfTheCommandLineSayWhatToDo(t *testing.T) {
	c, p := atTerminal(t)
	c.fails("workspace|add|"+strings.Repeat("x", 31), exitInvalid, "name: A workspace name has at most 30 characters")
	c.fails("workspace|add|Default Workspace", exitConflict, "There is already a workspace named")
	c.fails("workspace|delete|Nowhere", exitMissing, "bailiwick workspace list")
	c.fails("user|disable|nobody", exitMissing, "bailiwick user list")
	c.fails("key|delete|nothing", exitInvalid, "bailiwick key list")
	c.fails("workspace|list|--output|xml", exitUsage, "--output")
	wrong := c
	wrong.key = secret.NewAdminKey().Reveal()
	wrong.fails("workspace|list", exitDenied, "wrong or was revoked")
	wrong.key = wrong.key[:20]
	wrong.fails("workspace|list", exitDenied, "copy all of it")
	wrong.key = ""
	wrong.fails("workspace|list", exitUsage, "BAILIWICK_ADMIN_KEY")
	waits = time.Millisecond
	defer func() { waits = time.Second }()
	away := c
	away.server = "http://127.0.0.1:1"
	away.fails("workspace|list", exitAway, "does not answer")
	away.server = "http://models.example.com"
	away.fails("workspace|list", exitUsage, "use https")
	root, err := p.store.UserByLogOn(t.Context(), demo.Alias, "root")
	must(t, err)
	c.fails("user|disable|"+string(root.ID), exitDenied, "account owner (root)")
}

// A server that dies between the effect and its answer is asked again with the
// same idempotency key, and a busy one is waited for.
func TestTheCommandLineRepeatsWithOneIdempotencyKey(t *testing.T) {
	c, p := atTerminal(t)
	waits = time.Millisecond
	defer func() { waits = time.Second }()
	var posts atomic.Int64
	flaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		p.server.Handler.ServeHTTP(answer, r)
		if r.Method == http.MethodPost && posts.Add(1) == 1 {
			panic(http.ErrAbortHandler) // it was done, and nobody was told
		}
		for name, all := range answer.Header() {
			w.Header()[name] = all
		}
		w.WriteHeader(answer.Code)
		_, err := w.Write(answer.Body.Bytes())
		if err != nil {
			panic(err)
		}
	}))
	defer flaky.Close()
	c.server = flaky.URL
	id := strings.TrimSpace(c.does("workspace|add|Once", "llm-"))
	if all := jsonOf[[]adminapi.ListedWorkspace](c, "workspace|list|--search|Once"); len(all) != 1 || all[0].ID != id || posts.Load() != 2 {
		t.Errorf("%d posts made %+v, and %s was printed", posts.Load(), all, id)
	}
}

func TestNothingOfAServerMovesTheCursor(t *testing.T) {
	c, _ := atTerminal(t)
	c.does("user|add|mallory|--name|Mallory‮x")
	if out := c.does("user|list|--search|mallory"); strings.ContainsAny(out, "‮\x1b") {
		t.Errorf("printed %q", out)
	}
	if codeOf(errors.New("of another kind")) != exitFailed {
		t.Error("codes are mixed up")
	}
}

func TestHostCommandsNeedNoAdminKey(t *testing.T) {
	data := t.TempDir() + "/data"
	said := bytes.NewBufferString(strings.Repeat(sentence+"\n", 4))
	command(t, said, "host", "account", "create", "side", "--password-stdin", "--data", data)
	command(t, said, "host", "user", "add", "dave@side", "--super", "--password-stdin", "--data", data)
	command(t, said, "user", "add", "eve@side", "--password-stdin", "--data", data)
	command(t, said, "user", "reset-password", "eve@side", "--password-stdin", "--data", data)
}
