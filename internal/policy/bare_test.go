package policy_test

import (
	"testing"

	"bailiwick/internal/policy"
)

func TestAWorkspaceWithoutItsAccountIsNobodys(t *testing.T) {
	s := (&policy.Snapshot{}).With(policy.Facts{
		Version: 1, Workspaces: []policy.Workspace{{ID: "llm-1", Account: "acc-1", Default: true}}, Users: []policy.User{{ID: "usr-1", Account: "acc-1", Everywhere: true}},
		Keys: []policy.Key{{ID: "key-1", Account: "acc-1", Workspace: "llm-1", Owner: "usr-1", Digest: digestOf(1)}},
	})
	if d := s.Decide(policy.Question{Person: "usr-1", Path: "llm-1", At: start}); d.Refused != policy.WorkspaceIsOurs {
		t.Errorf("a person: %+v", d)
	}
	if d := s.Decide(policy.Question{Presented: true, Digest: digestOf(1), At: start}); d.Refused != policy.KeyKnown {
		t.Errorf("a key: %+v", d)
	}
}
