package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
)

// willing is a provider that answers everything, and says whether it was asked.
type willing struct{ asked bool }

func (p *willing) Call(context.Context, provider.Request) (*provider.Answer, error) {
	p.asked = true
	const text = `{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"x"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`
	return &provider.Answer{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Length: int64(len(text)), Body: io.NopCloser(strings.NewReader(text))}, nil
}
func (p *willing) Has(path string) bool                     { return path == "chat/completions" }
func (p *willing) Models(context.Context) ([]string, error) { return nil, nil }

// attempt is one call as somebody might make it.
type attempt struct {
	key                string // its name
	header, path, host ident.Workspace
	model              ident.Model
	dialect            int
}

// obvious says whether a call is let through, slowly and from the facts alone.
func (w *world) obvious(a attempt) bool {
	i := slices.IndexFunc(w.facts.Keys, func(k policy.Key) bool { return k.Digest == w.pepper.Digest(w.keys[a.key]) })
	if i < 0 {
		return false
	}
	k := w.facts.Keys[i]
	if k.Disabled || !k.Expires.IsZero() && !time.Now().Before(k.Expires) {
		return false
	}
	u := slices.IndexFunc(w.facts.Users, func(u policy.User) bool { return u.ID == k.Owner })
	own := slices.IndexFunc(w.facts.Workspaces, func(x policy.Workspace) bool { return x.ID == k.Workspace })
	if u < 0 || w.facts.Users[u].Disabled || !w.facts.Users[u].Everywhere && !slices.Contains(w.facts.Workspaces[own].Members, k.Owner) {
		return false
	}
	at := k.Workspace
	named := false
	for _, name := range []ident.Workspace{a.header, a.path, a.host} {
		if name == "" {
			continue
		}
		if named && name != at {
			return false
		}
		at, named = name, true
	}
	ws := slices.IndexFunc(w.facts.Workspaces, func(x policy.Workspace) bool { return x.ID == at })
	if ws < 0 || at != k.Workspace && !(w.facts.Users[u].Root && k.Workspace == home) {
		return false
	}
	if !named && at != home && w.facts.Accounts[0].NameWorkspace {
		return false
	}
	if len(k.Terms().Networks) > 0 && !slices.ContainsFunc(k.Terms().Networks, func(p netip.Prefix) bool { return p.Contains(netip.MustParseAddr("192.0.2.1")) }) {
		return false
	}
	m := slices.IndexFunc(w.facts.Models, func(m policy.Model) bool { return m.ID == a.model })
	if m < 0 || !w.facts.Models[m].Offers.Has(catalogue.Call) || len(k.Terms().Models) > 0 && !slices.Contains(k.Terms().Models, a.model) {
		return false
	}
	x := w.facts.Workspaces[ws]
	return (x.Default || x.CallAll || x.Grants.Get(a.model).Has(catalogue.Call)) && len(w.facts.Models[m].Servings) > 0
}

// unsettle changes something that calls depend on.
func (w *world) unsettle(r *rand.Rand) {
	some := func(n int) bool { return r.IntN(n) == 0 }
	w.now(func(f *policy.Facts) {
		ws, k, m := &f.Workspaces[1+r.IntN(2)], &f.Keys[r.IntN(len(f.Keys))], &f.Models[r.IntN(4)]
		switch r.IntN(9) {
		case 0, 1:
			grants := map[ident.Model]catalogue.Capabilities{}
			for _, m := range f.Models {
				grants[m.ID] = catalogue.Capabilities(r.IntN(8))
			}
			ws.Grants = policy.PairsOf(grants)
		case 2:
			ws.CallAll = some(3)
		case 3:
			if ws.Members = nil; !some(6) {
				ws.Members = []ident.User{bob}
			}
		case 4:
			f.Users[1].Disabled = some(9)
		case 5:
			k.Disabled = some(6)
		case 6:
			k.Rare = &policy.Rare{}
			if some(2) {
				k.Rare.Models = []ident.Model{"qwen-turbo", "qwen-aliased"}
			}
			if some(3) {
				k.Rare.Networks = []netip.Prefix{netip.MustParsePrefix([]string{"192.0.2.0/24", "10.0.0.0/8"}[r.IntN(2)])}
			}
		case 7:
			f.Accounts[0].NameWorkspace = some(2)
		case 8:
			if m.Offers = 0; !some(3) {
				m.Offers = catalogue.Of(catalogue.All...)
			}
			if m.Servings = nil; !some(4) {
				m.Servings = []policy.Serving{{Provider: upstream, Name: "x"}}
			}
		}
	})
}

// What reaches a provider, what lists show, what the gallery marks as authorized
// and what the explainer says are the same, and are what a slow reading of the
// facts gives: in every dialect, and whichever way the workspace is named.
func TestGatewayListsGalleryAndExplainerAgreeWithASlowObviousReference(t *testing.T) {
	cases := 10_000
	if n, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		cases *= n
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	w := newWorld(t, nil)
	p := &willing{}
	w.config.Open = func(provider.Provider) (provider.Server, error) { return p, nil }
	g := gateway.New(w.config)
	defer g.Close()
	w.keys["none"], w.keys["nothing"] = "sk-ws-nothing", ""
	ends := map[policy.Check]int{}
	for i := range cases {
		if i%10 == 0 {
			w.unsettle(r)
		}
		a, q := w.drawn(r, ends)
		want := w.obvious(a)
		p.asked = false
		answer := w.attempt(g, a, "")
		if p.asked != want || (answer.Code == 200) != want {
			t.Fatalf("%+v was answered %d %s; asked %v, the reference says %v", a, answer.Code, answer.Body, p.asked, want)
		}
		e := w.keeper.Now().Explain(q)
		if e.Allowed() != want {
			t.Fatalf("%+v: the explainer says %v, the reference %v", a, e.Refused, want)
		}
		ends[e.Refused]++
		w.listsAgree(t, g, a, q)
		w.books.list, w.books.begun = nil, nil
	}
	if ends[policy.Nothing] < cases/10 {
		t.Errorf("only %d of %d were let through: the test reaches too little", ends[policy.Nothing], cases)
	}
	for c := policy.KeyPresented; c <= policy.IsServed; c++ {
		if n := ends[c]; n < cases/30 || n > cases/10 {
			t.Errorf("check %d refused %d of %d: not about as often as the others", c, n, cases)
		}
	}
	t.Logf("%d calls ended at %v", cases, ends)
}

