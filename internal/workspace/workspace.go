// Package workspace is about the unit that keys, grants, jobs and usage belong
// to. Each department of a company has its own.
package workspace

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// DefaultName is the name of the workspace every account begins with.
const DefaultName = "Default Workspace"

// NameMax is how many characters a name may have.
const NameMax = 30

// Workspace is one department's.
type Workspace struct {
	ID        ident.Workspace
	Account   ident.Account
	Name      string
	Default   bool // made with the account; may do everything; cannot be deleted
	CallAll   bool // authorized to call every model, future ones too
	CreatedAt time.Time
	Version   int64
}

// Listed is a workspace as Workspace Management shows it.
type Listed struct {
	Workspace
	Administrators []string // display names
}

// Filter chooses workspaces for a list: the Default Workspace first, then by name.
type Filter struct {
	Search string            // part of name or id, regardless of case
	Only   []ident.Workspace // nil: all of the account
	After  string            // the cursor the previous page ended with; empty: from the start
	Limit  int
}

// Remain is one kind of thing that keeps a workspace from being deleted.
type Remain struct {
	Kind  string // "datasets", "keys", "grants", "members"
	Count int
}

// Allowance is how many workspaces an account has added, of how many.
type Allowance struct{ Used, Limit int }

// Store is what the service needs of storage. Every change carries the audit
// event that explains it, and both are kept or neither is.
type Store interface {
	// InsertWorkspace counts against the account's limit in the same
	// transaction: Full at the limit, Conflict if the name is taken.
	InsertWorkspace(ctx context.Context, a ident.Account, w Workspace, why audit.Event) error
	// RenameWorkspace is a conflict with field "version" unless version is the
	// present one, and one with field "name" if the name is taken.
	RenameWorkspace(ctx context.Context, a ident.Account, id ident.Workspace, name string, version int64, why audit.Event) error
	// DeleteWorkspace deletes what holds nothing any more; otherwise it gives
	// what remains and deletes nothing. The Default Workspace is missing to it.
	DeleteWorkspace(ctx context.Context, a ident.Account, id ident.Workspace, why audit.Event) ([]Remain, error)
	Remains(ctx context.Context, a ident.Account, id ident.Workspace) ([]Remain, error)
	Workspace(ctx context.Context, a ident.Account, id ident.Workspace) (Workspace, error)
	// Workspaces gives one page and the cursor of the next; empty: no more.
	Workspaces(ctx context.Context, a ident.Account, f Filter) (page []Listed, next string, err error)
	Allowance(ctx context.Context, a ident.Account) (Allowance, error)
}

// Service is what people can do with workspaces.
type Service struct {
	Store Store
	Now   func() time.Time
	// Deleted is told of a workspace that is gone, to clear up after it; nil: nobody is.
	Deleted func(ident.Workspace)
}

// Add makes a workspace. It needs workspaces:add; a bad or taken name is a
// fault on field "name"; at the limit the fault is Full.
func (s *Service) Add(ctx context.Context, by access.Actor, name string) (Workspace, error) {
	if err := by.Require(access.AddWorkspace); err != nil {
		return Workspace{}, err
	}
	name, err := CleanName(name)
	if err != nil {
		return Workspace{}, err
	}
	w := Workspace{ID: ident.NewWorkspace(), Account: by.Account, Name: name, CreatedAt: s.Now(), Version: 1}
	err = s.Store.InsertWorkspace(ctx, by.Account, w, by.Event(access.AddWorkspace, w.ID, string(w.ID), fmt.Sprintf("added workspace %q", name)).Changed("name", "", name))
	return w, taken(err, name)
}

// Rename gives a workspace another name; its id stays. It needs
// workspaces:rename; a version that is not the present one is a conflict.
func (s *Service) Rename(ctx context.Context, by access.Actor, id ident.Workspace, name string, version int64) error {
	if err := by.Require(access.RenameWorkspace); err != nil {
		return err
	}
	name, err := CleanName(name)
	if err != nil {
		return err
	}
	w, err := s.Store.Workspace(ctx, by.Account, id)
	if err != nil {
		return err
	}
	why := by.Event(access.RenameWorkspace, id, string(id), fmt.Sprintf("renamed workspace %q to %q", w.Name, name)).Changed("name", w.Name, name)
	return taken(s.Store.RenameWorkspace(ctx, by.Account, id, name, version, why), name)
}

