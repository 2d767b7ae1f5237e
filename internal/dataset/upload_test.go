package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// desk is a service with a workspace and its administrator.
type desk struct {
	*dataset.Service
	t     *testing.T
	world *storetest.World
	ws    ident.Workspace
	by    access.Actor
	data  string
}

func newDesk(t *testing.T, s *store.Store) *desk {
	t.Helper()
	w := storetest.NewWorld(t, s, "acme")
	d := &desk{t: t, world: w, ws: w.Workspace("Marketing").ID, data: t.TempDir()}
	folder, err := dataset.OpenFolder(d.data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	d.Service = &dataset.Service{Store: s, Folder: folder, Now: time.Now}
	if d.by, err = s.Actor(t.Context(), w.Root.ID); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) upload(in dataset.New, text string) (dataset.Version, error) {
	return d.Upload(d.t.Context(), d.by, d.ws, in, strings.NewReader(text))
}

func (d *desk) good(in dataset.New, n int) dataset.Version {
	d.t.Helper()
	v, err := d.upload(in, lines(n))
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

// left names what lies in the data folder.
func (d *desk) left() (names []string) {
	filepath.WalkDir(d.data, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, e.Name())
		}
		return nil
	})
	return names
}

func TestAFileIsKeptAsItCame(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		v := d.good(dataset.New{FileName: `..\..\evil/../../naïve` + "\x00\u202e" + `.jsonl`, Description: "questions"}, 12)
		if v.FileName != "naïve.jsonl" || v.Number != 1 || v.Examples != 12 || v.Method != provider.SFT || len(v.SHA256) != 64 || len(v.MD5) != 32 {
			t.Errorf("%+v", v)
		}
		found, content, err := d.Content(t.Context(), d.by, d.ws, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		if text, _ := io.ReadAll(content); string(text) != lines(12) || found.SHA256 != v.SHA256 || found.Size != int64(len(text)) || found.Description != "questions" {
			t.Errorf("%+v", found)
		}
		path := filepath.Join(d.data, "workspaces", string(d.ws), "datasets", string(v.ID))
		for p, mode := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700 | fs.ModeDir, filepath.Dir(filepath.Dir(path)): 0o700 | fs.ModeDir} {
			if info, err := os.Stat(p); err != nil || info.Mode() != mode {
				t.Errorf("%s: %v %v", p, info, err)
			}
		}
		set, versions, err := d.Find(t.Context(), d.by, d.ws, v.Dataset)
		if err != nil || set.Name != "naïve" || set.Latest.ID != v.ID || len(versions) != 1 {
			t.Errorf("%+v %v", set, err)
		}
		if r, err := d.Report(t.Context(), d.by, d.ws, v.ID); err != nil || !r.Valid || r.SHA256 != v.SHA256 || r.Examples != 12 {
			t.Errorf("%+v %v", r, err)
		}
	})
}

