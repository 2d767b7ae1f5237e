package web_test

import (
	"html"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
)

// keyNow is a key as it is kept.
func (o *company) keyNow(ws ident.Workspace, id ident.Key) apikey.Key {
	o.t.Helper()
	k, err := o.config.Keys.Find(o.t.Context(), o.root, ws, id)
	o.must(err)
	return k
}

// only is the one key of a workspace.
func (o *company) only(ws ident.Workspace) apikey.Key {
	o.t.Helper()
	all, _, err := o.config.Keys.List(o.t.Context(), o.root, ws, apikey.Filter{})
	o.must(err)
	if len(all) != 1 {
		o.t.Fatalf("the workspace has %d keys", len(all))
	}
	return all[0].Key
}

func TestAKeyIsNarrowedWhenItIsMade(t *testing.T) {
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	page := o.get("carol", o.at(o.a, "/keys/new")).is(200).says("Permissions", "Not authorized here", "In one year", "Never")
	if turbo, plus := strings.Index(page.body, `value="qwen-turbo"`), strings.Index(page.body, `value="qwen-plus"`); turbo < 0 || plus < turbo {
		t.Error("what the workspace may call does not come first")
	}
	o.post("carol", o.at(o.a, "/keys"), "description", "narrow", "scope", "custom", "only", "yes", "model", "qwen-turbo", "model", "qwen-plus",
		"networks", "10.0.0.0/8\r\n2001:db8::1\r\n", "expires", "date", "until", "2027-05-01").is(201)
	k := o.only(o.a)
	if !slices.Equal(k.Models, []ident.Model{"qwen-plus", "qwen-turbo"}) || !slices.Equal(k.Networks, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}) {
		t.Errorf("it is narrowed to %v from %v", k.Models, k.Networks)
	}
	if want := time.Date(2027, 5, 1, 23, 59, 59, 0, time.UTC); !k.ExpiresAt.Equal(want) {
		t.Errorf("it expires %v, not %v", k.ExpiresAt, want)
	}
	o.get("carol", o.at(o.a, "/keys/"+string(k.ID))).is(200).says("narrow", "Only 2", "Not authorized here", "10.0.0.0/8", "2001:db8::1", "carol@acme", "1 May 2027", "Never").hides("2001:db8::1/128")
}

func TestWhatNarrowsNothingDoesNotCount(t *testing.T) {
	o := start(t)
	o.post("carol", o.at(o.a, "/keys"), "scope", "all", "only", "yes", "model", "qwen-turbo", "networks", "10.0.0.1").is(201)
	if k := o.only(o.a); k.Models != nil || k.Networks != nil {
		t.Errorf("it is narrowed to %v from %v", k.Models, k.Networks)
	}
}

func TestAKeyLivesAsLongAsItsMakerSays(t *testing.T) {
	o := start(t)
	for choice, days := range map[string]int{"": 365, "365": 365, "90": 90, "30": 30, "never": 0} {
		o.post("carol", o.at(o.a, "/keys"), "expires", choice).is(201)
		k, want := o.only(o.a), time.Time{}
		if days > 0 {
			want = o.clock.Now().AddDate(0, 0, days)
		}
		if !near(k.ExpiresAt, want) {
			t.Errorf("%q expires %v, not %v", choice, k.ExpiresAt, want)
		}
		o.must(o.config.Keys.Delete(t.Context(), o.root, o.a, k.ID))
	}
}

func TestTermsThatCannotBeAreToldBesideTheirFieldAndKept(t *testing.T) {
	o := start(t)
	for _, wrong := range []struct {
		says string
		form []string
	}{
		{"at most 200 characters; this one has 201", []string{"description", strings.Repeat("x", 201)}},
		{"line 2 (\"10.0.0\"), line 4 (\"fe80::1%eth0\")", []string{"networks", "10.0.0.1\r\n10.0.0\r\n::1\r\nfe80::1%eth0"}},
		{"at most 20 addresses or ranges; these are 21", []string{"networks", networks(21)}},
		{"Choose at least one model", []string{"only", "yes"}},
		{"The expiry lies in the past", []string{"expires", "date", "until", "2026-11-01"}},
		{"Give the last day as year, month and day", []string{"expires", "date", "until", "tomorrow"}},
		{"Choose one of these lengths of time", []string{"expires", "keep"}},
	} {
		form := append([]string{"scope", "custom", "model", "qwen-plus", "model", "no such model"}, wrong.form...)
		if wrong.form[0] == "only" {
			form = []string{"scope", "custom", "only", "yes"}
		}
		page := o.post("carol", o.at(o.a, "/keys"), form...).is(422).says(wrong.says).holds(`value="custom" checked`)
		if page.holds("note bad"); strings.Count(page.body, "note bad") != 1 {
			t.Errorf("%q stands %d times", wrong.says, strings.Count(page.body, "note bad"))
		}
		for i := 1; i < len(wrong.form) && wrong.form[0] != "only"; i += 2 {
			page.says()
			if typed := strings.Split(wrong.form[i], "\r\n")[0]; !strings.Contains(page.body, typed) && wrong.form[i] != "keep" {
				t.Errorf("what was typed is lost: %.40q", typed)
			}
		}
	}
	if all, _, err := o.config.Keys.List(t.Context(), o.root, o.a, apikey.Filter{}); err != nil || len(all) > 0 {
		t.Error("a key was made all the same", err)
	}
}

