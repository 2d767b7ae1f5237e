package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	openaigo "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"bailiwick/internal/demo"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

const sentence = "a sentence for the journey"

// company starts the demo company on a free port and stops it with the test.
func company(t *testing.T) *Program {
	t.Helper()
	c := serving{place: place{Data: filepath.Join(t.TempDir(), "data")}, Listen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0", CloudName: "Alibaba Cloud"}
	ctx, stop := context.WithCancel(context.Background())
	passwords := map[ident.LogOn]secret.Text{}
	for _, p := range demo.People {
		passwords[p.LogOn] = secret.NewText(sentence)
	}
	p, err := start(ctx, c, func(p *Program) error {
		return demo.Services{Accounts: p.accounts, Workspaces: p.workspaces, Members: p.members, Catalogue: p.catalogue, Grants: p.grants, Providers: p.providers}.Ensure(ctx, passwords)
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it stopped with %v", err)
		}
		p.Close()
	})
	return p
}

// person is somebody with a browser that runs no scripts.
type person struct {
	t    *testing.T
	base string
	*http.Client
}

func logOn(t *testing.T, p *Program, name string) person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	who := person{t, p.base.String(), &http.Client{Jar: jar, Timeout: 20 * time.Second}}
	if page := who.post("/logon", url.Values{"account": {name}, "password": {sentence}}); !strings.Contains(page, "Log Off") {
		t.Fatalf("%s is not logged on: %.300s", name, page)
	}
	return who
}

func (p person) get(path string) string { return p.read(p.Get(p.base + path)) }

func (p person) post(path string, form url.Values) string {
	return p.read(p.PostForm(p.base+path, form))
}

func (p person) read(r *http.Response, err error) string {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if r.StatusCode >= 400 {
		p.t.Fatalf("%s %s: %d: %.400s", r.Request.Method, r.Request.URL.Path, r.StatusCode, text)
	}
	return string(text)
}

var (
	workspaceRow = regexp.MustCompile(`(?s)<tr.*?</tr>`)
	workspaceID  = regexp.MustCompile(`llm-[0-9a-z]{16}`)
	keySecret    = regexp.MustCompile(`sk-ws-[0-9A-Za-z]{43}_[0-9A-Za-z]{6}`)
	listVersion  = regexp.MustCompile(`name="version"[^>]*value="(\d+)"|value="(\d+)"[^>]*name="version"`)
)

// workspace reads a workspace's id off Workspace Management.
func (p person) workspace(name string) string {
	p.t.Helper()
	for _, row := range workspaceRow.FindAllString(p.get("/workspaces"), -1) {
		if strings.Contains(row, ">"+name+"<") || strings.Contains(row, name) && strings.Contains(row, "llm-") {
			return workspaceID.FindString(row)
		}
	}
	p.t.Fatalf("Workspace Management does not show %s", name)
	return ""
}

// authorize makes these the workspaces that may call a model.
func (p person) authorize(home, model string, was []string, wanted ...string) {
	p.t.Helper()
	path := "/workspaces/" + home + "/models/" + model + "/authorize/call"
	found := listVersion.FindStringSubmatch(p.get(path))
	if found == nil {
		p.t.Fatal("the dialog carries no version")
	}
	p.post(path, url.Values{"version": {found[1] + found[2]}, "was": was, "authorized": wanted})
}

// asks calls a model as a program would, with the official client.
func asks(p *Program, workspace, key, model string) (string, error) {
	client := openaigo.NewClient(option.WithBaseURL(p.base.String()+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0), option.WithHeader("X-DashScope-WorkSpace", workspace))
	answer, err := client.Chat.Completions.New(context.Background(), openaigo.ChatCompletionNewParams{
		Model: model, Messages: []openaigo.ChatCompletionMessageParamUnion{openaigo.UserMessage("Who are you?")},
	})
	if err != nil {
		return "", err
	}
	return answer.Choices[0].Message.Content, nil
}

func refused(t *testing.T, err error, status int, code string) {
	t.Helper()
	var typed *openaigo.Error
	if !errors.As(err, &typed) || typed.StatusCode != status || typed.Code != code {
		t.Errorf("answered %v, not %d %s", err, status, code)
	}
}

