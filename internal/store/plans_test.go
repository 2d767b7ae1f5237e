package store_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/account"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/training"
	"bailiwick/internal/usage"
	"bailiwick/internal/workspace"
)

// A plan is slow when it reads a whole table or sorts a list that could be long.
var (
	wholeTable = regexp.MustCompile(`(?m)^SCAN|Seq Scan`)
	sorting    = regexp.MustCompile(`USE TEMP B-TREE FOR|Sort Key`)
)

// What may sort: a page's worth, or a handful.
var sortsLittle = map[string]bool{"grant matrix": true, "grants of one": true, "administrators": true, "usage sums": true, "usage sums by the hour": true, "usage of a model": true, "usage of the account": true}

func trailFilters(ws ident.Workspace, next string) map[string]account.TrailFilter {
	at := storetest.Start
	return map[string]account.TrailFilter{
		"trail": {}, "trail, next": {After: next}, "trail of one": {Workspace: ws, After: next}, "trail by actor": {Actor: "root@acme", After: next},
		"trail by action": {Action: "keys:issue", After: next}, "trail by object": {Object: "qwen-turbo", After: next},
		"trail by time": {From: at, To: at.Add(time.Hour), After: next}, "trail by text": {Text: "key", After: next},
	}
}

// trailIndexes are those that hold the lines a filter chooses together.
var trailIndexes = map[string]string{
	"trail": "audit_events_in_order", "trail of one": "audit_events_by_workspace", "trail by actor": "audit_events_by_actor",
	"trail by action": "audit_events_by_action", "trail by object": "audit_events_by_object", "trail by time": "audit_events_in_order",
}

