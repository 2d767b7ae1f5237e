package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

func person(user ident.User, pages ...access.Page) access.Actor {
	return access.Actor{Account: account, User: user, Role: access.Regular, Address: "192.0.2.9",
		In: map[ident.Workspace]access.Membership{marketing: {Role: access.Regular, Pages: pages}}}
}

// talk makes a call of the console.
func (w *world) talk(by access.Actor, ws ident.Workspace, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	g := gateway.New(w.config)
	w.t.Cleanup(g.Close)
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer ignored")
	out := httptest.NewRecorder()
	g.ServeConsole(out, r, by, ws)
	return out
}

func TestTheConsoleCallsThroughTheSameGates(t *testing.T) {
	kept := &shelf{}
	w := newWorld(t, func(w *world) { w.config.Refusals = kept })
	bobs := person(bob, access.PagePlayground)
	got := w.talk(bobs, marketing, openAIBody("qwen-turbo", ""))
	if got.Code != 200 || !strings.Contains(got.Body.String(), `"choices"`) {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	rec := w.books.number(t, 1)
	if rec.Key != "" || rec.Member != bob || rec.Account != account || rec.Workspace != marketing || rec.Input == 0 || rec.Status != 200 {
		t.Errorf("booked %+v", rec)
	}
	streamed := w.talk(bobs, marketing, openAIBody("qwen-turbo", `,"stream":true`))
	if !strings.HasPrefix(streamed.Header().Get("Content-Type"), "text/event-stream") || !strings.Contains(streamed.Body.String(), "data: ") {
		t.Errorf("%d %s", streamed.Code, streamed.Body)
	}
	refused := w.talk(bobs, marketing, openAIBody("qwen-plus", ""))
	if refused.Code != 403 || !strings.Contains(refused.Body.String(), "Model.AccessDenied") {
		t.Errorf("%d %s", refused.Code, refused.Body)
	}
	if r := kept.last(t, 1); r.Person != bob || r.Check != policy.Granted || r.Workspace != marketing || r.Key != "" || r.Model != "qwen-plus" || r.Address.String() != "192.0.2.9" {
		t.Errorf("kept %+v", r)
	}
}

func TestTheConsoleCallsForNobodyWhoMayNot(t *testing.T) {
	w := newWorld(t, nil)
	body := openAIBody("qwen-turbo", "")
	gone := person("usr-0000000000000009", access.PagePlayground) // of the session, but not of the policy
	for name, c := range map[string]struct {
		by access.Actor
		ws ident.Workspace
	}{
		"without the page": {person(bob), marketing}, "elsewhere": {person(bob, access.PagePlayground), research},
		"nobody": {access.Actor{}, marketing}, "gone": {gone, marketing}, "missing": {access.Actor{Account: account, User: root, Role: access.Root}, "llm-0000000000000000"},
	} {
		before := w.mock.Calls()
		if got := w.talk(c.by, c.ws, body); got.Code != 403 && got.Code != 404 {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
		if w.mock.Calls() != before {
			t.Errorf("%s: a model was called", name)
		}
	}
	w.now(func(f *policy.Facts) { f.Users[1].Disabled = true })
	if got := w.talk(person(bob, access.PagePlayground), marketing, body); got.Code != 403 {
		t.Errorf("a disabled user: %d", got.Code)
	}
}
