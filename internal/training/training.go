// Package training makes models: a job trains a base model, or one of the
// workspace's own, on the workspace's data, and what comes of it is the
// workspace's alone.
package training

import (
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// Tuned is a model that came of a training, or of one of its checkpoints. It is
// its workspace's alone, and callable there once it is deployed.
type Tuned struct {
	ID         ident.Tuned
	Account    ident.Account
	Workspace  ident.Workspace
	Name       ident.Model // what callers write: "{base}-{suffix}-ft-{yyyyMMddHHmm}-{4hex}"
	Base       ident.Model // the model of the catalogue that it goes back to
	Training   ident.Training
	Checkpoint string // empty: the end of the training
	Provider   ident.Provider
	Artifact   provider.Artifact
	// What it was made of, for those who ask later.
	DataSHA256 string
	Method     provider.Method
	Adapter    provider.Adapter
	Hyper      provider.Hyper
	CreatedAt  time.Time
	CreatedBy  ident.User
	Version    int64
}