// Delete deletes an empty workspace. It needs workspaces:delete. What still
// belongs to the workspace is returned with a Conflict; nothing is deleted then.
func (s *Service) Delete(ctx context.Context, by access.Actor, id ident.Workspace) ([]Remain, error) {
	w, err := s.deletable(ctx, by, id)
	if err != nil {
		return nil, err
	}
	remains, err := s.Store.DeleteWorkspace(ctx, by.Account, id, by.Event(access.DeleteWorkspace, "", string(id), fmt.Sprintf("deleted workspace %q", w.Name)).About("workspace", w.Name).Changed("name", w.Name, ""))
	if err == nil && len(remains) > 0 {
		err = fault.New(fault.Conflict, "This workspace still holds something. Clear it first.")
	}
	if err == nil && s.Deleted != nil {
		s.Deleted(id)
	}
	return remains, err
}

// Remains says what would keep a workspace from being deleted. It needs workspaces:delete.
func (s *Service) Remains(ctx context.Context, by access.Actor, id ident.Workspace) (Workspace, []Remain, error) {
	w, err := s.deletable(ctx, by, id)
	if err != nil {
		return Workspace{}, nil, err
	}
	remains, err := s.Store.Remains(ctx, by.Account, id)
	return w, remains, err
}

func (s *Service) deletable(ctx context.Context, by access.Actor, id ident.Workspace) (Workspace, error) {
	if err := by.Require(access.DeleteWorkspace); err != nil {
		return Workspace{}, err
	}
	w, err := s.Store.Workspace(ctx, by.Account, id)
	if err == nil && w.Default {
		err = fault.New(fault.Forbidden, "The Default Workspace cannot be deleted.")
	}
	return w, err
}

// Find gives a workspace the actor may enter; any other is missing.
func (s *Service) Find(ctx context.Context, by access.Actor, id ident.Workspace) (Workspace, error) {
	if err := by.RequireIn(id, access.EnterWorkspace); err != nil {
		return Workspace{}, err
	}
	return s.Store.Workspace(ctx, by.Account, id)
}

// List gives one page of the workspaces the actor may enter, and the cursor of
// the next. It needs workspaces:list.
func (s *Service) List(ctx context.Context, by access.Actor, f Filter) ([]Listed, string, error) {
	if err := by.Require(access.ListWorkspaces); err != nil {
		return nil, "", err
	}
	if !by.Everywhere() {
		f.Only = make([]ident.Workspace, 0, len(by.In))
		for id := range by.In {
			f.Only = append(f.Only, id)
		}
	}
	return s.Store.Workspaces(ctx, by.Account, f)
}

// Allowance says how many workspaces are used of how many. It needs workspaces:list.
func (s *Service) Allowance(ctx context.Context, by access.Actor) (Allowance, error) {
	if err := by.Require(access.ListWorkspaces); err != nil {
		return Allowance{}, err
	}
	return s.Store.Allowance(ctx, by.Account)
}

// CleanName trims a workspace's name and checks it: 1–30 characters, none of
// them control characters.
func CleanName(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", fault.Field("name", "Give the workspace a name of 1–%d characters.", NameMax)
	case n > NameMax:
		return "", fault.Field("name", "A workspace name has at most %d characters; this one has %d.", NameMax, n)
	case !utf8.ValidString(name) || strings.IndexFunc(name, unprintable) >= 0:
		return "", fault.Field("name", "A workspace name holds no control characters.")
	}
	return name, nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// taken puts the words to a name that another workspace has.
func taken(err error, name string) error {
	if f, ok := fault.On(err, "name"); ok && f.Kind == fault.Conflict {
		return fault.New(fault.Conflict, "There is already a workspace named %q.", name).About("name")
	}
	return err
}
