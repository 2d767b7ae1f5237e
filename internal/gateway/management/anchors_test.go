package management_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/workspace"
)

// narrowed makes a key of somebody in a workspace that covers these models, none
// where there are none.
func (r *realm) narrowed(name string, ws ident.Workspace, owner ident.User, models ...ident.Model) {
	r.t.Helper()
	r.issueAs(name, ws, owner, func(k *apikey.Key) { k.Models = append([]ident.Model{}, models...) })
}

// asks makes sure how a call of a model is answered.
func (r *realm) asks(key string, ws ident.Workspace, model string, want int, refused string) {
	r.t.Helper()
	got := r.call(ask{path: chat, key: key, ws: ws, body: openAIBody(model, "")})
	if got.status != want || got.header.Get("X-Bailiwick-Refused") != refused {
		r.t.Errorf("%s calls %s: %d %s, want %d %q", key, model, got.status, got.body, want, refused)
	}
}

// A list without a model is no list of all, of a workspace or of a key; and one
// whose models are all gone from the provider stays what it is.
func TestAnchor_EmptyListIsDeny(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		models := []string{"qwen-plus", "qwen-plain", "qwen-turbo"}
		for _, m := range models {
			r.asks("admin", r.marketing.ID, m, 403, "workspace-authorized")
		}
		for _, m := range models {
			r.Grant(ident.Model(m), catalogue.Call, r.marketing.ID)
		}
		r.narrowed("none", r.marketing.ID, r.Root.ID)
		r.narrowed("unknown", r.marketing.ID, r.Root.ID, "never-was")
		for _, m := range models {
			r.asks("admin", r.marketing.ID, m, 200, "")
			r.asks("none", r.marketing.ID, m, 403, "key-covers-model")
			r.asks("unknown", r.marketing.ID, m, 403, "key-covers-model")
		}
		for _, key := range []string{"none", "unknown"} {
			if got := r.call(ask{path: "/v1/models", key: key, ws: r.marketing.ID}); got.body != `{"object":"list","data":[]}` {
				t.Error(got.body)
			}
		}
		// Nobody makes one by leaving the list out.
		by, err := r.Store.Actor(t.Context(), r.Root.ID)
		r.must(err)
		keys := &apikey.Service{Store: r.Store, Pepper: r.pepper, Now: storetest.Start.UTC}
		if _, _, err := keys.Issue(t.Context(), by, r.marketing.ID, apikey.Terms{Scope: apikey.Scope{Custom: true, OnlyModels: true}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a key narrowed to nothing: %v", err)
		}
	})
}

// What narrows a key is asked before the shortcuts: authorize-all, the Default
// Workspace, root.
func TestAnchor_GroupBeforeShortcut(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		r.tells(ask{path: permissionsPath, key: "root", ws: r.marketing.ID, body: `{"access_all_entities":"OPEN"}`}, 200, done)
		r.narrowed("in marketing", r.marketing.ID, r.Root.ID, "qwen-plain")
		r.narrowed("of root", r.Default, r.Root.ID, "qwen-plain")
		for key, ws := range map[string]ident.Workspace{"in marketing": r.marketing.ID, "of root": r.Default} {
			r.asks(key, ws, "qwen-plain", 200, "")
			r.asks(key, ws, "qwen-plus", 403, "key-covers-model")
			if got := r.call(ask{path: "/v1/models", key: key, ws: ws}); strings.Count(got.body, `"id":`) != 1 || !strings.Contains(got.body, `"id":"qwen-plain"`) {
				t.Errorf("%s is shown %s", key, got.body)
			}
		}
		r.asks("of root", r.marketing.ID, "qwen-plus", 403, "key-covers-model") // where everything may be called
	})
}

