package deployment

import (
	"context"
	"fmt"

	"bailiwick/internal/fault"
	"bailiwick/internal/training"
)

// Follow puts up the model that came of a training whose job asked for that, with
// one replica and under the model's own name. The loop of trainings does it, in
// the name of whoever asked for the job; once for each model, however often it
// is asked.
func (s *Service) Follow(ctx context.Context, j training.Job, t training.Tuned) error {
	if _, err := s.Store.DeploymentNamed(ctx, j.Workspace, t.Name); !fault.Is(err, fault.Missing) {
		return err
	}
	src, err := s.own(j.Account, j.Workspace, t)
	if err != nil {
		return err
	}
	d, err := s.settle(src, Wanted{Capacity: 1, Title: t.Title})
	if err != nil {
		return err
	}
	d.CreatedBy, d.Creator, d.ByKey = j.CreatedBy, j.Creator, j.ByKey
	return s.insert(ctx, j.Workspace, d, system(d, "deployments:create", fmt.Sprintf("deployed %s, as its training %s asked", t.Name, j.ID)))
}
