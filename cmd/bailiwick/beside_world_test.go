package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/demo"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
)

// process is a program that is measured, or that measures.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string
	said *bufio.Reader
}

// pinned gives a command that runs on one processor alone.
func pinned(cpu int, name string, args ...string) *exec.Cmd {
	if _, err := exec.LookPath("taskset"); err == nil {
		return exec.Command("taskset", append([]string{"-c", strconv.Itoa(cpu), name}, args...)...)
	}
	return exec.Command(name, args...)
}

// role starts this test binary as another program.
func role(t *testing.T, cpu int, role, target string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := pinned(cpu, self)
	cmd.Env = append(os.Environ(), "BESIDE_ROLE="+role, "BESIDE_TARGET="+target)
	p := launch(t, cmd)
	line, err := p.said.ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", role, err)
	}
	p.addr = strings.TrimSpace(line)
	return p
}

func launch(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return &process{t: t, cmd: cmd, said: bufio.NewReader(out)}
}

// cpu is the processor time that the process took so far.
func (p *process) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	part := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+2:]))
	user, _ := strconv.Atoi(part[11])
	system, _ := strconv.Atoi(part[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100 on Linux
}

// memory is what the process holds now, in MiB.
func (p *process) memory() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	kib, _ := strconv.Atoi(strings.Fields(after)[0])
	return float64(kib) / 1024
}

// place of a bailiwick that calls a model server with everything on: key, grant,
// limits, books, metrics.
type besideWorld struct {
	data           string
	key, workspace string
	admin          string // a key of the management API
	binary         string
	seed           string // a copy of data as it was before anybody called
}

func newBesideWorld(t *testing.T, upstream string) *besideWorld {
	t.Helper()
	w := &besideWorld{data: filepath.Join(t.TempDir(), "data"), binary: filepath.Join(t.TempDir(), "bailiwick")}
	build := exec.Command("make", "-s", "-C", "../..", "build", "OUT="+w.binary)
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	// Pages that the build left in the cache would be mapped at once and count
	// as memory; what the program touches itself is what it needs.
	drop := exec.Command("dd", "if=/dev/null", "of="+w.binary, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none")
	if text, err := drop.CombinedOutput(); err != nil {
		t.Logf("the idle figure counts pages of the program that are cached: %v: %s", err, text)
	}
	ctx := t.Context()
	c := serving{place: place{Data: w.data}, Listen: "127.0.0.1:0", MetricsListen: "off", AllowPrivate: []string{"127.0.0.0/8"}}
	passwords := map[ident.LogOn]secret.Text{}
	for _, p := range demo.People {
		passwords[p.LogOn] = secret.NewText(sentence)
	}
	p, err := start(ctx, c, func(p *Program) error {
		return demo.Services{Accounts: p.accounts, Workspaces: p.workspaces, Members: p.members, Catalogue: p.catalogue, Grants: p.grants, Providers: p.providers}.Ensure(ctx, passwords)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = w.furnish(ctx, p, upstream)
	p.Close()
	if err != nil {
		t.Fatal(err)
	}
	w.seed = filepath.Join(t.TempDir(), "seed")
	must(t, os.CopyFS(w.seed, os.DirFS(w.data)))
	return w
}

// furnish makes the mock the only server of the demo's shared model, which
// Research may call, and raises limits so that they count and do not refuse.
func (w *besideWorld) furnish(ctx context.Context, p *Program, upstream string) error {
	owner, err := p.store.UserByLogOn(ctx, demo.Alias, "root")
	if err != nil {
		return err
	}
	root, err := p.store.Actor(ctx, owner.ID)
	if err != nil {
		return err
	}
	there, err := p.providers.List(ctx, root)
	if err != nil {
		return err
	}
	for _, one := range there {
		if err := p.providers.Delete(ctx, root, one.ID); err != nil {
			return err
		}
	}
	mock, err := p.providers.Add(ctx, root, provider.Form{Name: "Mock", Kind: provider.OpenAI, BaseURL: "http://" + upstream + "/v1"})
	if err != nil {
		return err
	}
	if err := p.providers.Serve(ctx, root, mock.ID, []provider.Serving{{Model: demo.Shared}}); err != nil {
		return err
	}
	ws, err := research(ctx, p, root)
	if err != nil {
		return err
	}
	model, err := p.catalogue.Store.Model(ctx, root.Account, demo.Shared)
	if err != nil {
		return err
	}
	plenty, minute := 1_000_000_000, 60
	if err := p.limits.ChangeAccount(ctx, root, limit.Change{Model: demo.Shared, Version: model.Version, Whole: true, Requests: &plenty, RequestPeriod: &minute, Tokens: &plenty, TokenPeriod: &minute}); err != nil {
		return err
	}
	if err := p.limits.Change(ctx, root, ws, []limit.Change{{Model: demo.Shared, Version: limit.AnyVersion, Whole: true, Requests: &plenty, RequestPeriod: &minute, Tokens: &plenty, TokenPeriod: &minute}}); err != nil {
		return err
	}
	_, text, err := p.keys.Issue(ctx, root, ws, apikey.Terms{Description: "beside"})
	if err != nil {
		return err
	}
	_, admin, err := p.adminKeys.Issue(ctx, root, adminkey.Terms{Name: "beside", Days: 7})
	w.key, w.workspace, w.admin = text.Reveal(), string(ws), admin.Reveal()
	return err
}

func research(ctx context.Context, p *Program, root access.Actor) (ident.Workspace, error) {
	list, _, err := p.workspaces.List(ctx, root, workspaceFilter)
	for _, l := range list {
		if l.Name == demo.Research {
			return l.ID, nil
		}
	}
	return "", fmt.Errorf("no workspace %s: %v", demo.Research, err)
}

// serve starts the program that is measured, on one processor. Profiles of it can
// be taken where BESIDE_METRICS says.
func (w *besideWorld) serve(t *testing.T, cpu int) *process {
	t.Helper()
	p := launch(t, pinned(cpu, w.binary, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", cmp.Or(os.Getenv("BESIDE_METRICS"), "127.0.0.1:0"), "--data", w.data, "--allow-private", "127.0.0.0/8"))
	for {
		line, err := p.said.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if _, at, ok := strings.Cut(line, "http://"); ok {
			p.addr = strings.TrimSpace(at)
			return p
		}
	}
}
