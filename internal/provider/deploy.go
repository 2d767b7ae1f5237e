package provider

import (
	"context"

	"bailiwick/internal/ident"
)

// DeploySpec is one deployment as an engine is told of it.
type DeploySpec struct {
	Deployment ident.Deployment
	Workspace  ident.Workspace
	Generation int64     // grows with every change of what is wanted
	Base       string    // the base model's name at the provider
	Model      *Artifact // the tuned model; nil: the base as it is
	Replicas   int       // 0: kept, and not running
	// Name is what the model is to be called there: "bw-" and 26 random
	// characters, so that knowing a deployment's public name gives nothing.
	Name string
}

// DeployPhase is how far a deployment is with the engine.
type DeployPhase string

// The phases.
const (
	DeployStarting DeployPhase = "starting"
	DeployUp       DeployPhase = "up"
	DeployDegraded DeployPhase = "degraded" // fewer replicas than wanted answer
	DeployDown     DeployPhase = "down"     // kept, and not running
	DeployBroken   DeployPhase = "broken"   // it will not come up by itself
	DeployGone     DeployPhase = "gone"
)

// DeployState is what an engine says of a deployment.
type DeployState struct {
	Phase    DeployPhase
	Replicas int // that answer
	Reason   string
	Message  string
	// Calls is the model's name in calls to the provider; empty: the Name of the spec.
	Calls string
}

// Deployer is a server that keeps models ready. It is found by asking a Server for it.
type Deployer interface {
	// Deploys reports whether a model can be put up there: the base as it is, or
	// an artifact of a format that the engine reads.
	Deploys(base string, a *Artifact) error
	// Apply brings a deployment to what is wanted; the same again changes nothing.
	Apply(ctx context.Context, s DeploySpec) (handle string, err error)
	// Status says how it is; one that is not there is DeployGone and no error. An
	// engine that keeps nothing while it does not run it says DeployGone of that too.
	Status(ctx context.Context, handle string) (DeployState, error)
	// Remove takes it away; one that is not there is no error.
	Remove(ctx context.Context, handle string) error
	// Handles lists what the engine keeps whose names begin with a prefix, so that
	// what nobody wants any more is found.
	Handles(ctx context.Context, prefix string) ([]string, error)
}

// NamePrefix begins every name that we give a model at an engine. Callers cannot
// name such a model.
const NamePrefix = "bw-"
