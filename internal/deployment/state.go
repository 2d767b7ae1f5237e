package deployment

import (
	"fmt"
	"slices"
	"time"
)

// State is how far a deployment is.
type State string

// The states. One that is deleted is gone with its row.
const (
	Pending   State = "pending"   // asked for
	Deploying State = "deploying" // an engine is told to put it up
	Running   State = "running"   // every replica answers
	Updating  State = "updating"  // it answers, and is brought to what is wanted now
	Degraded  State = "degraded"  // fewer replicas than wanted answer
	Stopped   State = "stopped"   // kept, and not up
	Failed    State = "failed"    // it will not come up by itself
	Deleting  State = "deleting"
)

// States lists them as filters show them.
var States = []State{Pending, Deploying, Running, Updating, Degraded, Stopped, Failed, Deleting}

// moves are the only ones there are.
var moves = map[State][]State{
	Pending:   {Deploying, Stopped, Failed, Deleting},
	Deploying: {Running, Degraded, Updating, Stopped, Failed, Deleting},
	Running:   {Updating, Degraded, Deploying, Failed, Deleting},
	Degraded:  {Running, Updating, Deploying, Failed, Deleting},
	Updating:  {Running, Degraded, Deploying, Stopped, Failed, Deleting},
	Stopped:   {Deploying, Deleting},
	Failed:    {Deploying, Stopped, Deleting},
	Deleting:  {},
}

// Up reports whether calls are sent to it.
func (s State) Up() bool { return s == Running || s == Degraded || s == Updating }

// Moved is one move, as the deployment's history keeps it.
type Moved struct {
	At     time.Time
	From   State // empty: it was asked for
	To     State
	Reason string
}

// Move brings a deployment to another state. It is the one place where states
// change; whoever calls it keeps what it gives in the same transaction. A move
// that does not exist is an error of ours.
func (d *Deployment) Move(to State, reason string, at time.Time) (Moved, error) {
	if !slices.Contains(moves[d.State], to) {
		return Moved{}, fmt.Errorf("deployment %s: there is no move from %s to %s", d.ID, d.State, to)
	}
	m := Moved{At: at, From: d.State, To: to, Reason: reason}
	switch {
	case to.Up() && !d.State.Up():
		d.UpSince, d.Booked = at, at
	case !to.Up() && d.State.Up():
		d.UpSince, d.Booked, d.Ready = time.Time{}, time.Time{}, 0
	}
	d.State, d.Reason, d.UpdatedAt = to, reason, at
	return m, nil
}

// want notes that something else is wanted from now on: the loop brings the
// engine to it. One that is up stays up meanwhile.
func (d *Deployment) want(capacity int, at time.Time) (Moved, error) {
	if d.Capacity = capacity; capacity > 0 {
		d.Before = capacity
	}
	d.Desired++
	d.UpdatedAt = at
	switch d.State {
	case Running, Degraded:
		return d.Move(Updating, "", at)
	case Stopped, Failed:
		return d.Move(Deploying, "", at)
	}
	return Moved{}, nil // it is on its way already, and is looked at again
}
