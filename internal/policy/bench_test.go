package policy_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// populated makes a world of n workspaces with one key each.
func populated(n int) *policy.Snapshot {
	f := policy.Facts{Version: 1, Accounts: []policy.Account{{ID: "acc-1", NameWorkspace: true}}, Users: []policy.User{{ID: "usr-1", Everywhere: true}},
		Models: []policy.Model{{Model: catalogue.Model{ID: "m", Account: "acc-1", Offers: 7}, Servings: []policy.Serving{{Provider: "prv-1", Name: "m"}}}}}
	for i := range n {
		ws := ident.Workspace(fmt.Sprintf("llm-%016d", i))
		f.Workspaces = append(f.Workspaces, policy.Workspace{ID: ws, Account: "acc-1", Grants: policy.Pairs[ident.Model, catalogue.Capabilities]{{Key: "m", Value: 1}}})
		f.Keys = append(f.Keys, policy.Key{ID: ident.Key(fmt.Sprintf("key-%016d", i)), Account: "acc-1", Workspace: ws, Owner: "usr-1", Digest: digestOf(i)})
	}
	return (&policy.Snapshot{}).With(f)
}

func digestOf(i int) (d secret.Digest) {
	binary.BigEndian.PutUint64(d[:], uint64(i)+1)
	return d
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		s := populated(n)
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at := i % n
				q := policy.Question{Presented: true, Digest: digestOf(at), Header: fmt.Sprintf("llm-%016d", at), At: start, Model: "m", Capability: catalogue.Call}
				if !s.Decide(q).Allowed() {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkOneChange(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		s := populated(n)
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				ws := policy.Workspace{ID: ident.Workspace(fmt.Sprintf("llm-%016d", i%n)), Account: "acc-1"}
				s.With(policy.Facts{Version: 2, Workspaces: []policy.Workspace{ws}})
			}
		})
	}
}
