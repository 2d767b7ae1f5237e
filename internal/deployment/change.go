package deployment

import (
	"context"
	"fmt"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Scale changes how many replicas are wanted; 0 stops the deployment, and what
// had failed is tried again. It needs deployments:change, and the right that the
// deployment was made by unless it makes it smaller.
func (s *Service) Scale(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Deployment, to int) (Deployment, error) {
	return s.change(ctx, by, ws, id, func(d *Deployment, now time.Time) (Moved, audit.Event, error) {
		if err := capacity(to); err != nil {
			return Moved{}, audit.Event{}, err
		}
		return s.scale(by, d, to, now)
	})
}

// Stop takes a deployment out of service and keeps it. It needs deployments:change.
func (s *Service) Stop(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Deployment) (Deployment, error) {
	return s.Scale(ctx, by, ws, id, 0)
}

// Start puts a stopped deployment up again with the replicas it had, and tries
// one again that had failed. It needs what Scale needs.
func (s *Service) Start(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Deployment) (Deployment, error) {
	return s.change(ctx, by, ws, id, func(d *Deployment, now time.Time) (Moved, audit.Event, error) {
		return s.scale(by, d, d.Before, now)
	})
}

func (s *Service) scale(by access.Actor, d *Deployment, to int, now time.Time) (Moved, audit.Event, error) {
	if to > 0 && (to > d.Capacity || d.State == Failed || d.State == Stopped) && !s.World.Holds(d.Workspace, d.Base, d.needs()) {
		return Moved{}, audit.Event{}, denied(d.Base, d.needs())
	}
	was := d.Capacity
	m, err := d.want(to, now)
	action, summary := "deployments:scale", fmt.Sprintf("scaled the deployment %s to %d", d.Name, to)
	switch {
	case to == 0:
		action, summary = "deployments:stop", fmt.Sprintf("stopped the deployment %s", d.Name)
	case was == 0:
		action, summary = "deployments:start", fmt.Sprintf("started the deployment %s", d.Name)
	}
	why := by.Event(access.Action(action), d.Workspace, string(d.ID), summary)
	return m, why.Changed("capacity", fmt.Sprint(was), fmt.Sprint(to)), err
}

// Limit changes how much it may be called in a minute; 0: no limit. It needs
// deployments:change.
func (s *Service) Limit(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Deployment, requests, tokens int) (Deployment, error) {
	return s.change(ctx, by, ws, id, func(d *Deployment, now time.Time) (Moved, audit.Event, error) {
		if err := rates(requests, tokens); err != nil {
			return Moved{}, audit.Event{}, err
		}
		why := by.Event("deployments:limit", ws, string(id), fmt.Sprintf("changed the limits of the deployment %s", d.Name))
		why = why.Changed("requests a minute", fmt.Sprint(d.Requests), fmt.Sprint(requests)).Changed("tokens a minute", fmt.Sprint(d.Tokens), fmt.Sprint(tokens))
		if requests != d.Requests || tokens != d.Tokens {
			d.LimitsBy, d.LimitsAt = by.FullName(), now
		}
		d.Requests, d.Tokens, d.UpdatedAt = requests, tokens, now
		return Moved{}, why, nil
	})
}

// Rename changes what it is called for people. It needs deployments:change.
func (s *Service) Rename(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Deployment, text string) (Deployment, error) {
	return s.change(ctx, by, ws, id, func(d *Deployment, now time.Time) (Moved, audit.Event, error) {
		next, err := title(text, d.Name)
		why := by.Event("deployments:rename", ws, string(id), fmt.Sprintf("renamed the deployment %s", d.Name)).Changed("name", d.Title, next)
		d.Title, d.UpdatedAt = next, now
		return Moved{}, why, err
	})
}

// Delete takes a deployment away for good: from now on nobody calls it, and the
// engine lets it go. It needs deployments:change; one that is being deleted
// already stays so.
func (s *Service) Delete(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Deployment) (Deployment, error) {
	return s.change(ctx, by, ws, id, func(d *Deployment, now time.Time) (Moved, audit.Event, error) {
		why := by.Event("deployments:delete", ws, string(id), fmt.Sprintf("deleted the deployment %s", d.Name))
		m, err := d.Move(Deleting, "", now)
		d.Desired++
		return m, why, err
	})
}

// change is what all of these do. One that is being deleted takes no change any
// more, and says so alike to all who ask.
func (s *Service) change(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Deployment, do func(*Deployment, time.Time) (Moved, audit.Event, error)) (Deployment, error) {
	if err := by.RequireIn(ws, access.ChangeDeployments); err != nil {
		return Deployment{}, err
	}
	return s.Store.ChangeDeployment(ctx, ws, id, func(d *Deployment) (Moved, audit.Event, error) {
		if d.State == Deleting {
			return Moved{}, audit.Event{}, fault.New(fault.Conflict, "The deployment %s is being deleted.", d.Name)
		}
		m, why, err := do(d, s.Now())
		d.Version++
		return m, why.About("deployment", string(d.Name)), err
	})
}
