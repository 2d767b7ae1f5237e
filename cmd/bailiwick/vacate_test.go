package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bailiwick/internal/dataset"
)

func TestADeletedWorkspaceLeavesNoFolder(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p, ctx := replica(t, serving{place: place{Data: data}}), t.Context()
	root := actorOf(t, p, "root@acme")
	w, err := p.workspaces.Add(ctx, root, "Passing")
	must(t, err)
	lines := strings.Repeat(`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`+"\n", 12)
	v, err := p.datasets.Upload(ctx, root, w.ID, dataset.New{FileName: "a.jsonl"}, strings.NewReader(lines))
	must(t, err)
	folder := filepath.Join(data, "workspaces", string(w.ID))
	if _, err := p.workspaces.Delete(ctx, root, w.ID); err == nil {
		t.Error("a workspace with training files was deleted")
	}
	if _, err := os.Stat(filepath.Join(folder, "datasets", string(v.ID))); err != nil {
		t.Error(err)
	}
	must(t, p.datasets.Delete(ctx, root, w.ID, v.Dataset))
	_, err = p.workspaces.Delete(ctx, root, w.ID)
	must(t, err)
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("its folder stays: %v", err)
	}
}
