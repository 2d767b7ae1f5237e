// Package programs_test asks the addresses of files, trainings and deployments
// through the whole gateway, over real stores and the engine that is built in. It stands
// apart from the package it proves, so that fuzzing that one follows no database.
package programs_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/deployment"
	"bailiwick/internal/gateway"
	"bailiwick/internal/gateway/workshop"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/provider/openai"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/training"
	"bailiwick/internal/usage"
	"bailiwick/internal/work"
)

// town is two workspaces before one gateway. Marketing may train and deploy
// qwen-turbo, Research may call it only.
type town struct {
	*storetest.World
	t                   *testing.T
	marketing, research ident.Workspace
	bob                 ident.User // whose keys they are: a member of both without a page
	keys                map[ident.Workspace]string
	base                string
	data                string
	works               *workshop.Workshop
	mock                *mockserver.Server // behind the models that are served by "Far"
	books               *unkept
	secrets             map[string]string // of keys, by what rows_test.go calls them
	names               []string          // what stands for what there: a word, what it means, …
	loop                *training.Loop
	keeper              *policy.Keeper
}

// unkept keeps no books, and says of the next call what a test wants it to.
type unkept struct {
	mu   sync.Mutex
	next func() error // nil: all is well
}

func (u *unkept) Begin(*usage.Record) error {
	u.mu.Lock()
	next := u.next
	u.next = nil
	u.mu.Unlock()
	if next == nil {
		return nil
	}
	return next()
}

func (*unkept) End(*usage.Record) {}

func (u *unkept) once(next func() error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.next = next
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newTown(t *testing.T, s *store.Store) *town {
	t.Helper()
	w := storetest.NewWorld(t, s, "acme")
	mock, err := mockserver.Start()
	must(t, err)
	t.Cleanup(mock.Close)
	o := &town{World: w, t: t, mock: mock, books: &unkept{}, marketing: w.Workspace("Marketing").ID, research: w.Workspace("Research").ID, keys: map[ident.Workspace]string{}, data: t.TempDir()}
	for _, m := range []ident.Model{"qwen-turbo", "qwen-plus"} {
		w.Model(m)
	}
	w.Serve(w.Provider("Engine", provider.Embedded, "").ID, "qwen-turbo", "qwen-plus")
	w.Grant("qwen-turbo", catalogue.Train, o.marketing)
	w.Grant("qwen-turbo", catalogue.Deploy, o.marketing)
	w.Grant("qwen-turbo", catalogue.Call, o.marketing, o.research)
	master, err := secret.ParseMaster(base64.StdEncoding.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuv")))
	must(t, err)
	o.bob = w.User("bob", access.Regular).ID
	for _, ws := range []ident.Workspace{o.marketing, o.research} {
		w.Member(ws, o.bob, access.Regular)
		o.keys[ws] = o.issue(ws, master.Pepper(), nil)
	}
	o.serve(master.Pepper())
	return o
}

func (o *town) issue(ws ident.Workspace, pepper secret.Pepper, models []ident.Model) string {
	return o.issueKey(ws, pepper, func(k *apikey.Key) { k.Models = models })
}

func (o *town) issueKey(ws ident.Workspace, pepper secret.Pepper, change func(*apikey.Key)) string {
	text := secret.NewKey()
	k := apikey.Key{ID: ident.NewKey(), Account: o.Account.ID, Workspace: ws, Owner: o.bob, Digest: pepper.Digest(text.Reveal()), Hint: "abcd", CreatedAt: storetest.Start, Version: 1}
	change(&k)
	must(o.t, o.Store.InsertKey(o.t.Context(), ws, k, 50, o.Why("keys:issue")))
	return text.Reveal()
}

func (o *town) serve(pepper secret.Pepper) {
	t := o.t
	var err error
	o.keeper, err = policy.NewKeeper(t.Context(), o.Store)
	must(t, err)
	o.Store.OnChange(func(ctx context.Context) { _ = o.keeper.Refresh(ctx) })
	open := embedded.Kind(filepath.Join(o.data, "engine"))
	fence, err := guard.New([]string{o.mock.Addr})
	must(t, err)
	opened := func(p provider.Provider) (provider.Server, error) {
		if p.Kind == provider.OpenAI {
			return openai.Kind(fence.DialContext)(provider.Target{BaseURL: p.BaseURL})
		}
		return open(provider.Target{})
	}
	folder, err := dataset.OpenFolder(o.data)
	must(t, err)
	files := &dataset.Service{Store: o.Store, Folder: folder, Now: time.Now, Jobs: o.Store.TrainingsWith}
	trainings := &training.Service{Store: o.Store, World: o.keeper, Data: files, Open: opened, Folder: o.data, Now: time.Now}
	o.loop = &training.Loop{Service: trainings, Store: o.Store}
	o.works = &workshop.Workshop{
		Datasets: files, Trainings: trainings, Actor: o.Store.Actor, Tick: 20 * time.Millisecond,
		Deployments: &deployment.Service{Store: o.Store, World: o.keeper, Open: opened, Folder: o.data, Now: time.Now},
	}
	g := gateway.New(gateway.Config{Policy: o.keeper, Pepper: pepper, Usage: o.books, Open: opened, Workshop: o.works, Log: slog.New(slog.DiscardHandler),
		Management: &gateway.Management{Actor: o.Store.Actor, Grants: &grant.Service{Store: o.Store}, Limits: &limit.Service{Store: o.Store}}})
	server := httptest.NewServer(g)
	o.base = server.URL
	t.Cleanup(func() { server.Close(); g.Close(); folder.Close() })
}

// train works on trainings until the test ends.
func (o *town) train() {
	r := &work.Runner{Store: o.Store, Kind: training.Work, Owner: "here", Do: o.loop.Do, Parallel: 1, TTL: 5 * time.Second, Poll: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { r.Run(ctx); close(ended) }()
	o.t.Cleanup(func() { stop(); <-ended })
}

// got is what was answered.
type got struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

// ask sends a request with the key of a workspace, which the path names.
func (o *town) ask(ws ident.Workspace, method, path, body, kind string) got {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), method, o.base+"/w/"+string(ws)+path, strings.NewReader(body))
	must(o.t, err)
	r.Header.Set("Authorization", "Bearer "+o.keys[ws])
	r.Header.Set("Content-Type", kind)
	answer, err := http.DefaultClient.Do(r)
	must(o.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(o.t, err)
	return got{o.t, method + " " + path, answer.StatusCode, answer.Header, string(text)}
}

func (o *town) json(ws ident.Workspace, method, path, body string) got {
	o.t.Helper()
	return o.ask(ws, method, path, body, "application/json")
}

// is makes sure of the status and of what the answer holds.
func (g got) is(status int, holds ...string) got {
	g.t.Helper()
	for _, text := range holds {
		if !strings.Contains(g.body, text) {
			g.t.Fatalf("%s answered %d without %s: %s", g.what, g.status, text, g.body)
		}
	}
	if g.status != status {
		g.t.Fatalf("%s answered %d, not %d: %s", g.what, g.status, status, g.body)
	}
	return g
}

// at reads a text or number of the answer: names and places, with points between.
func (g got) at(path string) string {
	g.t.Helper()
	var value any
	must(g.t, json.Unmarshal([]byte(g.body), &value))
	for name := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			n := int(name[0] - '0')
			if n >= len(v) {
				g.t.Fatalf("%s: there is no %s in %s", g.what, path, g.body)
			}
			value = v[n]
		}
	}
	return fmt.Sprint(value)
}

