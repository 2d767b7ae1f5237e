package openai

import (
	"context"
	"net/http"
	"strings"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

// there begins the handles of deployments: the platform answers for its models
// anyway, so that there is nothing to put up, and nothing to take away.
const there = "is:"

// Deploys implements provider.Deployer: models that the platform has.
func (p *Platform) Deploys(_ string, a *provider.Artifact) error {
	if a == nil || a.Format == provider.FormatRemote && a.Remote != "" {
		return nil
	}
	return fault.New(fault.Invalid, "This provider takes no models from elsewhere: it answers for those that it has.").Because(provider.ErrUnsupported)
}

// Accepts implements provider.Accepter.
func (p *Platform) Accepts() []string { return []string{"", provider.FormatRemote} }

// Apply implements provider.Deployer.
func (p *Platform) Apply(ctx context.Context, d provider.DeploySpec) (string, error) {
	if err := p.Deploys(d.Base, d.Model); err != nil {
		return "", err
	}
	name := d.Base
	if d.Model != nil {
		name = d.Model.Remote
	}
	has, err := p.answersFor(ctx, name)
	if err == nil && !has && d.Model != nil {
		err = fault.New(fault.Busy, "The provider does not answer for the tuned model yet.")
	}
	if err == nil && !has {
		err = fault.New(fault.Invalid, "The provider does not have the model %s.", name).Because(provider.ErrUnsupported)
	}
	return there + name, err
}

// Status implements provider.Deployer.
func (p *Platform) Status(ctx context.Context, handle string) (provider.DeployState, error) {
	name := strings.TrimPrefix(handle, there)
	switch has, err := p.answersFor(ctx, name); {
	case err != nil:
		return provider.DeployState{}, err
	case !has:
		return provider.DeployState{Phase: provider.DeployGone}, nil
	}
	return provider.DeployState{Phase: provider.DeployUp, Replicas: 1, Calls: name}, nil
}

// answersFor reports whether the platform has a model. One that cannot be asked
// for a single model is asked for all.
func (p *Platform) answersFor(ctx context.Context, name string) (bool, error) {
	err := p.Ask(ctx, line.Request{Method: http.MethodGet, Path: "models/" + name}, nil)
	if !fault.Is(err, fault.Missing) {
		return err == nil, err
	}
	all, err := p.Models(ctx)
	for _, n := range all {
		if n == name {
			return true, nil
		}
	}
	return false, err
}

// Remove implements provider.Deployer.
func (p *Platform) Remove(context.Context, string) error { return nil }

// Handles implements provider.Deployer: there are none of ours.
func (p *Platform) Handles(context.Context, string) ([]string, error) { return nil, nil }

// Discard implements provider.Discarder.
func (p *Platform) Discard(ctx context.Context, a provider.Artifact) error {
	if a.Remote == "" {
		return nil
	}
	if err := p.Ask(ctx, line.Request{Method: http.MethodDelete, Path: "models/" + a.Remote}, nil); !fault.Is(err, fault.Missing) {
		return err
	}
	return nil
}
