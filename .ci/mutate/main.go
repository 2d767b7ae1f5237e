// Command mutate takes one authorization call or condition at a time out of the
// program, or turns it round, and runs the tests that must notice. The tree is
// never touched: each mutant is an overlay of one file. It ends with 1 when one
// survives. The lines of web/routes.go are weakened by a test of web itself, in
// one process.
//
//	go run ./.ci/mutate [-every n] [-only text]
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

// area is a part of the program and the tests that watch over it.
type area struct {
	files string // a pattern
	kinds string // of mutants: "calls" that ask for leave, "logic" of every condition, "sets" of actions
	tests []string
}

var areas = []area{
	{"internal/access/access.go", "logic sets", []string{"./internal/access"}},
	{"internal/policy/policy.go", "logic checks", []string{"./internal/policy"}},
	{"internal/account/*.go", "calls", asked},
	{"internal/adminkey/*.go", "calls", asked},
	{"internal/apikey/*.go", "calls", asked},
	{"internal/catalogue/*.go", "calls", asked},
	{"internal/explanation/*.go", "calls", asked},
	{"internal/factor/*.go", "calls", asked},
	{"internal/grant/*.go", "calls", asked},
	{"internal/limit/*.go", "calls", asked},
	{"internal/provider/*.go", "calls", asked},
	{"internal/usage/*.go", "calls", asked},
	{"internal/workspace/*.go", "calls", asked},
	{"internal/adminapi/call.go", "calls", []string{"-run=TestSec01", "./internal/adminapi"}},
	{"internal/gateway/gateway.go", "gates", []string{"./internal/gateway"}},
	{"web/server.go", "calls", []string{"-run=TestSec01|TestEveryLine", "./web"}},
}

var asked = []string{"-run=TestEveryServiceAsksForLeaveFirst", "./internal"}

// edit puts a text in place of what stands between two offsets of a file.
type edit struct {
	from, to int
	text     string
}

type mutant struct {
	file, what string
	line       int
	edits      []edit
	tests      []string
}

