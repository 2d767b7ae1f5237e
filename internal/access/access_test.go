package access_test

import (
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

const (
	a ident.Workspace = "llm-aaaaaaaaaaaaaaaa"
	b ident.Workspace = "llm-bbbbbbbbbbbbbbbb"
)

func member(role access.Role, pages ...access.Page) access.Actor {
	return access.Actor{Account: "acc-1", User: "usr-1", Role: access.Regular, In: map[ident.Workspace]access.Membership{a: {Role: role, Pages: pages}}}
}

var actors = map[string]access.Actor{
	"anonymous":     {},
	"none":          member(access.Regular),
	"keys":          member(access.Regular, access.PageKeys),
	"usage":         member(access.Regular, access.PageUsage),
	"playground":    member(access.Regular, access.PagePlayground),
	"datasets":      member(access.Regular, access.PageDatasets),
	"training":      member(access.Regular, access.PageTraining),
	"deployments":   member(access.Regular, access.PageDeployments),
	"administrator": member(access.Administrator),
	"super":         {Account: "acc-1", User: "usr-1", Role: access.Super},
	"root":          {Account: "acc-1", User: "usr-1", Role: access.Root},
}

// everywhere lists who may do an action of the account.
var everywhere = map[access.Action]string{
	access.Open:            "anonymous none keys usage playground datasets training deployments administrator super root",
	access.Self:            "none keys usage playground datasets training deployments administrator super root",
	access.Enter:           "none keys usage playground datasets training deployments administrator super root",
	access.ListWorkspaces:  "none keys usage playground datasets training deployments administrator super root",
	access.AddWorkspace:    "super root",
	access.RenameWorkspace: "super root",
	access.DeleteWorkspace: "super root",
	access.ReadGrants:      "super root",
	access.ChangeGrants:    "super root",
	access.ReadSettings:    "super root",
	access.ChangeSettings:  "super root",
	access.ReadUsers:       "super root",
	access.ChangeUsers:     "super root",
	access.ReadAudit:       "super root",
	access.ReadAdminKeys:   "super root",
	access.ChangeAdminKeys: "super root",
	access.VerifyAudit:     "super root",
	access.ChangeLimits:    "super root",
	access.ChangePrices:    "super root",
	access.ReadAllUsage:    "super root",
	access.ReadProviders:   "root",
	access.ChangeProviders: "root",
}

// inside lists who may do an action in workspace A, where the members belong.
var inside = map[access.Action]string{
	access.EnterWorkspace:    "none keys usage playground datasets training deployments administrator super root",
	access.ReadModels:        "none keys usage playground datasets training deployments administrator super root",
	access.ReadKeys:          "keys administrator super root",
	access.UsePlayground:     "playground administrator super root",
	access.IssueKeys:         "keys administrator super root",
	access.ChangeKeys:        "keys administrator super root",
	access.ReadDatasets:      "datasets administrator super root",
	access.ChangeDatasets:    "datasets administrator super root",
	access.ReadTrainings:     "training administrator super root",
	access.ChangeTrainings:   "training administrator super root",
	access.ReadDeployments:   "deployments administrator super root",
	access.ChangeDeployments: "deployments administrator super root",
	access.ReadUsage:         "usage administrator super root",
	access.ReadID:            "administrator super root",
	access.ReadMembers:       "administrator super root",
	access.ChangeMembers:     "administrator super root",
	access.ReadTrail:         "administrator super root",
	access.ReadLimits:        "administrator super root",
}

func listed(list, name string) bool {
	for word := range words(list) {
		if word == name {
			return true
		}
	}
	return false
}

func words(list string) func(func(string) bool) {
	return func(yield func(string) bool) {
		begin := 0
		for i := 0; i <= len(list); i++ {
			if i == len(list) || list[i] == ' ' {
				if !yield(list[begin:i]) {
					return
				}
				begin = i + 1
			}
		}
	}
}

func TestWhoMayDoWhatInTheAccount(t *testing.T) {
	for action, list := range everywhere {
		for name, actor := range actors {
			if got := actor.May(action); got != listed(list, name) {
				t.Errorf("%s, %s: %v", name, action, got)
			}
			if (actor.Require(action) == nil) != actor.May(action) {
				t.Errorf("%s, %s: Require and May differ", name, action)
			}
			if _, workspaced := inside[action]; !workspaced && actor.MayIn(a, action) {
				t.Errorf("%s may do %s, an action of the account, in a workspace", name, action)
			}
		}
	}
}

func TestWhoMayDoWhatInAWorkspace(t *testing.T) {
	for action, list := range inside {
		for name, actor := range actors {
			if got := actor.MayIn(a, action); got != listed(list, name) {
				t.Errorf("%s, %s in A: %v", name, action, got)
			}
			if got := actor.MayIn(b, action); got != listed("super root", name) {
				t.Errorf("%s, %s in B: %v", name, action, got)
			}
			if actor.May(action) {
				t.Errorf("%s may do %s of the account", name, action)
			}
		}
	}
}

func TestAForeignWorkspaceIsMissingAndAnOwnOneForbidden(t *testing.T) {
	bob := actors["none"]
	if err := bob.RequireIn(b, access.ReadKeys); !fault.Is(err, fault.Missing) {
		t.Errorf("foreign: %v", err)
	}
	if err := bob.RequireIn(a, access.ReadKeys); !fault.Is(err, fault.Forbidden) {
		t.Errorf("own: %v", err)
	}
	if err := (access.Actor{}).RequireIn(a, access.ReadKeys); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("nobody: %v", err)
	}
}

func TestADutyComesBeforeEverythingElse(t *testing.T) {
	for _, duty := range []access.Duty{access.ChangePassword, access.AddFactor} {
		for name, actor := range actors {
			actor.Duty = duty
			for action := range everywhere {
				open := action == access.Open || action == access.Self && name != "anonymous"
				if actor.May(action) != open || (actor.Require(action) == nil) != open {
					t.Errorf("%s with the duty %s, %s: %v", name, duty, action, actor.May(action))
				}
			}
			for action := range inside {
				if actor.MayIn(a, action) || actor.RequireIn(a, action) == nil {
					t.Errorf("%s with the duty %s may do %s in a workspace", name, duty, action)
				}
			}
		}
	}
}

func TestEveryPageHasWordsAndStandsInOneTab(t *testing.T) {
	seen := map[access.Page]int{}
	for _, tab := range access.Tabs {
		for _, p := range tab.Pages {
			seen[p.Page]++
		}
	}
	for _, p := range access.Pages {
		if seen[p] != 1 || p.Title() == string(p) || p.Allows() == "" {
			t.Errorf("page %s stands in %d tabs and is called %q: %q", p, seen[p], p.Title(), p.Allows())
		}
	}
	if len(seen) != len(access.Pages) {
		t.Errorf("tabs hold %d pages, and %d can be granted", len(seen), len(access.Pages))
	}
	for _, p := range access.Presets {
		if known, err := access.KnownPages(p.Pages); err != nil || len(known) != len(p.Pages) {
			t.Errorf("preset %s: %v", p.Name, err)
		}
	}
}