func networks(n int) string {
	var lines []string
	for i := range n {
		lines = append(lines, netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}).String())
	}
	return strings.Join(lines, "\r\n")
}

func TestOfTwoWhoEditAKeyTheSecondIsToldAndLosesNothing(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.a, "the newsletter")
	path := o.at(o.a, "/keys/"+string(k.ID))
	mine := o.get("alice", path+"/edit").is(200).says("Edit API Key", "As it is: never").holds(`value="the newsletter"`)
	o.post("carol", path+"/edit", "version", "1", "description", "reports", "scope", "custom", "networks", "10.0.0.0/8", "expires", "keep").to(o.at(o.a, "/keys"))
	o.clock.pass(5 * time.Minute)
	told := o.post("alice", path+"/edit", "version", mine.field("version"), "description", "mine", "expires", "keep").is(409)
	told.says("The key was changed meanwhile.", "carol@acme changed it 5 minutes ago", "“reports”, every model, addresses in 1 range").holds(`value="mine"`)
	if now := o.keyNow(o.a, k.ID); now.Description != "reports" {
		t.Errorf("it became %q", now.Description)
	}
	o.post("alice", path+"/edit", "version", told.field("version"), "description", "mine", "expires", "keep").is(303)
	if now := o.keyNow(o.a, k.ID); now.Description != "mine" || now.Networks != nil || !now.ExpiresAt.IsZero() {
		t.Errorf("it became %+v", now)
	}
	o.get("alice", path).is(200).says("by alice@acme, a moment ago")
}

func TestAResetShowsTheNewSecretOnceAndLetsTheOldOneGoOn(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.a, "the newsletter")
	path := o.at(o.a, "/keys/"+string(k.ID))
	ask := o.get("alice", path+"/reset").is(200).says("Reset this API key?", "It was never used.", "7 days")
	o.post("alice", path+"/reset", "version", ask.field("version"), "overlap", "1000h").is(422).says("seven days is the longest")
	done := o.ask("alice", "POST", path+"/reset", url.Values{"version": {ask.field("version")}, "overlap": {"24h"}}, part).is(200)
	done.says("API key reset", "The old secret works until 21 Nov 2026", "You will not see it again").holds(`hx-target="#key-list"`, `hx-target="#key-body"`)
	if text := secretForm.FindString(done.body); text == "" || done.header.Get("Cache-Control") != "no-store" {
		t.Fatal("no secret, or a cache may keep it")
	}
	now := o.keyNow(o.a, k.ID)
	if now.Digest == k.Digest || now.Previous != k.Digest || !near(now.PreviousUntil, o.clock.Now().Add(24*time.Hour)) {
		t.Errorf("it became %+v", now)
	}
	o.post("alice", path+"/reset", "version", ask.field("version"), "overlap", "0").is(409).says("alice@acme changed it", "Reset gives it another secret all the same")
	o.get("alice", path).is(200).says("The secret before the last reset works until")
	o.clock.pass(24 * time.Hour)
	clear(o.cookies)
	if page := o.get("alice", path).is(200); strings.Contains(page.body, "before the last reset") {
		t.Error("an old secret is said to work on")
	}
}

