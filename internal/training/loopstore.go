package training

import (
	"context"

	"bailiwick/internal/audit"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/work"
)

// Work is the kind under which jobs are leased.
const Work work.Kind = "training"

// News is what the loop writes about a job beside its row.
type News struct {
	Entries     []Entry
	Points      []provider.Point
	Checkpoints []Checkpoint
	Model       *Tuned // kept with the end of the job
}

// LoopStore is what the loop needs of storage. Everything is written under the
// lease, in one transaction with the check that it stands; work.ErrLost when it
// does not. A job that is gone is missing.
type LoopStore interface {
	Training(ctx context.Context, ws ident.Workspace, id ident.Training) (Job, error)
	// NoteTraining writes what is new: do gets the job as it is and changes it.
	NoteTraining(ctx context.Context, ws ident.Workspace, id ident.Training, l work.Lease, do func(*Job) (News, error)) (Job, error)
	// EndTraining is NoteTraining for the last move, which the trail tells of.
	EndTraining(ctx context.Context, ws ident.Workspace, id ident.Training, l work.Lease, do func(*Job) (News, audit.Event, error)) (Job, error)
	Tuned(ctx context.Context, ws ident.Workspace, id ident.Tuned) (Tuned, error)
}
