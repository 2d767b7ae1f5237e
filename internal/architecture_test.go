// Package internal_test holds the house rule of who may import whom.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A room is a folder; its packages may import of ours only what is listed, and
// never what is forbidden of others'. "noun:" stands for every noun to the left
// in nouns. The longest matching prefix decides.
var (
	leaves = []string{"internal/fault", "internal/ident", "internal/secret"}
	base   = append([]string{"internal/access", "internal/audit"}, leaves...)
	nouns  = []string{"catalogue", "account", "factor", "workspace", "grant", "apikey", "adminkey", "limit", "provider", "usage", "work", "dataset", "training", "deployment"}

	rooms = []struct {
		folder string
		ours   []string // prefixes of our packages it may import
		others []string // prefixes of libraries it must not import
	}{
		{"internal/fault", nil, heavy},
		{"internal/ident", leaves, heavy},
		{"internal/secret", leaves, heavy},
		{"internal/audit", leaves, heavy},
		{"internal/access", append([]string{"internal/audit"}, leaves...), heavy},
		{"internal/usage/journal", leaves, heavy},
		{"internal/intake", nil, frameworks},
		{"internal/policy", under(base, nouns...), heavy},
		{"internal/explanation", append(under(base, nouns...), "internal/policy"), heavy},
		{"internal/provider/", append(under(leaves, "catalogue"), "internal/provider"), frameworks},
		{"internal/gateway", append(under(base, nouns...), "internal/policy", "internal/explanation", "internal/intake", "internal/gateway"), frameworks},
		{"internal/adminapi", append(under(base, nouns...), "internal/policy", "internal/explanation"), frameworks},
		{"internal/store", append(under(base, nouns...), "internal/policy", "internal/explanation", "internal/store"), without(frameworks, "gorm.io", "github.com/gorilla")},
		{"internal/telemetry", append(under(base, nouns...), "internal/gateway"), frameworks},
		{"internal/demo", under(base, nouns...), heavy},
		{"views/", []string{"views/layout", "views/ui"}, without(heavy, "github.com/a-h/templ")},
		{"static", nil, frameworks},
		{"web", append(under(base, nouns...), "internal/policy", "internal/explanation", "internal/intake", "views", "static"), without(frameworks, "github.com/labstack/echo", "github.com/gorilla", "github.com/a-h/templ")},
		{"cmd/", []string{""}, nil},
	}

	frameworks = []string{"gorm.io", "github.com/labstack/echo", "github.com/gorilla", "github.com/a-h/templ"}
	// heavy is what the domain compiles without.
	heavy = append([]string{"net/http", "database/sql"}, frameworks...)
)

func under(list []string, names ...string) []string {
	out := append([]string{}, list...)
	for _, n := range names {
		out = append(out, "internal/"+n)
	}
	return out
}

func without(list []string, allowed ...string) (out []string) {
	for _, l := range list {
		if !has(allowed, l) {
			out = append(out, l)
		}
	}
	return out
}

func has(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// provider names the http types in its interface, as every kind of it speaks HTTP.
var mayHTTP = []string{"internal/provider"}

func TestEveryPackageImportsOnlyWhatItsRoomMay(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "data") && file != root {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, _ := filepath.Rel(root, file)
		folder := path.Dir(filepath.ToSlash(rel))
		ours, others, ok := rulesOf(folder)
		if !ok {
			t.Errorf("%s lies in no room: give it a row in this test", rel)
			return nil
		}
		seen++
		for _, imported := range importsOf(t, file) {
			if pkg, own := strings.CutPrefix(imported, "bailiwick/"); own {
				if !begins(pkg, ours) {
					t.Errorf("%s imports %s, which its room may not", rel, imported)
				}
			} else if begins(imported, others) {
				t.Errorf("%s imports %s, which its room must not", rel, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 30 {
		t.Fatalf("only %d files were looked at", seen)
	}
}

// rulesOf finds what the packages of a folder may and must not import.
func rulesOf(folder string) (ours, others []string, ok bool) {
	for i, n := range nouns {
		if folder == "internal/"+n {
			others = heavy
			if has(mayHTTP, folder) {
				others = without(heavy, "net/http")
			}
			return append(under(base, nouns[:i]...), folder), others, true // what lies below is its own
		}
	}
	longest := -1
	for _, r := range rooms {
		if strings.HasPrefix(folder+"/", strings.TrimSuffix(r.folder, "/")+"/") && len(r.folder) > longest {
			longest, ours, others, ok = len(r.folder), r.ours, r.others, true
		}
	}
	return ours, others, ok
}

func begins(pkg string, prefixes []string) bool {
	for _, p := range prefixes {
		if p == "" || pkg == p || strings.HasPrefix(pkg, p+"/") {
			return true
		}
	}
	return false
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		out = append(out, p)
	}
	return out
}
