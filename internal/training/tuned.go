package training

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// Tuned is a model that came of a training, or of one of its checkpoints. It is
// its workspace's alone, and callable there once it is deployed.
type Tuned struct {
	ID         ident.Tuned
	Account    ident.Account
	Workspace  ident.Workspace
	Name       ident.Model // what callers write: "{base}-{suffix}-ft-{yyyyMMddHHmm}-{4hex}"
	Title      string      // for people
	Base       ident.Model // the model of the catalogue that it goes back to
	Training   ident.Training
	Checkpoint string // empty: the end of the training
	Provider   ident.Provider
	// Artifact is the model. Its Folder is below the data folder as it is kept, and
	// absolute as the service gives it.
	Artifact provider.Artifact
	Size     int64 // bytes of the files; 0: they stay with the engine
	Demo     bool
	// What it was made of, for those who ask later.
	From       ident.Model // the tuned model it went on from; empty: the base
	Data       []Source
	DataSHA256 string // of what was learnt from, in hexadecimal
	Method     provider.Method
	Adapter    provider.Adapter
	Hyper      provider.Hyper
	CreatedAt  time.Time
	CreatedBy  ident.User
	Creator    string
	Version    int64
}

// ModelFilter chooses tuned models for a list, newest first.
type ModelFilter struct {
	Search   string         // part of name, title or base, regardless of case
	Base     ident.Model    // empty: all
	Training ident.Training // empty: all
	After    string
	Limit    int
}

// Models gives one page of the workspace's own models. It needs trainings:read.
func (s *Service) Models(ctx context.Context, by access.Actor, ws ident.Workspace, f ModelFilter) ([]Tuned, string, error) {
	if err := by.RequireIn(ws, access.ReadTrainings); err != nil {
		return nil, "", err
	}
	page, next, err := s.Store.TunedModels(ctx, ws, f)
	for i := range page {
		s.place(&page[i])
	}
	return page, next, err
}

// Model gives one of the workspace's own models. It needs trainings:read.
func (s *Service) Model(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Tuned) (Tuned, error) {
	if err := by.RequireIn(ws, access.ReadTrainings); err != nil {
		return Tuned{}, err
	}
	return s.Tuned(ctx, ws, id)
}

// ModelByName finds one by what callers write. It needs trainings:read.
func (s *Service) ModelByName(ctx context.Context, by access.Actor, ws ident.Workspace, name ident.Model) (Tuned, error) {
	if err := by.RequireIn(ws, access.ReadTrainings); err != nil {
		return Tuned{}, err
	}
	t, err := s.Store.TunedByName(ctx, ws, name)
	s.place(&t)
	return t, err
}

// Tuned is Model for the program itself, which asks for what somebody was
// allowed before.
func (s *Service) Tuned(ctx context.Context, ws ident.Workspace, id ident.Tuned) (Tuned, error) {
	t, err := s.Store.Tuned(ctx, ws, id)
	s.place(&t)
	return t, err
}

// Rename gives a model another title; its name stays, since callers write it. It
// needs trainings:change; a version that is not the present one is a conflict.
func (s *Service) Rename(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Tuned, title string, version int64) error {
	if err := by.RequireIn(ws, access.ChangeTrainings); err != nil {
		return err
	}
	title = strings.Join(strings.Fields(title), " ")
	if n := utf8.RuneCountInString(title); n < 1 || n > NameMax {
		return fault.Field("title", "A title has 1–%d characters.", NameMax)
	}
	t, err := s.Store.Tuned(ctx, ws, id)
	if err != nil {
		return err
	}
	why := by.Event("models:rename", ws, string(id), fmt.Sprintf("renamed model %s", t.Name)).About("tuned model", string(t.Name)).Changed("title", t.Title, title)
	return s.Store.RenameTuned(ctx, ws, id, title, version, why)
}

