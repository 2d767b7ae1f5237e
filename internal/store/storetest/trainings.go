package storetest

import (
	"context"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/store"
	"bailiwick/internal/training"
)

// NewTraining keeps a job of a workspace that waits for its turn; nobody works on it.
func NewTraining(ctx context.Context, s *store.Store, a ident.Account, by ident.User, ws ident.Workspace) (training.Job, error) {
	j := training.Job{
		Account: a, Workspace: ws, Name: "for tests", Model: "qwen-turbo", Base: "qwen-turbo", Method: provider.SFT, Adapter: provider.Full, Split: 80,
		Train: []training.Source{{File: ident.NewFile(), Name: "Coffee V1", SHA256: "00", Examples: 160, Tokens: 9000}}, Result: ident.NewTuned(),
		State: training.Queued, CreatedAt: Start, CreatedBy: by, Creator: "root@acme", Version: 1,
	}
	var err error
	for range 20 { // ids are few, and tests make many in one minute
		j.ID = ident.NewTraining(Start)
		j.Output = ident.Model("qwen-turbo-" + string(j.ID))
		w := &World{Store: s}
		w.Account.ID, w.Root.ID = a, by
		if err = s.InsertTraining(ctx, ws, j, training.Entry{At: Start, State: training.Queued, Text: "Created."}, 1<<20, w.Why("trainings:create")); err == nil {
			break
		}
	}
	return j, err
}

// NewTuned keeps a model that came of a checkpoint of a new job.
func NewTuned(ctx context.Context, s *store.Store, a ident.Account, by ident.User, ws ident.Workspace) (training.Tuned, error) {
	j, err := NewTraining(ctx, s, a, by, ws)
	if err != nil {
		return training.Tuned{}, err
	}
	m := training.Tuned{
		ID: ident.NewTuned(), Account: a, Workspace: ws, Name: j.Output, Title: "for tests", Base: j.Base, Training: j.ID, Checkpoint: "checkpoint-7", Method: j.Method, Adapter: j.Adapter,
		Artifact: provider.Artifact{Folder: "workspaces/" + string(ws) + "/trainings/" + string(j.ID) + "/model", Files: []string{"model.gguf"}, Format: provider.FormatGGUF, Engine: "stand-in"},
		Size:     7, Data: j.Train, DataSHA256: "00", CreatedAt: Start.Add(time.Minute), CreatedBy: by, Creator: "root@acme", Version: 1,
	}
	w := &World{Store: s}
	w.Account.ID, w.Root.ID = a, by
	return m, s.PublishCheckpoint(ctx, ws, m, w.Why("trainings:publish"))
}

// Training is NewTraining by root.
func (w *World) Training(ws ident.Workspace) training.Job {
	w.t.Helper()
	j, err := NewTraining(w.t.Context(), w.Store, w.Account.ID, w.Root.ID, ws)
	must(w.t, err)
	return j
}

// Tuned is NewTuned by root.
func (w *World) Tuned(ws ident.Workspace) training.Tuned {
	w.t.Helper()
	m, err := NewTuned(w.t.Context(), w.Store, w.Account.ID, w.Root.ID, ws)
	must(w.t, err)
	return m
}
