package web_test

import (
	"html"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/store/storetest"
)

// canary is a word that stands in everything of a workspace.
const canary = "Zyzzyva"

// addresses are the places of this server that a page leads to. A page may be
// long, and there are thousands of them: a pattern would take most of the time.
func addresses(page string) (found []string) {
	for {
		_, rest, more := strings.Cut(page, `="/`)
		if !more {
			return found
		}
		before := page[:len(page)-len(rest)-len(`="/`)]
		at, after, _ := strings.Cut(rest, `"`)
		for _, name := range []string{"href", "action", "hx-get"} {
			if strings.HasSuffix(before, name) {
				found = append(found, html.UnescapeString("/"+at))
				break
			}
		}
		page = after
	}
}

// crawl opens every page that somebody can reach by links and opening forms,
// and calls look for each.
func (o *company) crawl(who string, look func(*answer)) (pages int) {
	seen := map[string]bool{}
	for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
		path := queue[0]
		if seen[path] || strings.HasPrefix(path, "/static/") {
			continue
		}
		seen[path] = true
		a := o.get(who, path)
		if to := a.header.Get("Location"); to != "" {
			queue = append(queue, to)
		}
		look(a)
		queue = append(queue, addresses(a.body)...)
	}
	return len(seen)
}

func TestSec05_NothingOfAnotherWorkspaceIsEverShown(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.add(canary + " plans")
	o.authorize("qwen-turbo", catalogue.Call, b)
	k := o.key(o.root, b, canary+" key")
	o.called(b, k.ID, ident.Model(canary+"-model"), 3)
	o.key(o.root, o.a, "of Marketing")
	o.dataset(o.root, o.a)
	o.deployment(o.root, o.a)
	o.training(o.root, o.a)
	o.tuned(o.root, o.a)
	job, own := o.training(o.root, b), o.tuned(o.root, b)
	o.must(o.config.Trainings.Rename(t.Context(), o.root, b, ident.Tuned(own), canary+" model", 1))
	o.must(o.store.InsertDeployment(t.Context(), b, storetest.Draft(o.account.ID, o.root.User, b, o.engine(o.root), "qwen-turbo", canary+"-deployed"), 9, o.root.Event("deployments:create", b, canary, canary)))
	_, err := o.config.Datasets.Upload(t.Context(), o.root, b, dataset.New{Name: canary + " data"}, strings.NewReader(strings.ReplaceAll(someExamples(12), "number", canary)))
	o.must(err)
	for _, who := range []string{"alice", "bob", "carol"} {
		pages := o.crawl(who, func(a *answer) {
			a.hides(canary, string(b), string(k.ID), job, own)
			if a.status >= 400 && a.status != 405 { // a form that is posted
				t.Errorf("%s leads %s to %d", a.what, who, a.status)
			}
		})
		if pages < 20 {
			t.Errorf("only %d pages were found for %s", pages, who)
		}
	}
}

func TestSec05_NothingOfAnotherCompanyIsEverShown(t *testing.T) {
	t.Parallel()
	o := start(t)
	_, root, home := o.open(canary, "zyzzyva")
	p, err := o.config.Providers.Add(t.Context(), root, provider.Form{Name: canary, Kind: provider.Embedded})
	o.must(err)
	o.must(o.config.Providers.Import(t.Context(), root, p.ID, []provider.Serving{{Name: canary}}))
	o.key(root, home, canary)
	before := o.version()
	var wrong []string
	o.crawl("root", func(a *answer) {
		if a.hides(canary, string(home), string(p.ID)); a.status >= 400 && a.status != 405 {
			wrong = append(wrong, a.what)
		}
	})
	if len(wrong) > 0 {
		t.Errorf("links lead nowhere: %v", slices.Compact(wrong))
	}
	if o.version() != before {
		t.Error("looking around changed something")
	}
}
