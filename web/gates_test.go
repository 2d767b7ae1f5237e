package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/apikey"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/web"
)

// The lines of the table are proved alone here: every handler is taken away, so
// that no service behind it can refuse in their place.

// openTo are the routes for whom nobody needs to be logged on.
var openTo = []string{
	"GET /logon", "POST /logon", "GET /logon/factor", "POST /logon/factor", "POST /logon/passkey", "POST /logoff",
	"GET /setup", "POST /setup", "GET /welcome", "POST /welcome", "POST /csp", "GET /static/*",
}

// selfs is where the routes begin that somebody with a duty may use.
const selfs = "/account/security"

// pageRoutes are where the routes begin that one page allows.
var pageRoutes = map[access.Page][]string{
	access.PageKeys:        {"/workspaces/:workspace/keys", "/workspaces/:workspace/why"},
	access.PageUsage:       {"/workspaces/:workspace/usage"},
	access.PageDatasets:    {"/workspaces/:workspace/datasets"},
	access.PageTraining:    {"/workspaces/:workspace/trainings", "/workspaces/:workspace/my-models"},
	access.PageDeployments: {"/workspaces/:workspace/deployments"},
	access.PagePlayground:  {"/workspaces/:workspace/playground"},
}

// caller is one who asks: by a session, or by presenting something else.
type caller struct {
	name   string
	cookie *http.Cookie
	bearer string
	past   func(l line) bool // may they pass the gate of this line?
}

func (o *company) callers() []caller {
	o.t.Helper()
	nobody := func(l line) bool { return begins(l.route, openTo...) }
	list := []caller{{name: "nobody", past: nobody}}
	for _, ws := range []access.Page{"A", "B"} {
		at := o.a
		if ws == "B" {
			at = o.b
		}
		_, text, err := o.config.Keys.Issue(o.t.Context(), o.root, at, apikey.Terms{})
		o.must(err)
		list = append(list, caller{name: "an API key of " + string(ws), bearer: text.Reveal(), past: nobody})
	}
	for i, who := range people {
		if who == "" {
			continue
		}
		list = append(list, caller{name: who, cookie: o.cookie(who), past: func(l line) bool { return nobody(l) || l.lets(i) }})
	}
	for _, p := range access.Pages {
		who := "only-" + string(p)
		o.hire(ident.LogOn(who), access.Regular, o.a, access.Regular, []access.Page{p})
		list = append(list, caller{name: who, cookie: o.cookie(who), past: func(l line) bool {
			_, path, _ := strings.Cut(l.route, " ")
			return nobody(l) || l.lets(1) || begins(path, pageRoutes[p]...)
		}})
	}
	_, err := o.config.People.AddWithPassword(o.t.Context(), o.root, account.Profile{LogOn: "newcomer"}, secret.NewText(password))
	o.must(err)
	return append(list, caller{name: "newcomer", cookie: o.cookie("newcomer"), past: func(l line) bool {
		_, path, _ := strings.Cut(l.route, " ")
		return nobody(l) || begins(path, selfs)
	}})
}

// begins reports whether a route is one of these, or below one of them.
func begins(route string, roots ...string) bool {
	for _, r := range roots {
		if rest, is := strings.CutPrefix(route, r); is && (rest == "" || rest[0] == '/' && r != "GET /") {
			return true
		}
	}
	return false
}

// lets reports whether the matrix lets somebody past the gate: what it answers
// them then is for the handler. Where nothing of a workspace may be seen, 404 is
// the gate's.
func (l line) lets(i int) bool {
	return l.own[i] != http.StatusForbidden && !(people[i] == "bert" && strings.Contains(l.route, ":workspace") && l.own[i] == http.StatusNotFound)
}

// passes asks for a route of workspace A and reports whether the handler was reached.
func (o *company) passes(s *web.Server, l line, who caller) bool {
	o.t.Helper()
	method, _, _ := strings.Cut(l.route, " ")
	path := o.path(l.route, things{"workspace": string(o.a)})
	r := httptest.NewRequest(method, "https://console.example.com"+path, nil)
	if who.cookie != nil {
		r.AddCookie(who.cookie)
	}
	if who.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+who.bearer)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code == web.Reached
}

func same(_ string, do access.Action) access.Action { return do }

func TestSec01_EveryLineOfTheTableKeepsOutAlone(t *testing.T) { eachDatabase(t, gates) }

