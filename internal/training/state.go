package training

import (
	"slices"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// State is how far a job is.
type State string

// The states. The last three are final: what comes after them is a new job.
const (
	Validating State = "validating" // what it learns from is being looked at
	Queued     State = "queued"
	Starting   State = "starting"
	Running    State = "running"
	Exporting  State = "exporting"  // the training is over, and the model is being written
	Cancelling State = "cancelling" // somebody asked for the end, and the engine has not come to it
	Succeeded  State = "succeeded"
	Failed     State = "failed"
	Cancelled  State = "cancelled"
)

// States lists them in the order a job goes through them.
var States = []State{Validating, Queued, Starting, Running, Exporting, Cancelling, Succeeded, Failed, Cancelled}

// Over reports whether the state is final.
func (s State) Over() bool { return s == Succeeded || s == Failed || s == Cancelled }

// moves are the ways from each state. What is not here does not happen.
var moves = map[State][]State{
	Validating: {Queued, Failed, Cancelled},
	Queued:     {Starting, Failed, Cancelled},
	Starting:   {Running, Exporting, Succeeded, Failed, Cancelling, Cancelled, Queued},
	Running:    {Exporting, Succeeded, Failed, Cancelling, Cancelled, Queued},
	Exporting:  {Succeeded, Failed, Cancelling, Cancelled, Queued},
	// The engine's last word wins over the wish to end.
	Cancelling: {Cancelled, Succeeded, Failed},
}

// Why is the reason of a move, as a machine's word and for people.
type Why struct {
	Reason  string // "authorization_revoked"; empty: the usual way
	Message string // may quote the engine
}

// Reasons that are ours; engines have more.
const (
	ReasonRevoked  = "authorization_revoked"
	ReasonData     = "dataset_invalid"
	ReasonLost     = "engine_lost"
	ReasonCrashes  = "keeps_crashing"
	ReasonTime     = "time_limit"
	ReasonEngine   = "engine_error"
	ReasonNoEngine = "no_engine"
	ReasonBadValue = "invalid_value"
	ReasonWaiting  = "engine_busy" // no failure: it is tried again
)

// Move brings a job to another state, and is the only way there: whatever the
// state brings with it is set here, and the entry that it returns is the line of
// the job's log, which is kept in the same transaction. A move that is none of
// the allowed ones is a conflict and changes nothing.
func (j *Job) Move(to State, at time.Time, why Why) (Entry, error) {
	if !slices.Contains(moves[j.State], to) {
		return Entry{}, fault.New(fault.Conflict, "A training that is %s cannot become %s.", j.State, to).About("state")
	}
	from := j.State
	j.State, j.Reason, j.Message = to, why.Reason, why.Message
	switch to {
	case Queued:
		j.Handle, j.Cursor, j.Left = "", "", 0
	case Starting:
		if j.StartedAt.IsZero() {
			j.StartedAt = at
		}
	case Succeeded, Failed, Cancelled:
		j.EndedAt, j.Left = at, 0
	}
	return Entry{At: at, State: to, Text: sentence(from, to, why)}, nil
}

// sentence says a move in words.
func sentence(from, to State, why Why) string {
	text := map[State]string{
		Queued: "Waiting for its turn.", Starting: "Starting.", Running: "Training.", Exporting: "Writing the model.",
		Cancelling: "Asked to end.", Succeeded: "Succeeded.", Failed: "Failed.", Cancelled: "Cancelled.",
	}[to]
	if to == Queued && from != Validating {
		text = "Waiting to be tried again."
	}
	if why.Message != "" {
		text += " " + why.Message
	}
	return text
}

// Cancel is the move to the end that somebody asks for: at once where no engine
// has begun.
func (j *Job) Cancel(at time.Time) (Entry, error) {
	switch {
	case j.State == Validating || j.State == Queued:
		return j.Move(Cancelled, at, Why{})
	case j.State == Cancelling:
		return Entry{}, fault.New(fault.Conflict, "This training is being cancelled already.").About("state")
	case j.State.Over():
		return Entry{}, fault.New(fault.Conflict, "This training is over: it %s.", past[j.State]).About("state")
	}
	return j.Move(Cancelling, at, Why{})
}

var past = map[State]string{Succeeded: "succeeded", Failed: "failed", Cancelled: "was cancelled"}

// Entry is one line of a job's log: a move to another state, or what the engine said.
type Entry struct {
	Number int64 // 1, 2, 3 … within the job
	At     time.Time
	State  State // empty: a line of the engine's
	Text   string
}

// begin is the first line of a job's log.
func (j *Job) begin(at time.Time) Entry {
	return Entry{At: at, State: j.State, Text: "Created by " + j.Creator + ". Looking at its files."}
}

// Ref names a job as leased work.
func Ref(ws ident.Workspace, id ident.Training) string { return string(ws) + "/" + string(id) }
