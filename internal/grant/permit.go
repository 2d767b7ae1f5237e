package grant

import (
	"context"
	"fmt"
	"strconv"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Flags are what a workspace shall hold of a model: true grants, false revokes,
// nil leaves it as it is.
type Flags struct {
	Model               ident.Model
	Call, Train, Deploy *bool
}

// Of gives the flag of a capability.
func (f Flags) Of(c catalogue.Capability) *bool {
	switch c {
	case catalogue.Call:
		return f.Call
	case catalogue.Train:
		return f.Train
	case catalogue.Deploy:
		return f.Deploy
	}
	return nil
}

// All says what becomes of the right to call every model.
type All string

// The choices.
const (
	Keep  All = ""      // as it is
	Open  All = "open"  // every model may be called, future ones too
	Close All = "close" // that ends, and every calling grant with it
)

// Permit is what one workspace shall hold. All is done first, so that what is
// granted beside Close is there afterwards.
type Permit struct {
	All    All
	Models []Flags
}

// MaxPermitted is how many models can be named at once.
const MaxPermitted = 20

// PermitStore is what Permit needs of storage.
type PermitStore interface {
	// PermitWorkspace makes a sub-workspace hold what is said, all of it or
	// nothing. Each event's maker is asked once for what really changes.
	PermitWorkspace(ctx context.Context, a ident.Account, ws ident.Workspace, p Permit, by string,
		why func(Subject, bool) audit.Event, all func(open bool, cleared int) audit.Event) error
}

// Permit changes what one sub-workspace holds, all of it or nothing. It needs
// grants:change. A capability the model does not offer cannot be granted.
func (s *Service) Permit(ctx context.Context, by access.Actor, ws ident.Workspace, p Permit) error {
	if err := by.Require(access.ChangeGrants); err != nil {
		return err
	}
	if n := len(p.Models); n > MaxPermitted || n == 0 && p.All == Keep {
		return fault.Field("models", "Name 1 to %d models.", MaxPermitted)
	}
	named := map[ident.Model]bool{}
	for _, f := range p.Models {
		if named[f.Model] {
			return fault.Field("models", "Model %s is named twice.", f.Model)
		}
		named[f.Model] = true
		if err := s.offers(ctx, by, f); err != nil {
			return err
		}
	}
	return s.Store.PermitWorkspace(ctx, by.Account, ws, p, by.FullName(),
		func(subject Subject, granted bool) audit.Event {
			c := Change{Revoked: []ident.Workspace{ws}}
			if granted {
				c = Change{Granted: []ident.Workspace{ws}}
			}
			return explain(by, subject, c)
		},
		func(open bool, cleared int) audit.Event {
			summary := "granted Model Calling of every model"
			if !open {
				summary = fmt.Sprintf("ended Model Calling of every model, and %d grants", cleared)
			}
			return by.Event(access.ChangeGrants, ws, string(ws), summary).Changed("all models", strconv.FormatBool(!open), strconv.FormatBool(open))
		})
}

// notOffered is the original's word for each capability.
var notOffered = map[catalogue.Capability]string{catalogue.Call: "Inference", catalogue.Train: "Finetune", catalogue.Deploy: "Deploy"}

func (s *Service) offers(ctx context.Context, by access.Actor, f Flags) error {
	m, err := s.Store.Model(ctx, by.Account, f.Model)
	if err != nil {
		return err
	}
	for _, c := range catalogue.All {
		if to := f.Of(c); to != nil && *to && !m.Offers.Has(c) {
			return fault.Field("models", "Model %s is not authorized for %s", m.ID, notOffered[c])
		}
	}
	return nil
}