// A key may what its owner may in its workspace, whatever it was made with.
func TestAnchor_KeyCannotExceedOwner(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		ctx := t.Context()
		r.Grant("qwen-plus", catalogue.Call, r.marketing.ID)
		erin := r.User("erin", access.Regular)
		r.Member(r.marketing.ID, erin.ID, access.Regular, access.PageKeys)
		by, err := r.Store.Actor(ctx, erin.ID)
		r.must(err)
		keys := &apikey.Service{Store: r.Store, Pepper: r.pepper, Now: storetest.Start.UTC}
		_, text, err := keys.Issue(ctx, by, r.marketing.ID, apikey.Terms{Scope: apikey.Scope{Custom: true, OnlyModels: true, Models: []string{"qwen-plus", "qwen-turbo"}}})
		r.must(err)
		r.keys["erin"] = text.Reveal()
		r.asks("erin", r.marketing.ID, "qwen-plus", 200, "")
		r.asks("erin", r.marketing.ID, "qwen-turbo", 403, "workspace-authorized") // named by the key, and not the workspace's
		r.asks("erin", r.research.ID, "qwen-plus", 403, "workspace-is-the-keys")
		r.tells(ask{path: permissionsPath, key: "erin", ws: r.marketing.ID, body: `{"models":[{"model":"qwen-turbo","inference":true}]}`}, 403, failed("AccessDenied", "Access denied."))
		for _, ws := range []ident.Workspace{r.research.ID, r.Default} { // where they are no member
			if _, _, err := keys.Issue(ctx, by, ws, apikey.Terms{}); !fault.Is(err, fault.Missing) {
				t.Errorf("a key in a workspace of others: %v", err)
			}
		}
		// Who gave up the page keeps the key; who left the workspace takes it along.
		admin, err := r.Store.Actor(ctx, r.Root.ID)
		r.must(err)
		members := &workspace.Members{Store: r.Store}
		r.must(members.Remove(ctx, admin, r.marketing.ID, erin.ID, false))
		r.asks("erin", r.marketing.ID, "qwen-plus", 401, "")
		again, err := r.Store.Actor(ctx, erin.ID)
		r.must(err)
		if _, _, err := keys.Issue(ctx, again, r.marketing.ID, apikey.Terms{}); !fault.Is(err, fault.Missing) {
			t.Errorf("a key of somebody who left: %v", err)
		}
	})
}

// Authorize-all matches what came with a reload of the catalogue, in the
// snapshot that followed the change as in one that was read whole.
func TestAnchor_CatalogueReloadKeepsWildcards(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		r.tells(ask{path: permissionsPath, key: "root", ws: r.marketing.ID, body: `{"access_all_entities":"OPEN"}`}, 200, done)
		r.must((&catalogue.Service{Store: r.Store}).Install(t.Context(), r.Account.ID))
		whole, err := policy.NewKeeper(t.Context(), r.Store)
		r.must(err)
		all, err := r.Store.Models(t.Context(), r.Account.ID)
		r.must(err)
		n := 0
		for _, m := range all {
			if !m.Offers.Has(catalogue.Call) {
				continue
			}
			n++
			if !whole.Now().Holds(r.marketing.ID, m.ID, catalogue.Call) {
				t.Errorf("%s may not be called", m.ID)
			}
			if got := r.call(ask{path: chat, key: "admin", ws: r.marketing.ID, body: openAIBody(string(m.ID), "")}); got.status == 403 || got.header.Get("X-Bailiwick-Refused") == "model-exists" {
				t.Errorf("%s: %d %s", m.ID, got.status, got.body)
			}
		}
		if n < 50 {
			t.Errorf("only %d models", n)
		}
		r.must((&catalogue.Service{Store: r.Store}).Install(t.Context(), r.Account.ID)) // again
		r.asks("admin", r.marketing.ID, "qwen-plus", 200, "")
		r.asks("admin", r.research.ID, "qwen-plus", 403, "workspace-is-the-keys")
	})
}

