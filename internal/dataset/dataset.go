// Package dataset keeps the files that models are trained on: what they may look
// like, and what is wrong with one that does not.
package dataset

import (
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// Dataset is a name under which versions of a training file follow each other.
type Dataset struct {
	ID          ident.Dataset
	Account     ident.Account
	Workspace   ident.Workspace
	Name        string
	Description string
	Method      provider.Method // what its examples teach: dialogues, preferences, plain text
	CreatedAt   time.Time
	CreatedBy   ident.User
	Version     int64 // of this row
}

// State is how far the validation of a version is.
type State string

// The states. Only a valid version can be trained on, and it never changes again.
const (
	Validating State = "validating"
	Valid      State = "valid"
	Invalid    State = "invalid"
)

// Version is one file of a dataset. Programs know it as a file of their own.
type Version struct {
	ID        ident.File
	Dataset   ident.Dataset
	Account   ident.Account
	Workspace ident.Workspace
	Number    int    // 1, 2, …: V1, V2 on screens
	FileName  string // as it was uploaded, for people only
	Size      int64  // bytes
	SHA256    string // hexadecimal
	MD5       string // hexadecimal; DashScope's answers tell it
	Examples  int
	Tokens    int64 // estimated
	State     State
	CreatedAt time.Time
	CreatedBy ident.User
	ByKey     ident.Key // the key it came with; empty: the console
}
