package policy_test

import (
	"testing"

	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// The explainer asks this of keys whose owner was not looked for before.
func TestOnlyKeysOfRootInTheDefaultWorkspaceNameAny(t *testing.T) {
	const account, home, sub = ident.Account("acc-1"), ident.Workspace("llm-home"), ident.Workspace("llm-sub")
	s := (&policy.Snapshot{}).With(policy.Facts{
		Version:    1,
		Accounts:   []policy.Account{{ID: account, Default: home}},
		Workspaces: []policy.Workspace{{ID: home, Account: account, Default: true}, {ID: sub, Account: account}},
		Users:      []policy.User{{ID: "usr-root", Account: account, Root: true, Everywhere: true}, {ID: "usr-super", Account: account, Everywhere: true}},
		Keys: []policy.Key{
			{ID: "key-1", Account: account, Workspace: home, Owner: "usr-root", Digest: secret.Digest{1}},
			{ID: "key-2", Account: account, Workspace: sub, Owner: "usr-root", Digest: secret.Digest{2}},
			{ID: "key-3", Account: account, Workspace: home, Owner: "usr-super", Digest: secret.Digest{3}},
			{ID: "key-4", Account: account, Workspace: home, Owner: "usr-gone", Digest: secret.Digest{4}},
		},
	})
	for i, want := range []bool{false, true, false, false, false, false} {
		if got := s.NamesAny(policy.Question{Digest: secret.Digest{byte(i)}}); got != want {
			t.Errorf("key %d: %v", i, got)
		}
	}
}