// A model's id is ours and stays; what it is called at a provider, and which
// provider has it, changes nothing of what was granted.
func TestAnchor_RenameBreaksNoGrant(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		r.Grant("qwen-plain", catalogue.Call, r.marketing.ID)
		r.narrowed("narrow", r.marketing.ID, r.Root.ID, "qwen-plain")
		both := func() {
			r.t.Helper()
			r.asks("admin", r.marketing.ID, "qwen-plain", 200, "")
			r.asks("narrow", r.marketing.ID, "qwen-plain", 200, "")
			r.asks("narrow", r.marketing.ID, "qwen-turbo", 403, "key-covers-model")
		}
		both()
		other := r.Provider("Another", provider.Embedded, "").ID
		for _, p := range []struct {
			id   ident.Provider
			name string
		}{{other, "vendor/plain-2"}, {other, "vendor/plain-3"}} {
			r.must(r.Store.ReplaceServings(t.Context(), r.Account.ID, p.id, []provider.Serving{{Provider: p.id, Model: "qwen-plain", Name: p.name}}, r.Why("providers:change")))
			both()
		}
		r.must(r.Store.RenameWorkspace(t.Context(), r.Account.ID, r.marketing.ID, "Sales", 1, r.Why("workspaces:rename")))
		both()
	})
}

// Nothing is waited for and nothing started again: the call after the change is
// answered by the new model, from the same gateway.
func TestAnchor_NewModelUsableAtOnce(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		p := r.Provider("Another", provider.Embedded, "").ID
		for i := range 10 {
			id := ident.Model(fmt.Sprint("new-", i))
			r.asks("root", r.Default, string(id), 404, "model-exists")
			r.Model(id)
			r.asks("root", r.Default, string(id), 503, "model-is-served")
			r.Serve(p, id)
			r.asks("root", r.Default, string(id), 200, "")
			r.asks("admin", r.marketing.ID, string(id), 403, "workspace-authorized")
			r.Grant(id, catalogue.Call, r.marketing.ID)
			r.asks("admin", r.marketing.ID, string(id), 200, "")
		}
	})
}

// A key that was let in a moment ago lends nothing to one that begins, or ends,
// as it does.
func TestAnchor_SessionCacheFullHash(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		right := r.keys["root"]
		r.asks("root", r.Default, "qwen-plus", 200, "")
		letters := "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		for i := len("sk-ws-"); i < len(right); i++ {
			other := letters[(strings.IndexByte(letters, right[i])+1)%len(letters)]
			if right[i] == '_' {
				continue
			}
			r.keys["changed"] = right[:i] + string(other) + right[i+1:]
			r.asks("changed", r.Default, "qwen-plus", 401, "")
		}
		for _, text := range []string{right[:20], right[:len(right)-1], right + "x", right + right} {
			r.keys["changed"] = text
			r.asks("changed", r.Default, "qwen-plus", 401, "")
		}
	})
}

// Whatever stands in the headers that carry a key is compared in memory and
// reaches no database: here it is closed, and nothing fails.
func TestAnchor_AuthorizationHeaderFuzz(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		right := r.keys["admin"]
		r.must(r.Store.Close())
		r.asks("admin", r.marketing.ID, "qwen-turbo", 403, "workspace-authorized") // known keys are known
		texts := []string{"' OR 1=1 --", `'; DROP TABLE keys; --`, "%", "_", "\\", `" OR ""="`, "$1", "?", "sk-ws-' OR '1'='1", right + "' --", "\xff\xfe", strings.Repeat("x", 8000), "Bearer", "null", "{}"}
		random := rand.New(rand.NewPCG(1, 2))
		for range 3000 {
			b := make([]byte, random.IntN(120))
			for i := range b {
				b[i] = byte(random.IntN(256))
			}
			texts = append(texts, string(b))
		}
		handler := r.http.Config.Handler
		for i, text := range texts {
			for _, header := range [][2]string{{"Authorization", "Bearer " + text}, {"Authorization", text}, {"X-Api-Key", text}, {"Api-Key", text}} {
				q := httptest.NewRequestWithContext(context.Background(), "POST", chat, strings.NewReader(openAIBody("qwen-turbo", "")))
				q.Header[header[0]] = []string{header[1]}
				answer := httptest.NewRecorder()
				if handler.ServeHTTP(answer, q); answer.Code != http.StatusUnauthorized {
					body, _ := io.ReadAll(answer.Body)
					t.Fatalf("%d: %s: %q is answered %d %s", i, header[0], header[1], answer.Code, body)
				}
			}
		}
	})
}
