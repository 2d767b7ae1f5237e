package deployment

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/work"
)

// Work is the kind under which deployments are leased.
const Work work.Kind = "deployment"

// Ref names a deployment's work.
func Ref(ws ident.Workspace, id ident.Deployment) string { return string(ws) + "/" + string(id) }

// LoopStore is what the loop needs of storage. Everything is written under the
// lease, in one transaction with the check that it stands; work.ErrLost when it
// does not. A conflict means that the deployment was changed since it was read.
type LoopStore interface {
	Store
	// NoteDeployment keeps what was found of a deployment. With an event the policy
	// learns of it too.
	NoteDeployment(ctx context.Context, ws ident.Workspace, d Deployment, l work.Lease, moved []Moved, why audit.Event) error
	// DropDeployment ends a deployment of which no engine keeps anything any more.
	DropDeployment(ctx context.Context, ws ident.Workspace, d Deployment, l work.Lease, why audit.Event) error
	// DeploymentsAt lists the deployments at a provider, those being deleted too.
	DeploymentsAt(ctx context.Context, a ident.Account, p ident.Provider) ([]Deployment, error)
}

// Engines is what the loop asks of the present world.
type Engines interface {
	World
	// Provider finds a configured one; false: it is gone.
	Provider(id ident.Provider) (provider.Provider, bool)
	Providers() []provider.Provider // of every account
}

// Loop brings engines to what is wanted of deployments.
type Loop struct {
	*Service
	Store   LoopStore
	Engines Engines
	Checks  time.Duration // between two looks at one that is up; 0: 10 s
}

// Pauses between two looks.
const (
	checksUsual = 10 * time.Second
	comingUp    = time.Second // while an engine is at it
	settled     = 10 * time.Minute
	statusMost  = 30 * time.Second // that an engine may take to say how it is
)

// visit is one look at one deployment.
type visit struct {
	*Loop
	lease work.Lease
	d     Deployment
	moved []Moved
}

// Do looks at one deployment and brings it a step further. It is work.Runner's Do.
func (l *Loop) Do(ctx context.Context, h *work.Held) (work.Next, error) {
	ws, id, _ := strings.Cut(h.Ref, "/")
	d, err := l.Store.Deployment(ctx, ident.Workspace(ws), ident.Deployment(id))
	if fault.Is(err, fault.Missing) {
		return work.Next{Done: true}, nil
	}
	if err != nil {
		return work.Next{}, err
	}
	v := &visit{Loop: l, lease: h.Lease, d: d}
	next, err := v.step(ctx)
	if fault.Is(err, fault.Conflict) { // it was changed meanwhile: look again
		return work.Next{}, nil
	}
	return next, err
}

func (v *visit) step(ctx context.Context) (work.Next, error) {
	switch {
	case v.d.State == Deleting:
		return v.remove(ctx)
	case v.d.State == Failed:
		return work.Next{After: settled}, nil
	case v.d.Observed < v.d.Desired:
		if next, done, err := v.apply(ctx); done || err != nil {
			return next, err
		}
	}
	return v.look(ctx)
}

// apply tells the engine what is wanted. Done means that there is nothing to be
// looked at.
func (v *visit) apply(ctx context.Context) (next work.Next, done bool, err error) {
	d := &v.d
	if err := v.Engines.Refresh(ctx); err != nil {
		return next, false, err
	}
	if d.State == Pending {
		if err := v.move(Deploying, ""); err != nil {
			return next, false, err
		}
		if err := v.keep(ctx); err != nil {
			return next, false, err
		}
	}
	place, deployer, spec, why := v.spec(ctx)
	if why != nil {
		next, err = v.refused(ctx, why)
		return next, true, err
	}
	spec.Base = place.Name
	handle, err := deployer.Apply(ctx, spec)
	if err != nil {
		next, err = v.refused(ctx, err)
		return next, true, err
	}
	d.Handle, d.Observed = handle, spec.Generation
	return next, false, v.keep(ctx)
}

