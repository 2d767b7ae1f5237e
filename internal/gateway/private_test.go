package gateway_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
)

// What a workspace deployed, under its public name and under the provider's.
const (
	ownBase  = "qwen-turbo-fast"
	ownTuned = "qwen-turbo-coffee-ft-202611280900-1c7f"
	bwBase   = "bw-baseaaaaaaaaaaaaaaaaaaaaaaaaa"
	bwTuned  = "bw-tunedaaaaaaaaaaaaaaaaaaaaaaaa"
)

// withOwn is a world in which Marketing deployed qwen-turbo and a model tuned from it.
func withOwn(t *testing.T) *world {
	w := newWorld(t, func(w *world) {
		for name, d := range map[string]struct {
			calls string
			needs catalogue.Capability
		}{ownBase: {bwBase, catalogue.Deploy}, ownTuned: {bwTuned, catalogue.Train}} {
			m := model(name, "TG")
			m.Workspace, m.Base, m.Needs, m.Servings[0].Name = marketing, "qwen-turbo", d.needs, d.calls
			w.facts.Models = append(w.facts.Models, m)
		}
		w.facts.Models[0].Offers = catalogue.Of(catalogue.All...)
		w.hold(catalogue.Of(catalogue.Train, catalogue.Deploy))
		w.key("own", marketing, bob, func(k *policy.Key) { k.Rare = &policy.Rare{Models: []ident.Model{ownTuned}} })
	})
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
		if !strings.HasSuffix(r.Path, "/chat/completions") {
			return mockserver.Missing()
		}
		return mockserver.Chat{Words: []string{"from", " ", "ours"}}.Answer(r) // it calls the model what it was called
	})
	return w
}

// hold makes these the rights that Marketing holds of qwen-turbo.
func (w *world) hold(c catalogue.Capabilities) {
	w.facts.Workspaces = slices.Clone(w.facts.Workspaces) // the snapshot that calls read keeps its own
	ws := &w.facts.Workspaces[1]
	ws.Grants = ws.Grants.With("qwen-turbo", c)
}

// asked is every way to ask a model, whole and as streams.
func asked(model string) map[string]ask {
	all := map[string]ask{}
	for _, stream := range []bool{false, true} {
		for name, a := range spoken(stream) {
			a.body = strings.ReplaceAll(a.body, "qwen-turbo", model)
			if stream {
				name += " streamed"
			}
			all[name] = a
		}
	}
	return all
}