func TestAnchor_10MUsagePage_ListsAreReadInTheOrderOfAnIndex(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := newEstate(t, s, "acme")
		ctx, a := t.Context(), e.Account.ID
		at, aCall := storetest.Start, ident.NewCall()
		// Cursors of second pages.
		_, nextWorkspace, err := s.Workspaces(ctx, a, workspace.Filter{Limit: 1})
		must(t, err)
		e.Key(e.ws.ID, secret.Pepper{})
		_, nextKey, err := s.Keys(ctx, a, apikey.Filter{Limit: 1})
		must(t, err)
		must(t, s.InsertUsage(ctx, []usage.Record{{Call: aCall, At: at, Account: a, Workspace: e.ws.ID}}))
		_, nextUsage, err := s.Usage(ctx, a, usage.Filter{Workspace: e.ws.ID}, usage.Page{Limit: 1})
		must(t, err)
		must(t, s.Note(ctx, e.Why("tries:plans")))
		line := e.Why("tries:line")
		must(t, s.Note(ctx, line))
		_, nextLine, err := s.Trail(ctx, a, account.TrailFilter{Limit: 1})
		must(t, err)

		e.Model("model-z")
		_, nextModel, err := s.GrantMatrix(ctx, a, grant.MatrixFilter{Limit: 1})
		must(t, err)
		e.Dataset(e.ws.ID)
		_, nextDataset, err := s.Datasets(ctx, e.ws.ID, dataset.Filter{Limit: 1})
		must(t, err)
		_, nextNamed, err := s.Datasets(ctx, e.ws.ID, dataset.Filter{Limit: 1, Order: dataset.ByName, Reversed: true})
		must(t, err)
		one := []ident.Workspace{e.ws.ID}
		reads := map[string]func() error{
			"workspaces": func() error { _, _, err := s.Workspaces(ctx, a, workspace.Filter{Limit: 5}); return err },
			"workspaces, next": func() error {
				_, _, err := s.Workspaces(ctx, a, workspace.Filter{Limit: 5, After: nextWorkspace})
				return err
			},
			"keys":        func() error { _, _, err := s.Keys(ctx, a, apikey.Filter{Limit: 5}); return err },
			"keys, next":  func() error { _, _, err := s.Keys(ctx, a, apikey.Filter{Limit: 5, After: nextKey}); return err },
			"keys of one": func() error { _, _, err := s.Keys(ctx, a, apikey.Filter{Limit: 5, Only: one}); return err },
			"keys of one, next": func() error {
				_, _, err := s.Keys(ctx, a, apikey.Filter{Limit: 5, Only: one, After: nextKey})
				return err
			},
			"usage": func() error {
				_, _, err := s.Usage(ctx, a, usage.Filter{Workspace: e.ws.ID}, usage.Page{Limit: 5})
				return err
			},
			"usage, next": func() error {
				_, _, err := s.Usage(ctx, a, usage.Filter{Workspace: e.ws.ID, From: at, To: at.Add(time.Hour)}, usage.Page{Limit: 5, After: nextUsage})
				return err
			},
			"usage of the account": func() error { _, _, err := s.Usage(ctx, a, usage.Filter{}, usage.Page{Limit: 5}); return err },
			"usage of a model": func() error {
				_, _, err := s.Usage(ctx, a, usage.Filter{Model: "m"}, usage.Page{Limit: 5, After: nextUsage})
				return err
			},
			"call": func() error { _, err := s.UsageCall(ctx, a, e.ws.ID, aCall, at); return err },
			"usage sums": func() error {
				_, err := s.UsageSums(ctx, a, usage.Query{Filter: usage.Filter{From: at.Truncate(24 * time.Hour)}, By: usage.ByModel, Step: usage.Day})
				return err
			},
			"usage sums by the hour": func() error {
				_, err := s.UsageSums(ctx, a, usage.Query{Filter: usage.Filter{From: at, Workspace: e.ws.ID}, By: usage.ByKey, Step: usage.Hour, Apart: []string{"k"}})
				return err
			},
			"datasets, next": func() error {
				_, _, err := s.Datasets(ctx, e.ws.ID, dataset.Filter{Limit: 5, After: nextDataset})
				return err
			},
			"datasets by name, next": func() error {
				_, _, err := s.Datasets(ctx, e.ws.ID, dataset.Filter{Limit: 5, Order: dataset.ByName, Reversed: true, After: nextNamed})
				return err
			},
			"datasets by size": func() error {
				_, _, err := s.Datasets(ctx, e.ws.ID, dataset.Filter{Limit: 5, Order: dataset.BySize})
				return err
			},
			"dataset":  func() error { _, err := s.Dataset(ctx, e.ws.ID, e.file.Dataset); return err },
			"versions": func() error { _, err := s.Versions(ctx, e.ws.ID, e.file.Dataset); return err },
			"files": func() error {
				_, _, err := s.Files(ctx, e.ws.ID, dataset.FileFilter{Limit: 5, After: e.file.ID})
				return err
			},
			"models":    func() error { _, err := s.Models(ctx, a); return err },
			"providers": func() error { _, err := s.Providers(ctx, a); return err },
			"servings":  func() error { _, err := s.Servings(ctx, a, e.provider.ID); return err },
			"grants": func() error {
				_, err := s.GrantList(ctx, a, grant.Subject{Model: e.model, Capability: catalogue.Call})
				return err
			},
			"admin keys":   func() error { _, err := s.AdminKeys(ctx, a); return err },
			"admin key":    func() error { _, err := s.AdminKeyByDigest(ctx, secret.Digest{1}); return ignoreMissing(err) },
			"grant matrix": func() error { _, _, err := s.GrantMatrix(ctx, a, grant.MatrixFilter{Limit: 5}); return err },
			"grants of one": func() error {
				_, _, err := s.GrantMatrix(ctx, a, grant.MatrixFilter{Workspace: e.ws.ID, Limit: 5, After: nextModel})
				return err
			},
			"accounts": func() error { _, err := s.AccountByAlias(ctx, "acme"); return err },
			"log-on":   func() error { _, err := s.UserByLogOn(ctx, "acme", "alice"); return err },
			"actor":    func() error { _, err := s.Actor(ctx, e.user.ID); return err },
			"remains":  func() error { _, err := s.Remains(ctx, a, e.ws.ID); return err },
			"facts":    func() error { _, err := s.Facts(ctx, 1); return err },
		}
		for name, f := range keyFilters(nextKey) {
			reads[name] = func() error { _, _, err := s.Keys(ctx, a, f); return err }
			f.Only = one
			reads[name+" of one"] = func() error { _, _, err := s.Keys(ctx, a, f); return err }
		}
		for name, f := range trailFilters(e.ws.ID, nextLine) {
			f.Limit = 5
			reads[name] = func() error { _, _, err := s.Trail(ctx, a, f); return err }
		}
		reads["line of the trail"] = func() error { _, err := s.TrailEvent(ctx, a, "", line.ID); return err }
		for name, read := range reads {
			for _, statement := range s.Reads(func() { must(t, read()) }) {
				lines, err := s.Plan(statement)
				must(t, err)
				plan := strings.Join(lines, "\n")
				what := name
				if strings.Contains(statement, "m.role =") {
					what = "administrators"
				}
				if wholeTable.MatchString(plan) || sorting.MatchString(plan) && !sortsLittle[what] {
					t.Errorf("%s:\n%s\n%s", name, statement, plan)
				}
				if index := trailIndexes[name]; !strings.Contains(plan, index) {
					t.Errorf("%s does not use %s:\n%s", name, index, plan)
				}
				if strings.HasPrefix(name, "keys of one") && !strings.Contains(plan, "keys_of_workspace") {
					t.Errorf("%s reads the keys of the whole account:\n%s", name, plan)
				}
			}
		}
	})
}

