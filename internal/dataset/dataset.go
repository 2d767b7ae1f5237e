// Package dataset keeps the files that models are trained on. A file is checked
// while it comes in and is kept only if nothing is wrong with it; from then on it
// never changes.
package dataset

import (
	"context"
	"fmt"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
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
	Creator     string // such as "alice@acme"
}

// Version is one file of a dataset, found good. Programs know it as a file of
// its own.
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
	Warnings  int
	CreatedAt time.Time
	CreatedBy ident.User
	Creator   string    // such as "alice@acme"
	ByKey     ident.Key // the key it came with; empty: the console

	// What is read with a version and not kept with it.
	Method      provider.Method
	Description string
}

// Listed is a dataset as lists show it.
type Listed struct {
	Dataset
	Versions int
	Bytes    int64 // of all versions
	Latest   Version
}

// Order is what a list is sorted by.
type Order string

// The orders. The usual one begins with what changed last.
const (
	ByChange Order = ""
	ByName   Order = "name"
	BySize   Order = "size" // the greatest first
)

// Filter chooses datasets for a list.
type Filter struct {
	Search   string          // part of the name, or of a file's id
	Method   provider.Method // empty: all
	Order    Order
	Reversed bool
	After    string // the cursor the previous page ended with
	Limit    int
}

// FileFilter chooses files for the lists that programs read, newest first.
type FileFilter struct {
	After  ident.File // only what is older (or newer, with Oldest) than this one
	Oldest bool       // the oldest first
	Skip   int
	Limit  int
}

// Quota is what a workspace may keep.
type Quota struct {
	Bytes    int64 // of all its files
	Files    int
	FileSize int64 // bytes of one file
}

// Use is what a workspace keeps.
type Use struct {
	Bytes int64
	Files int
}

// QuotaError is why a file has no room. It is the cause of a fault.
type QuotaError struct {
	Use   Use
	Quota Quota
	Count bool // too many files; else too many bytes
}

func (e *QuotaError) Error() string {
	if e.Count {
		return fmt.Sprintf("%d of %d files", e.Use.Files, e.Quota.Files)
	}
	return fmt.Sprintf("%d of %d bytes", e.Use.Bytes, e.Quota.Bytes)
}

// Store is what the service needs of storage. Every change carries the audit
// event that explains it, and both are kept or neither is.
type Store interface {
	DatasetQuota(ctx context.Context, a ident.Account) (Quota, error)
	DatasetUse(ctx context.Context, ws ident.Workspace) (Use, error)
	// InsertDataset keeps a dataset with its first version, counted against the quota in
	// the same transaction.
	InsertDataset(ctx context.Context, ws ident.Workspace, d Dataset, v Version, r Report, q Quota, why audit.Event) error
	// InsertVersion keeps a further version and gives its number.
	InsertVersion(ctx context.Context, ws ident.Workspace, v Version, r Report, q Quota, why audit.Event) (int, error)
	Dataset(ctx context.Context, ws ident.Workspace, id ident.Dataset) (Listed, error)
	Datasets(ctx context.Context, ws ident.Workspace, f Filter) (page []Listed, next string, err error)
	// Versions are those of a dataset, the newest first.
	Versions(ctx context.Context, ws ident.Workspace, id ident.Dataset) ([]Version, error)
	File(ctx context.Context, ws ident.Workspace, id ident.File) (Version, error)
	FileReport(ctx context.Context, ws ident.Workspace, id ident.File) (Report, error)
	Files(ctx context.Context, ws ident.Workspace, f FileFilter) (page []Version, total int, err error)
	// RenameDataset is a conflict unless its words are those it was seen with; one
	// that stays as it is leaves no event.
	RenameDataset(ctx context.Context, ws ident.Workspace, id ident.Dataset, seen, to Words, why audit.Event) error
	// DeleteFile deletes a version; a dataset goes with its last one.
	DeleteFile(ctx context.Context, ws ident.Workspace, id ident.File, why audit.Event) error
	DeleteDataset(ctx context.Context, ws ident.Workspace, id ident.Dataset, why audit.Event) error
	// KeptFiles are all files of a workspace, for the sweeper.
	KeptFiles(ctx context.Context, ws ident.Workspace) ([]ident.File, error)
	// HasWorkspace reports whether there is such a workspace, of whatever account. One
	// that was deleted never comes back.
	HasWorkspace(ctx context.Context, ws ident.Workspace) (bool, error)
}

// Job is a training that uses a file.
type Job struct {
	ID   ident.Training
	Name string
	Over bool // it ended; deleting the file changes nothing for it
}

// Service is what people and programs can do with training files.
type Service struct {
	Store  Store
	Folder *Folder
	// Jobs says which trainings use some files; nil: none ever does.
	Jobs func(ctx context.Context, ws ident.Workspace, files []ident.File) ([]Job, error)
	Now  func() time.Time

	uploads gate
}

// List gives one page of a workspace's datasets. It needs datasets:read there.
func (s *Service) List(ctx context.Context, by access.Actor, ws ident.Workspace, f Filter) ([]Listed, string, error) {
	if err := by.RequireIn(ws, access.ReadDatasets); err != nil {
		return nil, "", err
	}
	return s.Store.Datasets(ctx, ws, f)
}

// Find gives one dataset and its versions, the newest first. It needs datasets:read.
func (s *Service) Find(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Dataset) (Listed, []Version, error) {
	if err := by.RequireIn(ws, access.ReadDatasets); err != nil {
		return Listed{}, nil, err
	}
	d, err := s.Store.Dataset(ctx, ws, id)
	if err != nil {
		return Listed{}, nil, err
	}
	versions, err := s.Store.Versions(ctx, ws, id)
	return d, versions, err
}

// Files gives a page of a workspace's files, and how many there are. It needs datasets:read.
func (s *Service) Files(ctx context.Context, by access.Actor, ws ident.Workspace, f FileFilter) ([]Version, int, error) {
	if err := by.RequireIn(ws, access.ReadDatasets); err != nil {
		return nil, 0, err
	}
	return s.Store.Files(ctx, ws, f)
}

// File gives one file. It needs datasets:read.
func (s *Service) File(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.File) (Version, error) {
	if err := by.RequireIn(ws, access.ReadDatasets); err != nil {
		return Version{}, err
	}
	return s.Store.File(ctx, ws, id)
}

// Report gives what was found in a file. It needs datasets:read.
func (s *Service) Report(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.File) (Report, error) {
	if err := by.RequireIn(ws, access.ReadDatasets); err != nil {
		return Report{}, err
	}
	return s.Store.FileReport(ctx, ws, id)
}

// Room says what a workspace may keep and what it keeps. It needs datasets:read.
func (s *Service) Room(ctx context.Context, by access.Actor, ws ident.Workspace) (Quota, Use, error) {
	if err := by.RequireIn(ws, access.ReadDatasets); err != nil {
		return Quota{}, Use{}, err
	}
	q, err := s.Store.DatasetQuota(ctx, by.Account)
	if err != nil {
		return Quota{}, Use{}, err
	}
	u, err := s.Store.DatasetUse(ctx, ws)
	return q, u, err
}