func TestAWorkspaceCallsExactlyWhatItWasAuthorizedFor(t *testing.T) {
	p := company(t)
	root := logOn(t, p, "root@acme")

	if page := root.get("/workspaces/" + root.workspace(demo.Research) + "/models/" + string(demo.Shared)); !strings.Contains(page, ">Authorized<") {
		t.Error("the demo's shared model is not authorized for Research")
	}
	root.post("/workspaces", url.Values{"name": {"Journey"}})
	home, journey, research := root.workspace("Default Workspace"), root.workspace("Journey"), root.workspace(demo.Research)
	key := keySecret.FindString(root.post("/workspaces/"+journey+"/keys", url.Values{"description": {"journey"}}))
	if key == "" {
		t.Fatal("the secret is not shown")
	}

	_, err := asks(p, journey, key, "qwen-turbo")
	refused(t, err, http.StatusForbidden, "Model.AccessDenied")

	root.authorize(home, "qwen-turbo", nil, journey)
	if answer, err := asks(p, journey, key, "qwen-turbo"); err != nil || !strings.Contains(answer, "demo engine") {
		t.Errorf("after OK: %q, %v", answer, err)
	}
	_, err = asks(p, journey, key, "qwen-max")
	refused(t, err, http.StatusForbidden, "Model.AccessDenied")
	_, err = asks(p, research, key, "qwen-plus")
	refused(t, err, http.StatusForbidden, "Workspace.AccessDenied")
	_, err = asks(p, "", key, "qwen-turbo")
	refused(t, err, http.StatusForbidden, "Workspace.AccessDenied")
	_, err = asks(p, journey, key[:len(key)-1]+"x", "qwen-turbo")
	refused(t, err, http.StatusUnauthorized, "invalid_api_key")

	root.authorize(home, "qwen-turbo", []string{journey})
	_, err = asks(p, journey, key, "qwen-turbo")
	refused(t, err, http.StatusForbidden, "Model.AccessDenied")

	time.Sleep(500 * time.Millisecond) // usage is written in batches
	if page := root.get("/workspaces/" + journey + "/usage"); !strings.Contains(page, "qwen-turbo") || !strings.Contains(page, "Model.AccessDenied") {
		t.Error("the Usage page does not show the calls, refused ones too")
	}
	if page := logOn(t, p, "alice@acme").get("/workspaces"); strings.Contains(page, journey) || strings.Contains(page, "Journey") || !strings.Contains(page, demo.Marketing) {
		t.Error("alice does not see exactly the workspaces she belongs to")
	}
}

func TestTheProgramRefusesUnsafeStarts(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"clear text beyond this machine": {[]string{"serve", "--listen", "0.0.0.0:0"}, "--insecure-http"},
		"a base URL with a path":         {[]string{"serve", "--listen", "127.0.0.1:0", "--base-url", "https://x.example/y"}, "--base-url"},
		"a listen address without port":  {[]string{"serve", "--listen", "localhost"}, "--listen"},
		"a proxy that is no address":     {[]string{"serve", "--listen", "127.0.0.1:0", "--trusted-proxy", "everybody"}, "--trusted-proxy"},
		"an unknown flag":                {[]string{"serve", "--liten", "127.0.0.1:0"}, "--liten"},
		"a weak demo password":           {[]string{"demo", "--listen", "127.0.0.1:0", "--password", "short"}, "15 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(c.args, "--data", filepath.Join(t.TempDir(), "data"))
			ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
			defer stop()
			err := run(ctx, args)
			if err == nil {
				t.Fatal("it starts")
			}
			if words := plain(err); !strings.Contains(words, c.want) || strings.Contains(words, "\n") {
				t.Errorf("it says %q", words)
			}
		})
	}
}

func TestSec27_AMasterKeyOfAnotherDatabaseStopsTheStart(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	c := serving{place: place{Data: data}, Listen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0"}
	for range 2 {
		p, err := start(t.Context(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
	}
	c.MasterKey = filepath.Join(t.TempDir(), "another.key")
	if _, err := start(t.Context(), c, nil); err == nil || !strings.Contains(err.Error(), "not the master key") {
		t.Errorf("another master key: %v", err)
	}
}

func TestAccountsAndUsersAreMadeBesideARunningServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	p, err := start(ctx, serving{place: place{Data: data}, Listen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	defer func() { stop(); <-ended; p.Close() }()
	if p.setUp.Empty() {
		t.Error("an empty database asks for no set-up")
	}
	said := bytes.NewBufferString(sentence + "\n" + sentence + "\n")
	command(t, said, "account", "create", "side", "--password-stdin", "--data", data)
	command(t, said, "user", "add", "dave@side", "--super", "--password-stdin", "--data", data)
	if page := logOn(t, p, "dave@side").get("/workspaces"); !strings.Contains(page, "Default Workspace") {
		t.Error("the new super administrator does not see the Default Workspace")
	}
}

// command runs a subcommand with its standard input.
func command(t *testing.T, input io.Reader, args ...string) {
	t.Helper()
	before := stdin
	stdin = input
	defer func() { stdin = before }()
	if err := run(context.Background(), args); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}