func TestOfARefusedFileNothingIsLeft(t *testing.T) {
	d := newDesk(t, storetest.SQLite(t))
	_, err := d.upload(dataset.New{FileName: "a.jsonl"}, lines(20)+"{bad\n"+lines(20))
	r, refused := dataset.ReportOf(err)
	if !refused || !fault.Is(err, fault.Invalid) || r.Items[0].Line != 21 || r.Examples != 41 || !strings.Contains(fault.Show(err), "Line 21") {
		t.Errorf("%v %+v", err, r)
	}
	broken := errors.New("the caller hung up")
	if _, err := d.Upload(t.Context(), d.by, d.ws, dataset.New{}, io.MultiReader(strings.NewReader(lines(20)), failing{broken})); !errors.Is(err, broken) {
		t.Error(err)
	}
	for name, in := range map[string]dataset.New{
		"name": {Name: strings.Repeat("n", 101)}, "description": {Description: strings.Repeat("n", 501)}, "method": {Method: "rl"},
	} {
		if _, err := d.upload(in, lines(20)); err == nil {
			t.Errorf("a bad %s is taken", name)
		} else if _, on := fault.On(err, name); !on {
			t.Error(err)
		}
	}
	if left := d.left(); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if n, err := d.world.Store.KeptFiles(t.Context(), d.ws); len(n) != 0 || err != nil {
		t.Errorf("%v %v", n, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestAWorkspaceKeepsNoMoreThanItsQuota(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		to := d.world.Account.Settings
		to.DatasetFiles, to.DatasetMegabytes, to.DatasetFileMegabytes = 3, 2, 1
		if err := s.ChangeSettings(t.Context(), d.world.Account.ID, to, 1, d.world.Why("settings:change")); err != nil {
			t.Fatal(err)
		}
		_, err := d.upload(dataset.New{}, strings.Repeat("x", 1<<20)+"\n")
		if r, _ := dataset.ReportOf(err); r.Counts[dataset.FileTooLarge] != 1 {
			t.Error(err)
		}
		big := lines(9000)[:1<<20-4096]
		big = big[:strings.LastIndexByte(big, '\n')+1]
		for range 2 {
			if _, err := d.upload(dataset.New{}, big); err != nil {
				t.Fatal(err)
			}
		}
		var full *dataset.QuotaError
		if _, err := d.upload(dataset.New{}, big); !fault.Is(err, fault.Full) || !errors.As(err, &full) || full.Count {
			t.Error(err)
		}
		if _, err := d.upload(dataset.New{}, lines(10)); err != nil {
			t.Error(err)
		}
		if _, err := d.upload(dataset.New{}, lines(10)); !errors.As(err, &full) || !full.Count {
			t.Error(err)
		}
		if left := d.left(); len(left) != 3 {
			t.Error(left)
		}
	})
}

func TestTwoUploadsCannotTakeTheLastPlace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		to := d.world.Account.Settings
		to.DatasetFiles = 1
		if err := s.ChangeSettings(t.Context(), d.world.Account.ID, to, 1, d.world.Why("settings:change")); err != nil {
			t.Fatal(err)
		}
		var kept atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := d.upload(dataset.New{}, lines(10)); err == nil {
					kept.Add(1)
				} else if !fault.Is(err, fault.Full) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if kept.Load() != 1 || len(d.left()) != 1 {
			t.Errorf("%d kept, %v", kept.Load(), d.left())
		}
	})
}