func TestADeploymentAnswersInEveryDialectUnderItsPublicName(t *testing.T) {
	w := withOwn(t)
	n := 0
	for _, model := range []string{ownBase, ownTuned} {
		for name, a := range asked(model) {
			got := w.call(a)
			if n++; got.status != 200 || !strings.Contains(got.body, "ours") || strings.Contains(got.body, "bw-") {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
			if r := w.books.number(t, n); string(r.Model) != model || r.Workspace != marketing || r.Cost != 0 {
				t.Errorf("%s is booked as %+v", name, r)
			}
			if sent := string(w.mock.Last().Body); !strings.Contains(sent, `"model":"bw-`) || strings.Contains(sent, model) {
				t.Errorf("%s: the provider got %s", name, sent)
			}
		}
	}
}

// answersAlike makes sure that two names are answered alike, but for the names.
func (w *world) answersAlike(t *testing.T, key string, ws ident.Workspace, one, other string) {
	t.Helper()
	ways := asked(other)
	for name, a := range asked(one) {
		b := ways[name]
		a.key, a.ws, b.key, b.ws = key, ws, key, ws
		first, second := w.call(a), w.call(b)
		if first.status != http.StatusNotFound || first.status != second.status || strings.ReplaceAll(first.said(), one, "X") != strings.ReplaceAll(second.said(), other, "X") {
			t.Errorf("%s: %d %s, and of what never was: %d %s", name, first.status, first.said(), second.status, second.said())
		}
	}
}

func TestADeploymentDoesNotExistAnywhereElse(t *testing.T) {
	w := withOwn(t)
	for _, model := range []string{ownBase, ownTuned} {
		w.answersAlike(t, "research", research, model, "qwen-never-was")
		w.answersAlike(t, "root", home, model, "qwen-never-was")
		w.answersAlike(t, "root", research, model, "qwen-never-was")
	}
	for _, name := range []string{bwBase, bwTuned} { // and its name at the provider nowhere, not even at home
		w.answersAlike(t, "marketing", marketing, name, "bw-neverrrrrrrrrrrrrrrrrrrrrrrr")
	}
	if w.mock.Calls() != 0 {
		t.Error("a provider was asked")
	}
	lists := map[string][]string{"openai": {"/v1/models"}, "anthropic": {"/apps/anthropic/v1/models"}, "native": {"/api/v1/models?page_size=100", "/api/v1/models?supports=inference&page_size=100"}}
	for dialect, paths := range lists {
		for _, path := range paths {
			for key, ws := range map[string]ident.Workspace{"marketing": marketing, "research": research, "root": home, "own": marketing} {
				got := w.call(ask{path: path, key: key, ws: ws})
				for _, model := range []string{ownBase, ownTuned} {
					want := ws == marketing && (key == "marketing" || model == ownTuned)
					if got.status != 200 || strings.Contains(got.body, `"`+model+`"`) != want || strings.Contains(got.body, "bw-") {
						t.Errorf("%s for %s: %d %s", dialect+" "+path, key, got.status, got.body)
					}
				}
			}
		}
	}
	for _, path := range []string{"/v1/models/" + ownTuned, "/apps/anthropic/v1/models/" + ownTuned} {
		if got := w.call(ask{path: path, key: "marketing", ws: marketing}); got.status != 200 {
			t.Errorf("%s at home: %d %s", path, got.status, got.body)
		}
		if got := w.call(ask{path: path, key: "research", ws: research}); got.status != 404 {
			t.Errorf("%s elsewhere: %d %s", path, got.status, got.body)
		}
	}
	permissions := w.call(ask{path: "/api/v1/models/permissions?page_size=100", key: "root", ws: research})
	if strings.Contains(permissions.body, ownTuned) {
		t.Errorf("permissions of another workspace tell of it: %s", permissions.body)
	}
}

func TestAKeysScopeNamesDeploymentsAndCoversNoMore(t *testing.T) {
	w := withOwn(t)
	for model, want := range map[string]int{ownTuned: 200, ownBase: 403, "qwen-turbo": 403} {
		for name, a := range asked(model) {
			a.key = "own"
			if got := w.call(a); got.status != want {
				t.Errorf("%s of %s: %d %s", name, model, got.status, got.body)
			}
		}
	}
}

func TestWithdrawingTheRightShutsADeploymentAtTheNextRequest(t *testing.T) {
	w := withOwn(t)
	statuses := func(model string, want int) {
		t.Helper()
		for name, a := range asked(model) {
			got := w.call(a)
			if got.status != want || want == 403 && !strings.Contains(strings.ToLower(got.body), "access") && !strings.Contains(got.body, "permission") {
				t.Errorf("%s of %s: %d %s", name, model, got.status, got.body)
			}
		}
	}
	statuses(ownTuned, 200)
	w.now(func(*policy.Facts) { w.hold(catalogue.Of(catalogue.Call, catalogue.Deploy)) })
	statuses(ownTuned, 403) // calling the base does not open what was tuned from it
	statuses(ownBase, 200)
	w.now(func(*policy.Facts) { w.hold(catalogue.Of(catalogue.Train)) })
	statuses(ownTuned, 200)
	statuses(ownBase, 403)
	w.now(func(f *policy.Facts) {
		for i := range f.Models {
			if f.Models[i].ID == ownTuned {
				f.Models[i].Servings = nil // stopped
			}
		}
	})
	statuses(ownTuned, 503)
	w.now(func(f *policy.Facts) {
		f.Gone.Models = []policy.ModelOf{{Account: account, Model: ownTuned}}
		for i := range f.Models {
			if f.Models[i].ID == ownTuned {
				f.Models = append(f.Models[:i], f.Models[i+1:]...)
				break
			}
		}
	})
	statuses(ownTuned, 404)
}

// Under load too: once the withdrawal is answered, no call that begins is let in.
func TestWithdrawingTheRightShutsADeploymentUnderLoad(t *testing.T) {
	w := withOwn(t)
	var callers sync.WaitGroup
	var shut sync.Map
	stop := make(chan struct{})
	for range 8 {
		callers.Go(func() {
			a := spoken(false)["openai"]
			a.body = openAIBody(ownTuned, "")
			for {
				_, closed := shut.Load("shut")
				got := w.call(a)
				if closed && got.status == 200 {
					t.Error("a call that began after the withdrawal was answered")
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for w.mock.Calls() < 50 {
		time.Sleep(time.Millisecond)
	}
	w.now(func(*policy.Facts) { w.hold(catalogue.Of(catalogue.Call)) })
	shut.Store("shut", true)
	for range 50 {
		a := spoken(false)["openai"]
		a.body = openAIBody(ownTuned, "")
		if got := w.call(a); got.status != 403 {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	close(stop)
	callers.Wait()
}

func TestADeploymentsOwnLimitIsItsWorkspaces(t *testing.T) {
	w := withOwn(t)
	w.now(func(f *policy.Facts) {
		for i := range f.Models {
			if f.Models[i].ID == ownTuned {
				f.Models[i].Limit = catalogue.Limit{Requests: 2, RequestPeriod: 60}
			}
		}
	})
	a := spoken(false)["openai"]
	a.body = openAIBody(ownTuned, "")
	for i, want := range []int{200, 200, 429} {
		if got := w.call(a); got.status != want || want == 429 && !strings.Contains(got.header.Get("X-Bailiwick-Check")+got.body, "workspace") {
			t.Errorf("call %d: %d %v %s", i+1, got.status, got.header, got.body)
		}
	}
}
