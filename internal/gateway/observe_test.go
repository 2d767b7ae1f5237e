package gateway_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/gateway"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
)

type watcher struct {
	mu   sync.Mutex
	seen []gateway.Seen
}

func (w *watcher) Observe(s gateway.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, s)
}

func TestEveryAnswerSaysTheGatewaysOwnShareOfTheTime(t *testing.T) {
	watch := &watcher{}
	w := newWorld(t, func(w *world) { w.config.Observer = watch })
	slow := 60 * time.Millisecond
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
		time.Sleep(slow)
		return mockserver.Default(r)
	})
	for _, c := range []struct {
		key, rest string
		status    int
	}{{"marketing", "", 200}, {"marketing", `,"stream":true`, 200}, {"research", "", 403}, {"nobody", "", 401}} {
		got := w.call(ask{path: chat, key: c.key, ws: marketing, body: openAIBody("qwen-turbo", c.rest)})
		timing := got.header.Get("Server-Timing")
		if got.status != c.status || !regexp.MustCompile(`^gateway;dur=\d+\.\d{3}(, wait;dur=\d+\.\d{3})?$`).MatchString(timing) {
			t.Errorf("%s: %d, %q", c.key, got.status, timing)
		}
	}
	w.books.number(t, 3)
	time.Sleep(20 * time.Millisecond)
	watch.mu.Lock()
	defer watch.mu.Unlock()
	if len(watch.seen) != 4 {
		t.Fatalf("%d calls were seen", len(watch.seen))
	}
	for i, s := range watch.seen {
		if asked := i < 2; asked && (s.Own <= 0 || s.FirstByte < slow || s.Own > s.FirstByte-slow || !s.Known) || !asked && s.FirstByte < s.Own {
			t.Errorf("call %d: own %s of %s", i, s.Own, s.FirstByte)
		}
		if (s.Account == "") != (i == 3) {
			t.Errorf("call %d: account %q", i, s.Account)
		}
	}
}

func TestWhatWasAskedForIsNamedToTraces(t *testing.T) {
	watch := &watcher{}
	w := newWorld(t, func(w *world) { w.config.Observer = watch })
	for i, c := range []struct{ path, body, operation string }{
		{chat, openAIBody("qwen-turbo", ""), "chat"}, {generation, nativeBody("qwen-turbo", ""), "chat"}, {messages, anthropicBody("qwen-turbo", ""), "chat"},
		{responses, `{"model":"qwen-turbo","input":"x"}`, "chat"}, {"/v1/completions", `{"model":"qwen-turbo","prompt":"x"}`, "text_completion"},
		{"/v1/embeddings", `{"model":"text-embedding","input":"x"}`, "embeddings"}, {nativeVectors, `{"model":"text-embedding","input":{"texts":["x"]}}`, "embeddings"},
		{"/v1/rerank", `{"model":"text-rerank","query":"x","documents":["y"]}`, "rerank"}, {"/v1/models", "", "list_models"}, {"/api/v1/models/permissions", "", "manage"}, {"/v1/nothing", "", ""},
	} {
		w.call(ask{path: c.path, key: "marketing", ws: marketing, body: c.body})
		for range 200 {
			watch.mu.Lock()
			n := len(watch.seen)
			watch.mu.Unlock()
			if n > i {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		watch.mu.Lock()
		if got := watch.seen[i].Operation; got != c.operation {
			t.Errorf("%s: %q", c.path, got)
		}
		watch.mu.Unlock()
	}
}

// gone is a database that stops to answer.
type gone struct {
	*world
	dead bool
}

func (g *gone) Facts(ctx context.Context, after int64) (policy.Facts, error) {
	if g.dead {
		return policy.Facts{}, errors.New("the database is gone")
	}
	return g.world.Facts(ctx, after)
}

func TestKnownKeysAreServedForAWhileWithoutADatabase(t *testing.T) {
	var source *gone
	w := newWorld(t, nil)
	source = &gone{world: w}
	keeper, err := policy.NewKeeper(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	source.dead = true
	config := w.config
	config.Policy, config.MaxAge = keeper, time.Second
	w.serve(gateway.New(config))
	if got := w.turbo(t, ""); got.status != 200 {
		t.Fatal(got.status, got.body)
	}
	if err := keeper.Refresh(t.Context()); err == nil {
		t.Fatal("the database is not gone")
	}
	time.Sleep(1100 * time.Millisecond)
	for _, path := range []string{chat, "/v1/models"} {
		a := ask{path: path, key: "marketing", ws: marketing}
		if path == chat {
			a.body = openAIBody("qwen-turbo", "")
		}
		if got := w.call(a); got.status != 503 || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "database") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	source.dead = false
	if err := keeper.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.turbo(t, ""); got.status != 200 {
		t.Error(got.status, got.body)
	}
}