func main() {
	every := flag.Int("every", 1, "run every n-th mutant alone")
	only := flag.String("only", "", "run mutants of files that hold this text alone")
	flag.Parse()
	var all []mutant
	for _, a := range areas {
		files, err := filepath.Glob(a.files)
		check(err)
		for _, f := range files {
			if !strings.HasSuffix(f, "_test.go") && strings.Contains(f, *only) {
				all = append(all, mutants(f, a)...)
			}
		}
	}
	var picked []mutant
	for i, m := range all {
		if i%*every == 0 {
			picked = append(picked, m)
		}
	}
	os.Exit(run(picked, len(all)))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// run tries every mutant and reports those that survive.
func run(list []mutant, of int) int {
	began := time.Now()
	dir, err := os.MkdirTemp("", "mutate")
	check(err)
	defer os.RemoveAll(dir)
	counts := map[string]int{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	todo := make(chan mutant)
	for w := range max(1, runtime.NumCPU()) {
		wait.Go(func() {
			for m := range todo {
				end := m.try(filepath.Join(dir, fmt.Sprint(w)))
				mu.Lock()
				if counts[end]++; end != "caught" {
					fmt.Printf("%s:%d: %s: %s\n", m.file, m.line, m.what, end)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range list {
		todo <- m
	}
	close(todo)
	wait.Wait()
	fmt.Printf("%d of %d mutants in %s: %d caught, %d survived, %d do not compile\n",
		len(list), of, time.Since(began).Round(time.Second), counts["caught"], counts["survived"], counts["does not compile"])
	if counts["survived"] > 0 {
		return 1
	}
	return 0
}

var notBuilt = regexp.MustCompile(`\[build failed\]|\[setup failed\]`)

// try runs the tests with the mutant in place of its file.
func (m mutant) try(at string) string {
	text, err := os.ReadFile(m.file)
	check(err)
	for i := len(m.edits) - 1; i >= 0; i-- {
		e := m.edits[i]
		text = append(append(append([]byte{}, text[:e.from]...), e.text...), text[e.to:]...)
	}
	check(os.WriteFile(at+".go", text, 0o600))
	full, err := filepath.Abs(m.file)
	check(err)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {full: at + ".go"}})
	check(err)
	check(os.WriteFile(at+".json", overlay, 0o600))
	args := append([]string{"test", "-overlay=" + at + ".json", "-count=1", "-vet=off", "-failfast", "-timeout=180s"}, m.tests...)
	out, err := exec.Command("go", args...).CombinedOutput()
	switch {
	case err == nil:
		return "survived"
	case notBuilt.Match(out):
		return "does not compile"
	}
	return "caught"
}

// mutants finds what can be taken out of a file or turned round.
func mutants(name string, a area) (list []mutant) {
	set := token.NewFileSet()
	src, err := os.ReadFile(name)
	check(err)
	file, err := parser.ParseFile(set, name, src, parser.SkipObjectResolution)
	check(err)
	at := func(p token.Pos) int { return set.Position(p).Offset }
	text := func(n ast.Node) string { return string(src[at(n.Pos()):at(n.End())]) }
	add := func(n ast.Node, what, put string) {
		line := string(bytes.TrimSpace(bytes.SplitN(src[at(n.Pos()):], []byte("\n"), 2)[0]))
		list = append(list, mutant{name, what + " of " + line, set.Position(n.Pos()).Line, []edit{{at(n.Pos()), at(n.End()), put}}, a.tests})
	}
	has := func(kind string) bool { return strings.Contains(a.kinds, kind) }
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			if has("calls") && n.Init != nil && asks(text(n.Init)) || has("gates") && n.Init != nil && strings.Contains(text(n.Init), "g.authori") || has("gates") && n.Init != nil && strings.Contains(text(n.Init), "g.authenticate(") {
				add(n.Cond, "the answer does not count", "("+text(n.Cond)+") && false")
			}
			if has("logic") {
				add(n.Cond, "condition turned round", "!("+text(n.Cond)+")")
			}
		case *ast.ReturnStmt:
			for _, r := range n.Results {
				if has("calls") && isCall(r) && asks(text(r)) {
					add(r, "the answer does not count", "error(nil)")
				}
				if id, is := r.(*ast.Ident); has("logic") && is && (id.Name == "true" || id.Name == "false") {
					add(r, "answer turned round", map[string]string{"true": "false", "false": "true"}[id.Name])
				}
				if b, is := r.(*ast.BinaryExpr); has("logic") && is && logical(b.Op) {
					add(r, "answer turned round", "!("+text(b)+")")
				}
			}
		case *ast.CaseClause:
			for _, c := range n.List {
				if b, is := c.(*ast.BinaryExpr); has("logic") && is && logical(b.Op) {
					add(c, "case turned round", "!("+text(b)+")")
				}
			}
		case *ast.BinaryExpr:
			if has("logic") && (n.Op == token.LAND || n.Op == token.LOR) {
				neutral := map[token.Token]string{token.LAND: " || true)", token.LOR: " && false)"}[n.Op]
				add(n.X, "operand left out", "(("+text(n.X)+")"+neutral)
				add(n.Y, "operand left out", "(("+text(n.Y)+")"+neutral)
			}
		case *ast.CallExpr:
			if has("sets") && text(n.Fun) == "set" {
				for i, arg := range n.Args {
					end := at(arg.End())
					if i+1 < len(n.Args) {
						end = at(n.Args[i+1].Pos())
					}
					list = append(list, mutant{name, "action left out: " + text(arg), set.Position(arg.Pos()).Line, []edit{{at(arg.Pos()), end, ""}}, a.tests})
				}
			}
			if has("checks") && strings.HasSuffix(text(n.Fun), "d.fails") {
				add(n.Args[1], "check never fails", "("+text(n.Args[1])+") && false")
				add(n.Args[1], "check turned round", "!("+text(n.Args[1])+")")
			}
		}
		return true
	})
	return list
}

func asks(text string) bool {
	for _, call := range []string{".Require(", ".RequireIn(", "mayRead(", "may(", "within(", "leave("} {
		if strings.Contains(text, call) {
			return true
		}
	}
	return false
}

func isCall(e ast.Expr) bool { _, is := e.(*ast.CallExpr); return is }

func logical(op token.Token) bool {
	switch op {
	case token.LAND, token.LOR, token.EQL, token.NEQ, token.LSS, token.GTR, token.LEQ, token.GEQ:
		return true
	}
	return false
}
