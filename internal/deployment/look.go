package deployment

import (
	"context"
	"fmt"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/work"
)

// bookEvery is how long hours of one that is up wait to be booked.
const bookEvery = time.Minute

// look asks the engine how the deployment is, and notes it.
func (v *visit) look(ctx context.Context) (work.Next, error) {
	if v.d.State == Stopped && v.d.Settled() {
		return work.Next{After: settled}, nil
	}
	s, err := v.status(ctx)
	if err != nil {
		return v.refused(ctx, err)
	}
	before := v.d
	next, err := v.found(s)
	if err != nil {
		return work.Next{}, err
	}
	d := &v.d
	if calls := s.Calls; s.Phase == provider.DeployUp || s.Phase == provider.DeployDegraded {
		if d.Ready = min(max(s.Replicas, 1), max(d.Capacity, 1)); calls == "" {
			calls = d.Engine
		}
		d.Calls = calls
	}
	if len(v.moved) > 0 || *d != before || d.State.Up() && v.Now().Sub(d.Booked) >= bookEvery {
		if err := v.keep(ctx); err != nil {
			return work.Next{}, err
		}
	}
	return next, v.lost(s)
}

func (v *visit) status(ctx context.Context) (provider.DeployState, error) {
	p, there := v.Engines.Provider(v.d.Provider)
	if !there {
		return provider.DeployState{}, fault.New(fault.Missing, "The provider that kept it is gone.")
	}
	at, err := v.deployer(p)
	if err != nil {
		return provider.DeployState{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, statusMost)
	defer cancel()
	return at.Status(ctx, v.d.Handle)
}

// found turns what an engine says into the deployment's state.
func (v *visit) found(s provider.DeployState) (next work.Next, err error) {
	d := &v.d
	if d.Capacity == 0 {
		return v.resting(s)
	}
	switch s.Phase {
	case provider.DeployUp:
		next.After = v.checks()
		return next, v.move(Running, "")
	case provider.DeployDegraded:
		next.After = comingUp
		return next, v.move(Degraded, s.Message)
	case provider.DeployStarting:
		next.After = comingUp
		if d.State == Running || d.State == Degraded {
			return next, v.move(Degraded, orElse(s.Message, "The engine is starting it again."))
		}
		d.Reason = s.Message
		return next, nil
	case provider.DeployBroken:
		next.After = settled
		return next, v.move(Failed, orElse(s.Message, orElse(s.Reason, "The engine cannot bring it up.")))
	case provider.DeployDown, provider.DeployGone: // it lost it, for example as it was started anew: it is told again
		d.Observed = 0
		return next, v.move(Deploying, "The engine does not have it up any more; it is put up again.")
	}
	next.After = v.checks()
	return next, nil // a word that is not known changes nothing
}

// resting is found for one that is to be stopped.
func (v *visit) resting(s provider.DeployState) (next work.Next, err error) {
	switch s.Phase {
	case provider.DeployDown, provider.DeployGone, provider.DeployBroken:
		next.After = settled
		return next, v.move(Stopped, "")
	}
	next.After = comingUp
	return next, nil
}

// lost is the error with which a deployment that an engine lost is looked at
// again: with growing pauses, if it loses it each time.
func (v *visit) lost(s provider.DeployState) error {
	if v.d.Observed == 0 && v.d.Capacity > 0 {
		return fmt.Errorf("the engine says that it is %s", s.Phase)
	}
	return nil
}

func (v *visit) checks() time.Duration {
	if v.Checks > 0 {
		return v.Checks
	}
	return checksUsual
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// remove has the engine let go what it keeps, also what was put up and never
// noted, and then the deployment is gone.
func (v *visit) remove(ctx context.Context) (work.Next, error) {
	d := &v.d
	if p, there := v.Engines.Provider(d.Provider); there {
		at, err := v.deployer(p)
		if err == nil {
			err = clear(ctx, at, d)
		}
		if err != nil && ctx.Err() == nil {
			if reason := say(err); reason != d.Reason {
				d.Reason = reason
				if err := v.keep(ctx); err != nil {
					return work.Next{}, err
				}
			}
		}
		if err != nil {
			return work.Next{}, err
		}
	}
	why := system(*d, "deployments:gone", fmt.Sprintf("took away the deployment %s", d.Name))
	return work.Next{Done: true}, v.Store.DropDeployment(ctx, d.Workspace, *d, v.lease, why)
}

func clear(ctx context.Context, at provider.Deployer, d *Deployment) error {
	if d.Handle != "" {
		if err := at.Remove(ctx, d.Handle); err != nil {
			return err
		}
	}
	handles, err := at.Handles(ctx, d.Engine)
	if err != nil {
		return err
	}
	for _, h := range handles {
		if err := at.Remove(ctx, h); err != nil {
			return err
		}
	}
	return nil
}
