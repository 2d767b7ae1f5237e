package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"bailiwick/internal/account"
	"bailiwick/internal/apikey"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
)

// Check 25 for the trail: whatever secret is made, shown or typed while the
// account is administered, no line of the trail holds it.
func TestSec25_TheTrailHoldsNoSecret(t *testing.T) { eachDatabase(t, noSecretInTrail) }

func noSecretInTrail(t *testing.T, s *store.Store, c *clock) {
	o := newCompany(t, s, c)
	ctx := t.Context()
	var secrets []string
	hide := func(text string) { secrets = append(secrets, text) }
	k, text, err := o.config.Keys.Issue(ctx, o.root, o.a, apikey.Terms{Description: "nightly"})
	o.must(err)
	hide(text.Reveal())
	_, text, err = o.config.Keys.Reset(ctx, o.root, o.a, k.ID, 0, 1)
	o.must(err)
	hide(text.Reveal())
	p, err := o.config.Providers.Add(ctx, o.root, provider.Form{Name: "vLLM", Kind: provider.OpenAI, BaseURL: "http://127.0.0.1:9/v1", Credential: secret.NewText("sk-upstream-canary-1")})
	o.must(err)
	o.must(o.config.Providers.Edit(ctx, o.root, p.ID, provider.Form{Name: "vLLM", BaseURL: "http://127.0.0.1:9/v1", Credential: secret.NewText("sk-upstream-canary-2"), Version: 1}))
	_, _, err = o.config.Providers.Test(ctx, o.root, p.ID)
	o.must(err)
	hide("sk-upstream-canary")
	u, token, err := o.config.People.Add(ctx, o.root, account.Profile{LogOn: "dora"})
	o.must(err)
	hide(token.Reveal())
	const own, given = "a sentence only dora knows", "a sentence somebody gave"
	_, err = o.config.People.Accept(ctx, token.Reveal(), secret.NewText(own), "192.0.2.9", "")
	o.must(err)
	o.must(o.config.People.GivePassword(ctx, o.root, u.ID, secret.NewText(given)))
	hide(own)
	hide(given)
	o.post("", "/logon", "account", "dora@acme", "password", given+" mistyped")
	o.post("", "/logon", "account", "dora@acme", "password", given)
	o.post("", "/logon", "account", password, "password", "typed into the wrong field")
	hide("typed into the wrong field")
	hide(password)
	for _, session := range o.cookies {
		hide(session.Value)
	}
	o.get("bob", "/account/providers?credential="+url.QueryEscape("sk-upstream-canary-3")).is(403)
	o.config.Trail.Flush()
	trail := o.get("root", "/account/audit/export?format=json").is(200).body + o.get("root", "/account/audit/export?format=csv").body
	if n := strings.Count(trail, `"action"`); n < 20 {
		t.Fatalf("only %d lines", n)
	}
	for _, text := range secrets {
		if strings.Contains(trail, text) || len(text) > 40 && strings.Contains(trail, text[8:32]) {
			t.Errorf("the trail holds %q", text)
		}
	}
	for _, lacks := range []string{`"actor_kind":""`, `"actor":""`, `"object_kind":""`, `"result":""`, `"object":""`} {
		if before, after, found := strings.Cut(trail, lacks); found {
			t.Errorf("a line lacks its %s: %s%s%.200s", lacks, before[max(0, len(before)-300):], lacks, after)
		}
	}
	if found := regexp.MustCompile(`\$argon2|sk-ws-[0-9A-Za-z]{10}`).FindString(trail); found != "" {
		t.Errorf("the trail holds %q", found)
	}
}
