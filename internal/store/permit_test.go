package store_test

import (
	"strings"
	"testing"

	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

func TestAWorkspaceIsPermittedSeveralModelsAtOnceOrNone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := newEstate(t, s, "acme") // its workspace may call the model
		e.Model("second")
		ctx, a, yes, no := t.Context(), e.Account.ID, true, false
		said := []string{}
		permit := func(p grant.Permit) error {
			said = nil
			return s.PermitWorkspace(ctx, a, e.ws.ID, p, "root@acme",
				func(sub grant.Subject, granted bool) audit.Event {
					said = append(said, string(sub.Model)+" "+sub.Capability.String()+map[bool]string{true: "+", false: "-"}[granted])
					return e.Why("grants:change")
				},
				func(open bool, cleared int) audit.Event {
					said = append(said, map[bool]string{true: "open", false: "close"}[open]+strings.Repeat("!", cleared))
					return e.Why("grants:change")
				})
		}
		is := func(want string, callAll bool, grants map[ident.Model]catalogue.Capabilities) {
			t.Helper()
			if got := strings.Join(said, ", "); got != want {
				t.Fatalf("it was said %q, want %q", got, want)
			}
			for _, w := range facts(t, s, 0).Workspaces {
				if w.ID != e.ws.ID {
					continue
				}
				if w.CallAll != callAll || len(w.Grants) != len(grants) {
					t.Fatalf("the policy knows %+v", w)
				}
				for m, c := range grants {
					if w.Grants.Get(m) != c {
						t.Fatalf("the policy knows %+v", w.Grants)
					}
				}
			}
		}
		call, train, deploy := catalogue.Of(catalogue.Call), catalogue.Of(catalogue.Train), catalogue.Of(catalogue.Deploy)

		list, err := s.GrantList(ctx, a, grant.Subject{Model: "second", Capability: catalogue.Train})
		must(t, err)
		must(t, permit(grant.Permit{Models: []grant.Flags{{Model: e.model, Deploy: &yes, Call: &yes}, {Model: "second", Train: &yes, Deploy: &no}}}))
		is("model-of-acme deploy+, second train+", false, map[ident.Model]catalogue.Capabilities{e.model: call | deploy, "second": train})
		_, err = s.ReplaceGrants(ctx, a, grant.Subject{Model: "second", Capability: catalogue.Train}, grant.Edit{Version: list.Version}, "root@acme", func(grant.Change) audit.Event { return e.Why("grants:change") })
		wantFault(t, err, fault.Conflict, "version")

		must(t, permit(grant.Permit{All: grant.Open}))
		is("open", true, map[ident.Model]catalogue.Capabilities{e.model: call | deploy, "second": train})
		must(t, permit(grant.Permit{All: grant.Open}))
		is("", true, map[ident.Model]catalogue.Capabilities{e.model: call | deploy, "second": train})
		must(t, permit(grant.Permit{All: grant.Close, Models: []grant.Flags{{Model: "second", Call: &yes}}}))
		is("close!, second call+", false, map[ident.Model]catalogue.Capabilities{e.model: deploy, "second": call | train})

		before := version(t, s)
		wantFault(t, permit(grant.Permit{Models: []grant.Flags{{Model: "second", Call: &no}, {Model: "no-such", Call: &yes}}}), fault.Missing, "")
		if version(t, s) != before {
			t.Fatal("half a change was kept")
		}
		err = s.PermitWorkspace(ctx, a, e.Default, grant.Permit{All: grant.Close}, "root@acme", nil, nil)
		wantFault(t, err, fault.Invalid, "")
	})
}