func TestVersionsFollowEachOtherAndGo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d, ctx := newDesk(t, s), t.Context()
		one := d.good(dataset.New{Name: "Desk"}, 10)
		two := d.good(dataset.New{Dataset: one.Dataset}, 11)
		if two.Number != 2 || two.Dataset != one.Dataset {
			t.Errorf("%+v", two)
		}
		if _, err := d.upload(dataset.New{Dataset: one.Dataset}, strings.Repeat(`{"text":"a"}`+"\n", 12)); !fault.Is(err, fault.Invalid) {
			t.Error("a version of another format is taken:", err)
		}
		if _, err := d.upload(dataset.New{Dataset: ident.NewDataset()}, lines(10)); !fault.Is(err, fault.Missing) {
			t.Error(err)
		}
		set, versions, err := d.Find(ctx, d.by, d.ws, one.Dataset)
		if err != nil || set.Versions != 2 || set.Bytes != one.Size+two.Size || versions[0].ID != two.ID || set.Latest.ID != two.ID {
			t.Errorf("%+v %v", set, err)
		}
		must(t, d.DeleteFile(ctx, d.by, d.ws, two.ID))
		three := d.good(dataset.New{Dataset: one.Dataset}, 12)
		if three.Number != 3 {
			t.Errorf("a number is given twice: %d", three.Number)
		}
		must(t, d.DeleteFile(ctx, d.by, d.ws, one.ID))
		must(t, d.DeleteFile(ctx, d.by, d.ws, three.ID))
		if _, _, err := d.Find(ctx, d.by, d.ws, one.Dataset); !fault.Is(err, fault.Missing) {
			t.Error("an empty dataset stays:", err)
		}
		four := d.good(dataset.New{}, 10)
		d.Jobs = func(_ context.Context, ws ident.Workspace, files []ident.File) ([]dataset.Job, error) {
			return nil, nil
		}
		must(t, d.Delete(ctx, d.by, d.ws, four.Dataset))
		if len(d.left()) != 0 {
			t.Error(d.left())
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestListsSearchSortAndPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d, ctx := newDesk(t, s), t.Context()
		var files []ident.File
		for i := range 5 {
			files = append(files, d.good(dataset.New{Name: fmt.Sprintf("Set %c_%d", 'E'-i, i)}, 10+i).ID)
		}
		names := func(f dataset.Filter) (all []string) {
			for {
				page, next, err := d.List(ctx, d.by, d.ws, f)
				must(t, err)
				for _, l := range page {
					all = append(all, l.Name)
				}
				if f.After = next; next == "" {
					return all
				}
			}
		}
		up := []string{"Set A_4", "Set B_3", "Set C_2", "Set D_1", "Set E_0"}
		for _, o := range []dataset.Order{dataset.ByChange, dataset.ByName, dataset.BySize} {
			for _, limit := range []int{2, 50} {
				if got := names(dataset.Filter{Order: o, Limit: limit}); !slices.Equal(got, up) {
					t.Errorf("%q: %v", o, got)
				}
				got := names(dataset.Filter{Order: o, Reversed: true, Limit: limit})
				if slices.Reverse(got); !slices.Equal(got, up) {
					t.Errorf("%q reversed: %v", o, got)
				}
			}
		}
		if got := names(dataset.Filter{Search: "b_"}); !slices.Equal(got, []string{"Set B_3"}) {
			t.Error(got)
		}
		if got := names(dataset.Filter{Search: string(files[2])}); !slices.Equal(got, []string{"Set C_2"}) {
			t.Error(got)
		}
		if got := names(dataset.Filter{Method: provider.CPT}); got != nil {
			t.Error(got)
		}
		page, total, err := d.Files(ctx, d.by, d.ws, dataset.FileFilter{After: files[3], Limit: 2})
		if err != nil || total != 5 || len(page) != 2 || page[0].ID != files[2] || page[1].ID != files[1] {
			t.Errorf("%v %d %v", page, total, err)
		}
		if page, _, err := d.Files(ctx, d.by, d.ws, dataset.FileFilter{Oldest: true, Skip: 4}); err != nil || len(page) != 1 || page[0].ID != files[4] {
			t.Errorf("%v %v", page, err)
		}
	})
}

func TestAFileInUseIsNotDeleted(t *testing.T) {
	d, ctx := newDesk(t, storetest.SQLite(t)), t.Context()
	v := d.good(dataset.New{}, 10)
	over := false
	d.Jobs = func(_ context.Context, _ ident.Workspace, files []ident.File) ([]dataset.Job, error) {
		return []dataset.Job{{ID: "ft-1", Name: "Summer", Over: over}}, nil
	}
	for _, err := range []error{d.DeleteFile(ctx, d.by, d.ws, v.ID), d.Delete(ctx, d.by, d.ws, v.Dataset)} {
		if !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Show(err), "Summer") {
			t.Error(err)
		}
	}
	over = true
	must(t, d.DeleteFile(ctx, d.by, d.ws, v.ID))
}

func TestTheSweeperTakesWhatNobodyWritesAndNothingElse(t *testing.T) {
	d, ctx := newDesk(t, storetest.SQLite(t)), t.Context()
	v := d.good(dataset.New{}, 10)
	folder := filepath.Join(d.data, "workspaces", string(d.ws), "datasets")
	write := func(name string, old time.Duration) {
		path := filepath.Join(folder, name)
		must(t, os.WriteFile(path, []byte("x"), 0o600))
		must(t, os.Chtimes(path, time.Now().Add(-old), time.Now().Add(-old)))
	}
	write(".upload-file-crashed", 0)
	write("file-norow", time.Hour)
	write("file-justnamed", 0)
	must(t, os.Symlink("/etc/passwd", filepath.Join(folder, ".upload-link")))
	running, done := make(chan struct{}), make(chan error)
	go func() {
		_, err := d.Upload(ctx, d.by, d.ws, dataset.New{}, io.MultiReader(strings.NewReader(lines(10)), waiting(running), strings.NewReader(lines(3))))
		done <- err
	}()
	running <- struct{}{}
	must(t, d.Sweep(ctx))
	running <- struct{}{}
	must(t, <-done)
	left := d.left()
	if len(left) != 4 || !slices.Contains(left, string(v.ID)) || !slices.Contains(left, "file-justnamed") || !slices.Contains(left, ".upload-link") {
		t.Error(left)
	}
	if text, err := os.ReadFile("/etc/passwd"); err != nil || len(text) == 0 {
		t.Error("a link was followed")
	}
}

