package adminapi_test

import (
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/adminapi"
	"bailiwick/internal/ident"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// The gate is proved alone here: no operation is run, so that no service can
// refuse in its place. Admin keys belong to root and super administrators; the
// others come along for the day when somebody's role changes while they call.

// standing is somebody, and the operations that the gate lets them ask for.
type standing struct {
	name   string
	by     access.Actor
	passes func(id string) bool
}

func (w *world) standings() []standing {
	w.t.Helper()
	in := func(role access.Role, pages ...access.Page) access.Actor {
		by, err := w.store.Actor(w.t.Context(), w.ours.bob.ID)
		w.must(err)
		by.In = map[ident.Workspace]access.Membership{w.ours.ws.ID: {Role: role, Pages: pages}}
		return by
	}
	root, err := w.store.Actor(w.t.Context(), w.ours.Root.ID)
	w.must(err)
	super, err := w.store.Actor(w.t.Context(), w.ours.boss.ID)
	w.must(err)
	newcomer, stranger := super, in(access.Regular)
	newcomer.Duty, stranger.In = access.ChangePassword, nil
	anybody := strings.Fields("getSelf listAllKeys listWorkspaces")
	member := append(anybody, "getWorkspace")
	keys := append(member, strings.Fields("listKeys issueKey getKey changeKey disableKey enableKey resetKey deleteKey")...)
	all := append(keys, strings.Fields("listMembers addMember getMember putMember removeMember")...)
	these := func(ids ...string) func(string) bool {
		return func(id string) bool { return slices.Contains(ids, id) }
	}
	return []standing{
		{"root", root, func(string) bool { return true }},
		{"a super administrator", super, func(id string) bool { return id != "listProviders" && id != "getProvider" }},
		{"an administrator of the workspace", in(access.Administrator), these(all...)},
		{"a member with the page of keys", in(access.Regular, access.PageKeys), these(keys...)},
		{"a member with the page of usage", in(access.Regular, access.PageUsage), these(member...)},
		{"a member without a page", in(access.Regular), these(member...)},
		{"one who belongs to no workspace", stranger, these(anybody...)},
		{"one who must change the password", newcomer, these()},
		{"nobody", access.Actor{}, these()},
	}
}

func TestSec01_TheGateOfTheManagementAPIKeepsOutAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		for _, who := range w.standings() {
			for _, o := range adminapi.Operations() {
				if err := adminapi.Admit(w.server, o.ID, who.by, w.ours.ws.ID); (err == nil) != who.passes(o.ID) {
					t.Errorf("%s by %s: %v", o.ID, who.name, err)
				}
			}
		}
	})
}
