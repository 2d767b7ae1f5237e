package access_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
)

// declared finds every action that access.go declares.
func declared(t *testing.T) (list []access.Action) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "access.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		if !is || len(spec.Values) != 1 {
			return true
		}
		if kind, is := spec.Type.(*ast.Ident); is && kind.Name == "Action" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, access.Action(text))
		}
		return true
	})
	return list
}

func TestEveryActionIsKnownAndSaysWhoMayDoIt(t *testing.T) {
	for _, do := range declared(t) {
		_, ofAccount := everywhere[do]
		_, ofWorkspace := inside[do]
		if ofAccount == ofWorkspace {
			t.Errorf("%s stands in %v of the two tables", do, ofAccount)
		}
		if !access.Known(do) || access.Workspaced(do) != ofWorkspace {
			t.Errorf("%s: known %v, asked in a workspace %v", do, access.Known(do), access.Workspaced(do))
		}
	}
	for _, do := range []access.Action{"", "keys:steal", "Open"} {
		if access.Known(do) {
			t.Errorf("%q is taken for an action", do)
		}
		for name, actor := range actors {
			if actor.May(do) || actor.MayIn(a, do) {
				t.Errorf("%s may do %q", name, do)
			}
		}
	}
}

func TestNobodyMayAnythingWhateverRoleIsSaid(t *testing.T) {
	for name, actor := range actors {
		actor.User = ""
		for do := range inside {
			if actor.MayIn(a, do) {
				t.Errorf("nobody, said to be %s, may do %s", name, do)
			}
		}
		for do := range everywhere {
			if actor.May(do) != (do == access.Open) {
				t.Errorf("nobody, said to be %s, may do %s: %v", name, do, actor.May(do))
			}
		}
	}
}

func TestEveryRefusalSaysWhatWouldHelp(t *testing.T) {
	says := func(err error, kind fault.Kind, text string) {
		t.Helper()
		if !fault.Is(err, kind) || !strings.Contains(fault.Show(err), text) {
			t.Errorf("%v, not %v: %s", err, kind, text)
		}
	}
	says(access.Actor{}.Require(access.ReadUsers), fault.Unauthenticated, "Log on first")
	says(actors["none"].Require(access.ReadUsers), fault.Forbidden, "a super administrator may do this")
	says(actors["super"].Require(access.ReadProviders), fault.Forbidden, "Only the account owner (root) may do this")
	says(actors["none"].RequireIn(a, access.ReadKeys), fault.Forbidden, "An administrator of this workspace can grant it")
	for duty, text := range map[access.Duty]string{access.ChangePassword: "Change your password first", access.AddFactor: "requires a second factor"} {
		due := actors["root"]
		due.Duty = duty
		says(due.Require(access.ReadUsers), fault.Forbidden, text)
		says(due.RequireIn(a, access.ReadKeys), fault.Forbidden, text)
	}
}

func TestAnEventSaysWhoActs(t *testing.T) {
	key := actors["super"]
	key.Key = "key-1"
	for _, want := range []struct {
		by    access.Actor
		actor string
		kind  audit.Kind
	}{{actors["root"], "usr-1", audit.Root}, {actors["none"], "usr-1", audit.User}, {key, "key-1", audit.Key}} {
		e := want.by.Event(access.ReadKeys, a, "thing", "did it")
		if string(e.Actor) != want.actor || e.ActorKind != want.kind || strings.Contains(e.ActorName, "API key") != (want.kind == audit.Key) {
			t.Errorf("%+v", e)
		}
	}
}