func TestTheFolderOfADeletedWorkspaceGoesWhenNothingIsLeftInIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d, ctx := newDesk(t, s), t.Context()
		made := func(ws ident.Workspace) string { return filepath.Join(d.data, "workspaces", string(ws)) }
		there := func(ws ident.Workspace) bool { _, err := os.Stat(made(ws)); return err == nil }
		gone, held, crashed := ident.NewWorkspace(), ident.NewWorkspace(), ident.NewWorkspace()
		for _, ws := range []ident.Workspace{d.ws, gone, held, crashed} {
			must(t, os.MkdirAll(filepath.Join(made(ws), "datasets"), 0o700))
			must(t, os.MkdirAll(filepath.Join(made(ws), "trainings", "ft-1"), 0o700))
		}
		must(t, os.WriteFile(filepath.Join(made(held), "trainings", "ft-1", "model.gguf"), []byte("x"), 0o600))
		must(t, os.WriteFile(filepath.Join(made(crashed), "datasets", ".upload-file-crashed"), []byte("x"), 0o600))
		must(t, d.Sweep(ctx))
		if there(gone) || there(crashed) || !there(held) || !there(d.ws) {
			t.Errorf("gone is there %v, crashed %v, held %v, and the one that lives %v", there(gone), there(crashed), there(held), there(d.ws))
		}
		d.Vacate(held)
		if _, err := os.Stat(filepath.Join(made(held), "trainings", "ft-1", "model.gguf")); err != nil {
			t.Error("a file was taken away")
		}
		if _, err := os.Stat(filepath.Join(made(d.ws), "datasets")); err != nil {
			t.Error("a workspace that lives lost its folder")
		}
		d.Vacate("../../etc")
		d.Vacate(gone) // which is not there
		must(t, os.MkdirAll(made(gone), 0o700))
		d.Vacate(gone)
		if there(gone) {
			t.Error("it stays")
		}
	})
}

// waiting is read twice, each time when somebody is ready for it.
type waiting chan struct{}

func (w waiting) Read([]byte) (int, error) {
	<-w
	<-w
	return 0, io.EOF
}

func TestWhoMayNotIsRefused(t *testing.T) {
	d, ctx := newDesk(t, storetest.SQLite(t)), t.Context()
	v := d.good(dataset.New{}, 10)
	stranger := access.Actor{Account: d.by.Account, User: ident.NewUser(), Role: access.Regular}
	member := stranger
	member.In = map[ident.Workspace]access.Membership{d.ws: {Role: access.Regular, Pages: []access.Page{access.PageKeys}}}
	for who, kind := range map[*access.Actor]fault.Kind{&stranger: fault.Missing, &member: fault.Forbidden} {
		_, err1 := d.Upload(ctx, *who, d.ws, dataset.New{}, strings.NewReader(lines(10)))
		_, _, err2 := d.List(ctx, *who, d.ws, dataset.Filter{})
		_, _, err3 := d.Find(ctx, *who, d.ws, v.Dataset)
		_, _, err4 := d.Files(ctx, *who, d.ws, dataset.FileFilter{})
		_, _, err5 := d.Content(ctx, *who, d.ws, v.ID)
		_, err6 := d.Report(ctx, *who, d.ws, v.ID)
		_, _, err7 := d.Preview(ctx, *who, d.ws, v.ID, 0, 5)
		_, err8 := d.JobsOf(ctx, *who, d.ws, []ident.File{v.ID})
		_, _, err9 := d.Room(ctx, *who, d.ws)
		for i, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8, err9, d.DeleteFile(ctx, *who, d.ws, v.ID), d.Delete(ctx, *who, d.ws, v.Dataset)} {
			if !fault.Is(err, kind) {
				t.Errorf("%d: %v", i, err)
			}
		}
	}
}