// part is one part of a form.
type part struct{ field, file, text string }

func formOf(parts ...part) (body, kind string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		var to io.Writer
		if p.file == "" {
			to, _ = w.CreateFormField(p.field)
		} else {
			to, _ = w.CreateFormFile(p.field, p.file)
		}
		io.WriteString(to, p.text)
	}
	w.Close()
	return b.String(), w.FormDataContentType()
}

func (o *town) send(ws ident.Workspace, path string, parts ...part) got {
	o.t.Helper()
	body, kind := formOf(parts...)
	return o.ask(ws, "POST", path, body, kind)
}

// lines is a training file without mistakes, in which a word stands.
func lines(n int, word string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"messages":[{"role":"user","content":"What is %d?"},{"role":"assistant","content":"A %s."}]}`+"\n", i, word)
	}
	return b.String()
}

// file uploads one and gives its id.
func (o *town) file(ws ident.Workspace, word string) string {
	o.t.Helper()
	return o.send(ws, "/v1/files", part{"file", word + ".jsonl", lines(12, word)}, part{"purpose", "", "fine-tune"}).is(200).at("id")
}

// begin asks for a training and gives its id.
func (o *town) begin(ws ident.Workspace, file string) string {
	o.t.Helper()
	return o.json(ws, "POST", "/api/v1/fine-tunes", `{"model":"qwen-turbo","training_file_ids":["`+file+`"],"validation_file_ids":null,"hyper_parameters":{"n_epochs":1}}`).is(200).at("output.job_id")
}