// What can be large is read alone, never with a list: the report on a training
// file, the log and the curve of a training.
func TestAnchor_BodiesNotInListQuery_ListsReadNoReports(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := newEstate(t, s, "acme")
		ctx := t.Context()
		read := strings.Join(s.Reads(func() {
			_, _, err := s.Datasets(ctx, e.ws.ID, dataset.Filter{Limit: 5})
			must(t, err)
			_, err = s.Versions(ctx, e.ws.ID, e.file.Dataset)
			must(t, err)
			_, _, _, err = s.Trainings(ctx, e.ws.ID, training.Filter{Limit: 5})
			must(t, err)
			_, _, err = s.TunedModels(ctx, e.ws.ID, training.ModelFilter{Limit: 5})
			must(t, err)
		}), "\n")
		for _, large := range []string{"report", "training_log", "training_points", `FROM "dataset_files"`, "FROM `dataset_files`"} {
			if !strings.Contains(read, "dataset_files") || strings.Contains(read, large) {
				t.Errorf("a list reads %s: %s", large, read)
			}
		}
	})
}

// keyFilters are the lists of keys that must not grow slower with the keys.
func keyFilters(after string) map[string]apikey.Filter {
	filters := map[string]apikey.Filter{}
	for _, order := range []apikey.Order{apikey.ByCreation, apikey.ByUse, apikey.ByExpiry} {
		for _, reversed := range []bool{false, true} {
			for _, cursor := range []string{"", after} {
				name := fmt.Sprintf("keys by %q, reversed %v, after %q", order, reversed, cursor)
				filters[name] = apikey.Filter{Order: order, Reversed: reversed, After: cursor, Limit: 5}
			}
		}
	}
	filters["disabled keys"] = apikey.Filter{State: apikey.Disabled, After: after, Limit: 5}
	filters["stranded keys"] = apikey.Filter{State: apikey.OwnerLeft, At: storetest.Start, After: after, Limit: 5}
	filters["expired keys"] = apikey.Filter{State: apikey.Expired, Order: apikey.ByExpiry, Reversed: true, At: storetest.Start, After: after, Limit: 5}
	return filters
}

// ignoreMissing is for reads whose plan matters and whose answer does not.
func ignoreMissing(err error) error {
	if fault.Is(err, fault.Missing) {
		return nil
	}
	return err
}
