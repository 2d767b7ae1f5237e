package policy_test

import (
	"testing"

	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// Whose keys may name which workspace, for calls and to change what workspaces may do.
func TestKeysOfSuperAdministratorsNameAnyWorkspaceOnlyToManageIt(t *testing.T) {
	key := func(n byte, ws ident.Workspace, owner ident.User) policy.Key {
		return policy.Key{ID: ident.Key([]byte{'k', n}), Account: "acc-1", Workspace: ws, Owner: owner, Digest: secret.Digest{n}}
	}
	s := (&policy.Snapshot{}).With(policy.Facts{
		Version: 1, Accounts: []policy.Account{{ID: "acc-1"}, {ID: "acc-2"}},
		Workspaces: []policy.Workspace{{ID: "llm-0", Account: "acc-1", Default: true, Members: []ident.User{"usr-r"}}, {ID: "llm-1", Account: "acc-1"}, {ID: "llm-9", Account: "acc-2"}},
		Users:      []policy.User{{ID: "usr-0", Root: true, Everywhere: true}, {ID: "usr-s", Everywhere: true}, {ID: "usr-r"}},
		Keys:       []policy.Key{key(1, "llm-0", "usr-0"), key(2, "llm-0", "usr-s"), key(3, "llm-1", "usr-s"), key(4, "llm-0", "usr-r")},
	})
	for digest, want := range map[byte]struct {
		call, manage policy.Check
		manages      bool
	}{
		1: {policy.Nothing, policy.Nothing, true},
		2: {policy.WorkspaceIsOurs, policy.Nothing, true},
		3: {policy.WorkspaceIsOurs, policy.WorkspaceIsOurs, false},
		4: {policy.WorkspaceIsOurs, policy.WorkspaceIsOurs, false},
	} {
		other := "llm-1"
		if digest == 3 {
			other = "llm-0"
		}
		q := policy.Question{Presented: true, Digest: secret.Digest{digest}, Header: other, At: start}
		d := s.Decide(q)
		if d.Refused != want.call || s.Manages(d.Key) != want.manages {
			t.Errorf("key %d: %d, manages %v", digest, d.Refused, s.Manages(d.Key))
		}
		q.Manage = true
		if d := s.Decide(q); d.Refused != want.manage || want.manage == policy.Nothing && string(d.Workspace.ID) != other {
			t.Errorf("key %d managing: %d", digest, d.Refused)
		}
		if q.Header = "llm-9"; want.manages {
			if d := s.Decide(q); d.Refused != policy.WorkspaceExists {
				t.Errorf("key %d managing another account's: %d", digest, d.Refused)
			}
		}
	}
}
