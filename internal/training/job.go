package training

import (
	"time"

	"bailiwick/internal/dataset"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// Job is one training.
type Job struct {
	ID        ident.Training
	Account   ident.Account
	Workspace ident.Workspace
	Name      string // for people; the id unless they chose one

	Model   ident.Model // what was asked for: a model of the catalogue, or an own tuned one
	Base    ident.Model // the model of the catalogue that it is, or goes back to
	From    ident.Tuned // the tuned model that it goes on from; empty: the base as it is
	Method  provider.Method
	Adapter provider.Adapter
	Train   []Source
	Valid   []Source // none: Split says
	// Split is how many of a hundred examples are learnt from where there is no
	// validation set; the others measure. 100: nothing is measured.
	Split int
	Hyper provider.Hyper

	Suffix string
	Output ident.Model    // what the result is called
	Result ident.Tuned    // and its id; there once the job has succeeded
	Deploy bool           // put up for calls when it has succeeded
	Clone  ident.Training // the job that it was made like; empty: none
	// Metadata is what the program that asked for it wants to be told again.
	Metadata map[string]string

	Provider ident.Provider // who trains it; empty: not chosen yet
	Engine   string         // what that provider was called when it was chosen
	Demo     bool           // it is the engine for trying things out
	Handle   string         // the engine's, for remote ones
	Cursor   provider.Cursor

	State         State
	Reason        string
	Message       string
	Step, Steps   int64
	Epoch         int
	Left          time.Duration // until the end, as far as is known; 0: it is not
	Tokens        int64         // of the files, estimated
	TrainedTokens int64
	Attempts      int   // times the engine lost it
	Restarts      int   // times it was gone on with since it last came further
	Lines         int64 // of its log

	Price     Price
	CreatedAt time.Time
	CreatedBy ident.User
	Creator   string // as they were called then
	ByKey     ident.Key
	StartedAt time.Time
	EndedAt   time.Time
	UpdatedAt time.Time
	Version   int64
}

// Source is a file of examples as a job knows it. It never changes, and the job
// tells of it when the file is gone.
type Source struct {
	File     ident.File `json:"file"`
	Name     string     `json:"name"` // of the dataset, with the version
	SHA256   string     `json:"sha256"`
	Size     int64      `json:"size"` // bytes
	Examples int        `json:"examples"`
	Tokens   int64      `json:"tokens"` // estimated
}

func sourceOf(v dataset.Version, name string) Source {
	return Source{File: v.ID, Name: name, SHA256: v.SHA256, Size: v.Size, Examples: v.Examples, Tokens: v.Tokens}
}

// Price is what training costs, in the words of the catalogue's price list.
type Price struct {
	Millionths int64  // of the currency, for a million tokens; 0: nothing is asked
	Currency   string // "CNY"
}

// Cost is what so many tokens cost, in millionths of the currency.
func (p Price) Cost(tokens int64) int64 {
	return p.Millionths*(tokens/1e6) + p.Millionths*(tokens%1e6)/1e6
}

// Curve is a measured value by step.
type Curve struct {
	Name   string // as in provider.Point
	Points []provider.Point
}

// Checkpoint is a state on the way that can be published.
type Checkpoint struct {
	provider.Checkpoint
	At        time.Time
	Published ident.Model // as; empty: not
}

// LinesMost is how many lines a log keeps; what the engine says after them is
// left out, the moves between states are not.
const LinesMost = 20_000

// CurveMost is how many points a curve keeps: of more every second one is left out.
const CurveMost = 2000