// spec says what the engine is to do.
func (v *visit) spec(ctx context.Context) (p provider.Place, at provider.Deployer, s provider.DeploySpec, err error) {
	d := &v.d
	if d.Capacity > 0 && !d.State.Up() && !v.Engines.Holds(d.Workspace, d.Base, d.needs()) {
		return p, nil, s, denied(d.Base, d.needs())
	}
	if p, err = v.place(); err != nil {
		return p, nil, s, err
	}
	if at, err = v.deployer(p.Provider); err != nil {
		return p, nil, s, err
	}
	s = provider.DeploySpec{Deployment: d.ID, Workspace: d.Workspace, Generation: d.Desired, Replicas: d.Capacity, Name: d.Engine}
	if d.Tuned != "" {
		t, err := v.Store.Tuned(ctx, d.Workspace, d.Tuned)
		if fault.Is(err, fault.Missing) {
			return p, nil, s, fault.New(fault.Missing, "The tuned model is gone.")
		}
		if err != nil {
			return p, nil, s, fault.New(fault.Unavailable, "The tuned model could not be read.").Because(err)
		}
		s.Model = v.artifact(t)
	}
	return p, at, s, nil
}

// place is where the deployment lives. A base that is not served there any more
// is stopped and taken away all the same.
func (v *visit) place() (provider.Place, error) {
	for _, p := range v.Engines.Places(v.d.Account, v.d.Base) {
		if p.Provider.ID == v.d.Provider {
			return p, nil
		}
	}
	p, there := v.Engines.Provider(v.d.Provider)
	switch {
	case !there:
		return provider.Place{}, fault.New(fault.Missing, "The provider that kept it is gone.")
	case v.d.Capacity > 0 && v.d.Tuned == "":
		return provider.Place{}, fault.New(fault.Missing, "The provider %s does not serve %s any more.", p.Name, v.d.Base)
	}
	return provider.Place{Provider: p, Name: string(v.d.Base)}, nil
}

// refused notes that an engine did not do as it was told. What may go well later
// is tried again with growing pauses; for the rest the deployment has failed.
func (v *visit) refused(ctx context.Context, cause error) (work.Next, error) {
	if ctx.Err() != nil {
		return work.Next{}, cause
	}
	reason := say(cause)
	if !later(cause) {
		if err := v.move(Failed, reason); err != nil {
			return work.Next{}, err
		}
		return work.Next{After: settled}, v.keep(ctx)
	}
	if v.d.State.Up() && v.d.State != Degraded {
		if err := v.move(Degraded, reason); err != nil {
			return work.Next{}, err
		}
	}
	if v.d.Reason != reason || len(v.moved) > 0 {
		v.d.Reason = reason
		if err := v.keep(ctx); err != nil {
			return work.Next{}, err
		}
	}
	return work.Next{}, cause
}

// later reports whether the same may go well another time.
func later(err error) bool {
	return fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Busy) || errors.Is(err, provider.ErrRoom) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

func say(err error) string {
	var f *fault.Fault
	switch {
	case errors.As(err, &f):
		return f.Message
	case errors.Is(err, provider.ErrRoom):
		return "The engine has no room for it now."
	case errors.Is(err, provider.ErrUnsupported):
		return "The engine cannot put it up."
	case errors.Is(err, context.DeadlineExceeded):
		return "The engine did not answer in time."
	}
	return "The engine failed to do it."
}

// move brings the deployment to another state; staying is no move.
func (v *visit) move(to State, reason string) error {
	if v.d.State == to {
		v.d.Reason = reason
		return nil
	}
	m, err := v.d.Move(to, reason, v.Now())
	if err == nil {
		v.moved = append(v.moved, m)
	}
	return err
}

// keep writes what was found, with an event where callers notice it.
func (v *visit) keep(ctx context.Context) error {
	d, moved := v.d, v.moved
	why := audit.Event{}
	if len(moved) > 0 {
		why = system(d, "deployments:"+string(d.State), fmt.Sprintf("found the deployment %s %s", d.Name, d.State)).Changed("state", string(moved[0].From), string(d.State))
		if d.Reason != "" {
			why = why.With("reason", d.Reason)
		}
	}
	if err := v.Store.NoteDeployment(ctx, d.Workspace, d, v.lease, moved, why); err != nil {
		return err
	}
	v.d.Version++
	v.moved = nil
	return nil
}

// system begins an event of the program itself.
func system(d Deployment, action, summary string) audit.Event {
	return audit.Event{
		ID: ident.NewEvent(), Account: d.Account, Workspace: d.Workspace, ActorKind: audit.System, ActorName: "bailiwick",
		Action: action, Object: string(d.ID), ObjectKind: "deployment", ObjectName: string(d.Name), Summary: summary,
	}
}