// DeleteModel deletes a model and its files. It needs trainings:change; a
// conflict that says what to do while it is deployed, or a job goes on from it.
func (s *Service) DeleteModel(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Tuned) error {
	if err := by.RequireIn(ws, access.ChangeTrainings); err != nil {
		return err
	}
	t, err := s.Store.Tuned(ctx, ws, id)
	if err != nil {
		return err
	}
	why := by.Event("models:delete", ws, string(id), fmt.Sprintf("deleted model %s", t.Name)).About("tuned model", string(t.Name)).With("base", string(t.Base))
	if err := s.Store.DeleteTuned(ctx, ws, id, why); err != nil {
		return err
	}
	s.discard(ctx, by.Account, t)
	return s.tidy(ctx, ws, t.Training)
}

// discard has a model deleted where it stays, as far as that can be done there.
func (s *Service) discard(ctx context.Context, a ident.Account, t Tuned) {
	if t.Artifact.Remote == "" {
		return
	}
	for _, p := range s.World.Places(a, t.Base) {
		if p.Provider.ID != t.Provider {
			continue
		}
		server, err := s.Open(p.Provider)
		if d, ok := server.(provider.Discarder); err == nil && ok {
			err = d.Discard(ctx, t.Artifact)
		}
		if err != nil {
			slog.Warn("a provider keeps a model that was deleted here", "model", t.ID, "provider", t.Provider, "err", err)
		}
	}
}

// Publish makes a model of a checkpoint. It needs trainings:change, and the
// training right of the base model; a conflict when it was published before.
func (s *Service) Publish(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Training, checkpoint, title string) (Tuned, error) {
	if err := by.RequireIn(ws, access.ChangeTrainings); err != nil {
		return Tuned{}, err
	}
	j, err := s.Store.Training(ctx, ws, id)
	if err != nil {
		return Tuned{}, err
	}
	all, err := s.Store.TrainingCheckpoints(ctx, ws, id)
	if err != nil {
		return Tuned{}, err
	}
	for _, c := range all {
		if c.Name != checkpoint {
			continue
		}
		if !s.World.Holds(ws, j.Base, catalogue.Train) {
			return Tuned{}, fault.New(fault.Forbidden, "This workspace is not authorized to train %s any more.", j.Base)
		}
		t := j.tuned(ident.NewTuned(), outputName(j.Base, j.Suffix, j.ID, "step"+fmt.Sprint(c.Step)), c.Model, s.Now())
		t.Checkpoint, t.CreatedBy, t.Creator = c.Name, by.User, by.FullName()
		if t.Title = strings.Join(strings.Fields(title), " "); t.Title == "" {
			t.Title = j.Name + " at step " + fmt.Sprint(c.Step)
		}
		if utf8.RuneCountInString(t.Title) > NameMax {
			return Tuned{}, fault.Field("title", "A title has at most %d characters.", NameMax)
		}
		t.Size = s.size(t.Artifact)
		why := by.Event("trainings:publish", ws, string(id), fmt.Sprintf("published %s as %s", c.Name, t.Name)).About("training", j.Name).With("model", string(t.Name))
		err := s.Store.PublishCheckpoint(ctx, ws, t, why)
		s.place(&t)
		return t, err
	}
	return Tuned{}, fault.NoSuch("checkpoint")
}

// tuned is the model that comes of a job.
func (j *Job) tuned(id ident.Tuned, name ident.Model, a provider.Artifact, at time.Time) Tuned {
	t := Tuned{
		ID: id, Account: j.Account, Workspace: j.Workspace, Name: name, Title: j.Name, Base: j.Base, Training: j.ID, Provider: j.Provider, Artifact: a, Demo: j.Demo,
		Data: j.Train, Method: j.Method, Adapter: j.Adapter, Hyper: j.Hyper, CreatedAt: at, CreatedBy: j.CreatedBy, Creator: j.Creator, Version: 1,
	}
	if j.From != "" {
		t.From = j.Model
	}
	if len(j.Train) > 0 {
		t.DataSHA256 = j.Train[0].SHA256
	}
	return t
}
