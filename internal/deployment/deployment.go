// Package deployment keeps models ready to be called under names of their own,
// in the workspace that deployed them and nowhere else.
package deployment

import (
	"time"

	"bailiwick/internal/ident"
)

// State is how far a deployment is.
type State string

// The states. Deleted is the end; the row is gone soon after.
const (
	Pending   State = "pending"
	Deploying State = "deploying"
	Running   State = "running"
	Updating  State = "updating"
	Degraded  State = "degraded"
	Stopped   State = "stopped"
	Failed    State = "failed"
	Deleting  State = "deleting"
)

// Deployment is a model put up for calls.
type Deployment struct {
	ID        ident.Deployment
	Account   ident.Account
	Workspace ident.Workspace
	Name      ident.Model // what callers write as model; one in the account, and none of the catalogue's
	Title     string      // for people
	Base      ident.Model // the model of the catalogue that it is, or goes back to
	Tuned     ident.Tuned // empty: the base as it is
	Provider  ident.Provider
	Engine    string // the model's name at the provider: "bw-" and 26 random characters
	Calls     string // the name to call it by there, once it is up
	Handle    string // the engine's handle, for Status and Remove
	Capacity  int    // replicas that are wanted; 0: stopped
	Ready     int    // replicas that answer
	State     State
	Reason    string // why it failed, for people
	Desired   int64  // generation that is wanted
	Observed  int64  // generation that the engine was brought to
	CreatedAt time.Time
	CreatedBy ident.User
	ByKey     ident.Key
	UpSince   time.Time // zero: not up; hours are booked from here
	Version   int64
}