// share is how much of all calls ends at a check, to that of another: the calls
// that are let through are to be a fifth.
func share(n int, end policy.Check) int {
	if end == policy.Nothing {
		return n / 4
	}
	return n
}

// drawn is, of many calls that somebody might make, the one that ends where the
// fewest have ended so far, since some ends are rare and the world does not allow
// each at any time. Where a call ends is the policy's word, which is good enough to
// choose by: what is chosen is compared with the others all the same.
func (w *world) drawn(r *rand.Rand, ends map[policy.Check]int) (best attempt, asks policy.Question) {
	now, at, digests := w.keeper.Now(), time.Now(), map[string]secret.Digest{}
	least := math.MaxInt
	for range 200 {
		a := anyhow(r)
		digest, known := digests[a.key]
		if !known {
			digest = w.pepper.Digest(w.keys[a.key])
			digests[a.key] = digest
		}
		q := policy.Question{Presented: a.key != "nothing", Digest: digest, Header: string(a.header), Path: string(a.path), Host: string(a.host),
			Address: netip.MustParseAddr("192.0.2.1"), At: at, Model: a.model, Capability: catalogue.Call}
		if end := now.Decide(q).Refused; share(ends[end], end) < least {
			least, best, asks = share(ends[end], end), a, q
		}
	}
	return best, asks
}

// anyhow is a call as somebody might make it.
func anyhow(r *rand.Rand) attempt {
	keys := []string{"marketing", "marketing", "research", "root", "disabled", "expired", "stranger", "elsewhere", "narrow", "none", "nothing"}
	names := []ident.Workspace{"", "", marketing, marketing, research, home, "llm-0000000000000000"}
	models := []ident.Model{"qwen-turbo", "qwen-turbo", "qwen-plus", "qwen-aliased", "qwen-orphan", "qwen-mute", "no-such"}
	a := attempt{key: keys[r.IntN(len(keys))], model: models[r.IntN(len(models))], dialect: r.IntN(3), path: names[r.IntN(len(names))]}
	if r.IntN(3) == 0 {
		a.header = names[r.IntN(len(names))]
	}
	if r.IntN(6) == 0 {
		a.host = names[r.IntN(len(names))]
	}
	if r.IntN(2) == 0 { // as those call who mean to
		a.header, a.host = "", ""
		a.path = map[string]ident.Workspace{"research": research, "root": home}[a.key]
		if a.path == "" {
			a.path = marketing
		}
	}
	return a
}

// attempt makes the call, or asks for a list in place of it.
func (w *world) attempt(g *gateway.Gateway, a attempt, list string) *httptest.ResponseRecorder {
	path := [...]string{chat, messages, generation}[a.dialect]
	body := [...]string{openAIBody(string(a.model), ""), anthropicBody(string(a.model), ""), nativeBody(string(a.model), "")}[a.dialect]
	method := "POST"
	if list != "" {
		path, body, method = list, "", "GET"
	}
	if a.path != "" {
		path = "/w/" + string(a.path) + path
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "models.example.com"
	if a.host != "" {
		r.Host = string(a.host) + "." + r.Host
	}
	if key := w.keys[a.key]; key != "" {
		r.Header.Set("x-api-key", key)
	}
	if a.header != "" {
		r.Header.Set("X-DashScope-WorkSpace", string(a.header))
	}
	answer := httptest.NewRecorder()
	g.ServeHTTP(answer, r)
	return answer
}

// listsAgree compares the list of models with what calls of each would get, up
// to whether a provider serves it, and the gallery's marks with both.
func (w *world) listsAgree(t *testing.T, g *gateway.Gateway, a attempt, q policy.Question) {
	answer := w.attempt(g, a, "/v1/models")
	var list struct{ Data []struct{ ID ident.Model } }
	if answer.Code == 200 {
		if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
	}
	q.Model, q.Capability = "", 0
	where := w.keeper.Now().Decide(q)
	if (answer.Code == 200) != where.Allowed() {
		t.Fatalf("%+v: a list is answered %d, the decision is %v", a, answer.Code, where.Refused)
	}
	listed := map[ident.Model]bool{}
	for _, m := range list.Data {
		listed[m.ID] = true
	}
	for _, m := range w.facts.Models {
		if m.ID == "text-embedding" || m.ID == "text-rerank" || m.ID == "qwen-vl" {
			continue // asked for other things than chat
		}
		b := a
		b.model = m.ID
		may := w.obvious(b)
		if len(m.Servings) > 0 && listed[m.ID] != may {
			t.Fatalf("%+v: %s is listed %v, and a call would be let through: %v", a, m.ID, listed[m.ID], may)
		}
		if !where.Allowed() || len(where.Key.Terms().Models) > 0 || len(m.Servings) == 0 {
			continue
		}
		if marked := w.keeper.Now().Holds(where.Workspace.ID, m.ID, catalogue.Call); marked != may {
			t.Fatalf("%+v: the gallery marks %s %v, and a call would be let through: %v", a, m.ID, marked, may)
		}
	}
}