func TestThePanelSaysWhyAKeyDoesNotWork(t *testing.T) {
	o := start(t)
	ctx, carol := t.Context(), o.actor("carol")
	k := o.key(carol, o.a, "hers")
	path := o.at(o.a, "/keys/"+string(k.ID))
	o.get("alice", path).is(200).says("Enabled", "From everywhere", "Every model the workspace may call")
	o.must(o.config.Members.Remove(ctx, o.root, o.a, carol.User, false))
	o.get("alice", path).says("Creator left", "carol@acme is no longer a member of Marketing. The key works again when they are.")
	o.get("alice", o.at(o.a, "/keys?state=owner-left")).says("hers", "Creator left")
	o.get("alice", o.at(o.a, "/keys?state=enabled")).says("No key is in this state.", "Show every key")
	o.must(o.config.Members.Seat(ctx, o.account.ID, o.a, workspace.Member{User: carol.User, Role: access.Regular, Pages: []access.Page{access.PageKeys}}))
	o.get("alice", path).says("Enabled")
	o.must(o.config.People.Disable(ctx, o.root, carol.User))
	o.get("alice", path).says("Creator disabled", "under RAM Users")
	o.must(o.config.People.Delete(ctx, o.root, carol.User))
	o.get("alice", path).says("Creator deleted", "it never works again")
	soon := o.key(o.actor("alice"), o.a, "soon over")
	o.must(o.config.Keys.Edit(ctx, o.root, o.a, soon.ID, apikey.Terms{ExpiresAt: o.clock.Now().Add(80 * time.Hour)}, 1))
	o.get("alice", o.at(o.a, "/keys/"+string(soon.ID))).says("It expires in 3 days.")
	o.clock.pass(80 * time.Hour)
	clear(o.cookies)
	o.get("alice", o.at(o.a, "/keys/"+string(soon.ID))).says("Expired", "Its time is over.")
}

func TestKeysAreSortedAndPagedBothWays(t *testing.T) {
	o := start(t)
	o.raiseKeyLimit(200)
	for range 60 {
		o.key(o.root, o.a, "one of many")
		o.clock.pass(time.Second)
	}
	o.key(o.root, o.a, "the newest")
	first := o.get("alice", o.at(o.a, "/keys")).is(200).says("1–50", "the newest").holds(`aria-sort="descending"`)
	second := o.get("alice", nextPage(t, first)).is(200).says("51–61").hides("the newest")
	if strings.Contains(second.body, ">Next</a>") {
		t.Error("there is a page behind the last one")
	}
	turned := o.get("alice", o.at(o.a, "/keys?order=turned")).is(200).hides("the newest").holds(`aria-sort="ascending"`)
	o.get("alice", nextPage(t, turned)).is(200).says("the newest")
	for _, sort := range []string{"used", "expires"} {
		page := o.get("alice", o.at(o.a, "/keys?sort="+sort)).is(200).says("1–50")
		o.get("alice", nextPage(t, page)).is(200).says("51–61")
	}
	o.get("alice", o.at(o.a, "/keys?sort=colour")).is(422)
	o.get("alice", o.at(o.a, "/keys?state=blue")).is(422)
}

func TestTheAccountsKeysAreNarrowedAndKeepTheirPlaceBehindAPanel(t *testing.T) {
	o := start(t)
	k := o.key(o.root, o.a, "the newsletter")
	o.key(o.root, o.b, "the archive")
	o.must(o.config.Keys.Disable(t.Context(), o.root, o.a, k.ID))
	list := o.get("root", "/account/keys?state=disabled").is(200).says("the newsletter").hides("the archive")
	panel := o.at(o.a, "/keys/"+string(k.ID)+"?from=account&state=disabled")
	list.holds(strings.ReplaceAll(panel, "&", "&amp;"))
	page := o.get("root", panel).is(200).says("Since 20 Nov 2026", "Workspace").hides("the archive")
	page.holds(`data-back="/account/keys?state=disabled"`)
	behind := map[string]string{"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "https://console.example.com" + panel}
	done := o.ask("root", "POST", o.at(o.a, "/keys/"+string(k.ID)+"/enable?from=account"), nil, behind).is(200)
	done.says("API key enabled", "No key is in this state.").hides("the archive")
	o.ask("root", "POST", o.at(o.a, "/keys/"+string(k.ID)+"/delete?from=account"), nil, behind).is(200)
	if to := o.ask("root", "POST", o.at(o.b, "/keys/"+string(o.key(o.root, o.b, "x").ID)+"/delete"), nil, part); to.header.Get("HX-Redirect") != "" {
		t.Error("a list without a panel is loaded again")
	}
}

// near reports whether two times are the same but for the clock's ticks.
func near(a, b time.Time) bool { return a.Sub(b).Abs() < time.Second }

// raiseKeyLimit lets the workspaces of the company hold more keys.
func (o *company) raiseKeyLimit(n int) {
	o.t.Helper()
	a, err := o.config.Accounts.Current(o.t.Context(), o.root)
	o.must(err)
	a.Settings.KeyLimit = n
	o.must(o.config.Accounts.ChangeSettings(o.t.Context(), o.root, a.Settings, a.Version))
}

// nextPage is where the link to the next page leads.
func nextPage(t *testing.T, a *answer) string {
	t.Helper()
	found := regexp.MustCompile(`href="([^"]*)"[^>]*>Next</a>`).FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("%s has no next page", a.what)
	}
	return html.UnescapeString(found[1])
}