func gates(t *testing.T, s *store.Store, c *clock) {
	o := newCompany(t, s, c)
	for _, p := range access.Pages {
		if len(pageRoutes[p]) == 0 {
			t.Errorf("nothing says which routes the page %s allows", p)
		}
	}
	console, err := web.Gates(o.config, same)
	o.must(err)
	for _, who := range o.callers() {
		for _, l := range matrix {
			if got, want := o.passes(console, l, who), who.past(l); got != want {
				t.Errorf("%s lets %s past: %v, not %v", l.route, who.name, got, want)
			}
		}
	}
}

// weaker are actions that more people may do than an action.
var weaker = []access.Action{access.Open, access.Self, access.Enter, access.EnterWorkspace, access.ReadUsage, access.ReadKeys, access.ReadMembers, access.ReadSettings}

// TestEveryLineOfTheTableIsMissedWhenItIsWeakened puts a weaker action into one
// line of the table at a time. Whoever looks at the lines must notice.
func TestEveryLineOfTheTableIsMissedWhenItIsWeakened(t *testing.T) {
	t.Parallel()
	o := start(t)
	callers := o.callers()
	lines := map[string]line{}
	for _, l := range matrix {
		lines[l.route] = l
	}
	made, missed := 0, 0
	for _, route := range web.RoutesOf(o.server) {
		for _, less := range weaker {
			var was access.Action
			s, err := web.Gates(o.config, func(r string, do access.Action) access.Action {
				if r != route {
					return do
				}
				if was = do; !letsMore(o, r, less, do) {
					return do
				}
				return less
			})
			if !letsMore(o, route, less, was) || err != nil { // as weak, or it does not start
				continue
			}
			if made++; !o.noticed(s, lines[route], callers) {
				missed++
				t.Errorf("%s asks for %s in place of %s, and nobody notices", route, less, was)
			}
		}
	}
	t.Logf("%d of %d weaker lines were noticed", made-missed, made)
	if made < 2*len(lines) {
		t.Errorf("only %d weaker lines were made for %d routes", made, len(lines))
	}
}

func (o *company) noticed(s *web.Server, l line, callers []caller) bool {
	for _, who := range callers {
		if o.passes(s, l, who) != who.past(l) {
			return true
		}
	}
	return false
}

// letsMore reports whether the one action lets somebody past a line whom the
// other keeps out. Nobody gets past a line with a workspace who may not enter it.
func letsMore(o *company, route string, less, do access.Action) bool {
	if less == do || do == access.Open {
		return false
	}
	one := func(pages ...access.Page) access.Actor {
		return access.Actor{User: "usr-1", Role: access.Regular, In: map[ident.Workspace]access.Membership{o.a: {Role: access.Regular, Pages: pages}}}
	}
	all := []access.Actor{{}, one(), {User: "usr-1", Role: access.Super}, {User: "usr-1", Role: access.Root, Duty: access.ChangePassword},
		{User: "usr-1", Role: access.Regular, In: map[ident.Workspace]access.Membership{o.a: {Role: access.Administrator}}}}
	for _, p := range access.Pages {
		all = append(all, one(p))
	}
	for _, who := range all {
		enters := less == access.Open || !strings.Contains(route, ":workspace") || who.MayIn(o.a, access.EnterWorkspace)
		if enters && mayDo(who, o.a, less) && !mayDo(who, o.a, do) {
			return true
		}
	}
	return false
}

func mayDo(who access.Actor, ws ident.Workspace, do access.Action) bool {
	if access.Workspaced(do) {
		return who.MayIn(ws, do)
	}
	return who.May(do)
}

func TestWhoMustChangeThePasswordIsLedThereByTheLogOn(t *testing.T) {
	o := start(t)
	_, err := o.config.People.AddWithPassword(t.Context(), o.root, account.Profile{LogOn: "newcomer"}, secret.NewText(password))
	o.must(err)
	o.post("", "/logon", "account", "newcomer@acme", "password", password).to("/account/security/password")
}

// Who is not logged on is sent to log on, whatever the address names: also a
// workspace that is none, which nobody looked for yet.
func TestSec01_WhoIsNotLoggedOnLearnsNothingOfAnAddress(t *testing.T) {
	o := start(t)
	for _, id := range []string{string(o.a), "nonsense", "llm-0000000000000000"} {
		got := o.get("", "/workspaces/"+id+"/keys").is(303)
		if to := got.header.Get("Location"); !strings.HasPrefix(to, "/logon") {
			t.Errorf("%s leads to %q", id, to)
		}
	}
}
