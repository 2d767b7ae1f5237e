// Package training makes models: a job trains a base model, or one of the
// workspace's own, on the workspace's data, and what comes of it is the
// workspace's alone. Jobs move through their states in one function, Move; the
// loop that moves them holds a lease of package work while it does.
package training

import (
	"context"
	"fmt"
	"io"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// Filter chooses jobs for a list, newest first.
type Filter struct {
	Search string      // part of name, id, model or output, regardless of case
	State  State       // empty: all
	Model  ident.Model // as it was asked for; empty: all
	After  string      // the cursor the previous page ended with
	Skip   int         // jobs left out before, for APIs that count pages
	Limit  int
}

// Store is what the service needs of storage. Changes by people carry the audit
// event that explains them, and both are kept or neither is.
type Store interface {
	// InsertTraining keeps a job, the first line of its log and its work, if
	// fewer than limit jobs of the workspace are not over; a conflict about
	// "suffix" when the output's name is taken, and about "id" when the id is.
	InsertTraining(ctx context.Context, ws ident.Workspace, j Job, first Entry, limit int, why audit.Event) error
	Training(ctx context.Context, ws ident.Workspace, id ident.Training) (Job, error)
	Trainings(ctx context.Context, ws ident.Workspace, f Filter) (page []Job, next string, total int, err error)
	// MoveTraining changes the state of a job: do gets the present one and moves it.
	MoveTraining(ctx context.Context, ws ident.Workspace, id ident.Training, do func(*Job) (Entry, audit.Event, error)) (Job, error)
	// DeleteTraining deletes a job that is over, its log and its curves. The models
	// that came of it stay.
	DeleteTraining(ctx context.Context, ws ident.Workspace, id ident.Training, why audit.Event) error
	// TrainingLog gives lines of a job's log from a number on, and how many there are.
	TrainingLog(ctx context.Context, ws ident.Workspace, id ident.Training, from int64, most int) ([]Entry, int64, error)
	TrainingCurves(ctx context.Context, ws ident.Workspace, id ident.Training) ([]Curve, error)
	TrainingCheckpoints(ctx context.Context, ws ident.Workspace, id ident.Training) ([]Checkpoint, error)

	// PublishCheckpoint makes a model of a checkpoint; a conflict when it was
	// published before.
	PublishCheckpoint(ctx context.Context, ws ident.Workspace, m Tuned, why audit.Event) error
	Tuned(ctx context.Context, ws ident.Workspace, id ident.Tuned) (Tuned, error)
	TunedByName(ctx context.Context, ws ident.Workspace, name ident.Model) (Tuned, error)
	TunedModels(ctx context.Context, ws ident.Workspace, f ModelFilter) (page []Tuned, next string, err error)
	// RenameTuned changes a model's title; a conflict unless version is the present one.
	RenameTuned(ctx context.Context, ws ident.Workspace, id ident.Tuned, title string, version int64, why audit.Event) error
	// DeleteTuned deletes a model that is not deployed; a conflict that names the
	// deployments otherwise, and one when a job goes on from it.
	DeleteTuned(ctx context.Context, ws ident.Workspace, id ident.Tuned, why audit.Event) error
}

// World is what the present rights, catalogue and providers are.
type World interface {
	// Refresh brings it up to what is committed.
	Refresh(ctx context.Context) error
	Holds(ws ident.Workspace, m ident.Model, c catalogue.Capability) bool
	Models(a ident.Account) []catalogue.Model // by id
	Places(a ident.Account, m ident.Model) []provider.Place
}

// Datasets is what the service asks of the workspace's files.
type Datasets interface {
	// Source finds a file and what its dataset is; a foreign one is missing.
	Source(ctx context.Context, ws ident.Workspace, id ident.File) (dataset.Dataset, dataset.Version, error)
	Open(v dataset.Version) (io.ReadSeekCloser, error)
	// Choices are the newest files with their datasets.
	Choices(ctx context.Context, ws ident.Workspace, most int) ([]dataset.Listed, error)
}

// Service is what people and programs can do with trainings and what comes of them.
type Service struct {
	Store Store
	World World
	Data  Datasets
	// Open makes the server of a configured provider.
	Open   func(provider.Provider) (provider.Server, error)
	Folder string // the data folder; empty: nothing is trained on this host, and no files are kept
	Now    func() time.Time
	// Unfinished is how many jobs of a workspace may be not over at once; 0: 20.
	Unfinished int
}

const unfinishedUsual = 20

// Create asks for a training. It needs trainings:change in the workspace, which
// must hold the training right of the base model; what is badly said is a fault
// on its field.
func (s *Service) Create(ctx context.Context, by access.Actor, ws ident.Workspace, w Wanted) (Job, error) {
	if err := by.RequireIn(ws, access.ChangeTrainings); err != nil {
		return Job{}, err
	}
	j, err := s.settle(ctx, by, ws, w)
	if err != nil {
		return Job{}, err
	}
	limit := s.Unfinished
	if limit == 0 {
		limit = unfinishedUsual
	}
	named := w.Name
	for range 8 { // an id may be taken: there are 65,536 in a minute
		s.name(&j, named)
		why := by.Event("trainings:create", ws, string(j.ID), fmt.Sprintf("began a training of %s", j.Model)).About("training", j.Name)
		why = why.With("model", string(j.Model)).With("method", string(j.Method)+" "+string(j.Adapter)).With("data", j.files()).With("output", string(j.Output))
		err = s.Store.InsertTraining(ctx, ws, j, j.begin(j.CreatedAt), limit, why)
		if _, taken := fault.On(err, "id"); !taken {
			break
		}
	}
	return j, err
}

// List gives one page of the workspace's jobs, and how many there are in all. It
// needs trainings:read.
func (s *Service) List(ctx context.Context, by access.Actor, ws ident.Workspace, f Filter) (page []Job, next string, total int, err error) {
	if err := by.RequireIn(ws, access.ReadTrainings); err != nil {
		return nil, "", 0, err
	}
	return s.Store.Trainings(ctx, ws, f)
}

// Find gives one job. It needs trainings:read.
func (s *Service) Find(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Training) (Job, error) {
	if err := by.RequireIn(ws, access.ReadTrainings); err != nil {
		return Job{}, err
	}
	return s.Store.Training(ctx, ws, id)
}

// Cancel ends a job: at once if no engine has begun, else as soon as the engine
// can. It needs trainings:change; a conflict about "state" if the job is over.
func (s *Service) Cancel(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Training) (Job, error) {
	if err := by.RequireIn(ws, access.ChangeTrainings); err != nil {
		return Job{}, err
	}
	return s.Store.MoveTraining(ctx, ws, id, func(j *Job) (Entry, audit.Event, error) {
		was := j.State
		e, err := j.Cancel(s.Now())
		why := by.Event("trainings:cancel", ws, string(id), "cancelled a training").About("training", j.Name)
		return e, why.Changed("state", string(was), string(j.State)), err
	})
}

// Delete deletes a job that is over, and the files it kept; the models that came
// of it stay. It needs trainings:change.
func (s *Service) Delete(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Training) error {
	if err := by.RequireIn(ws, access.ChangeTrainings); err != nil {
		return err
	}
	j, err := s.Store.Training(ctx, ws, id)
	if err != nil {
		return err
	}
	if !j.State.Over() {
		return fault.New(fault.Conflict, "This training is %s. Cancel it first.", j.State).About("state")
	}
	why := by.Event("trainings:delete", ws, string(id), "deleted a training").About("training", j.Name).With("output", string(j.Output))
	if err := s.Store.DeleteTraining(ctx, ws, id, why); err != nil {
		return err
	}
	return s.tidy(ctx, ws, id)
}

// Log gives lines of a job's log, from a number on (the first is 1), and how many
// there are. It needs trainings:read.
func (s *Service) Log(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Training, from int64, most int) ([]Entry, int64, error) {
	if err := by.RequireIn(ws, access.ReadTrainings); err != nil {
		return nil, 0, err
	}
	return s.Store.TrainingLog(ctx, ws, id, from, most)
}

// Curves gives what was measured. It needs trainings:read.
func (s *Service) Curves(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Training) ([]Curve, error) {
	if err := by.RequireIn(ws, access.ReadTrainings); err != nil {
		return nil, err
	}
	return s.Store.TrainingCurves(ctx, ws, id)
}

// Checkpoints gives the states on the way that can be published, by step. It
// needs trainings:read.
func (s *Service) Checkpoints(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Training) ([]Checkpoint, error) {
	if err := by.RequireIn(ws, access.ReadTrainings); err != nil {
		return nil, err
	}
	return s.Store.TrainingCheckpoints(ctx, ws, id)
}
