package grant

import (
	"context"
	"slices"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Row is one model in the matrix of who may do what with which model.
type Row struct {
	Model    ident.Model
	Name     string
	Offers   catalogue.Capabilities
	Versions map[catalogue.Capability]int64             // of the lists
	Holders  map[catalogue.Capability][]ident.Workspace // sub-workspaces with a grant of their own, by id
}

// MatrixFilter chooses rows of the matrix, by model id.
type MatrixFilter struct {
	Search    string          // part of the model's id or name, regardless of case
	Workspace ident.Workspace // empty: all; else only what this one was granted, and nothing of others
	After     string          // the cursor the previous page ended with
	Limit     int
}

// MatrixStore is what reading the matrix needs of storage.
type MatrixStore interface {
	GrantMatrix(ctx context.Context, a ident.Account, f MatrixFilter) (page []Row, next string, err error)
}

// Matrix gives one page of the grants of every model. It needs grants:read.
// What a workspace may do without a grant of its own (the Default Workspace,
// "authorize all") is not in it.
func (s *Service) Matrix(ctx context.Context, by access.Actor, f MatrixFilter) ([]Row, string, error) {
	if err := by.Require(access.ReadGrants); err != nil {
		return nil, "", err
	}
	return s.Store.GrantMatrix(ctx, by.Account, f)
}

// tries is how often Set begins again when others edit the same list.
const tries = 5

// Set makes one sub-workspace hold a subject, or not, whatever others hold. It
// needs grants:change. Where nothing changes nothing is written.
func (s *Service) Set(ctx context.Context, by access.Actor, subject Subject, ws ident.Workspace, held bool) error {
	for try := 1; ; try++ {
		list, err := s.List(ctx, by, subject)
		if err != nil {
			return err
		}
		e := Edit{Version: list.Version}
		known := false
		for _, h := range list.Holders {
			known = known || h.Workspace == ws
			if h.Granted && h.Workspace != ws {
				e.Authorized = append(e.Authorized, h.Workspace)
			}
		}
		if !known {
			return fault.New(fault.Invalid, "The Default Workspace may do everything: only sub-workspaces are authorized.").About("workspace")
		}
		if held {
			e.Authorized = append(e.Authorized, ws)
			slices.Sort(e.Authorized)
		}
		_, err = s.Authorize(ctx, by, subject, e)
		if _, stale := fault.On(err, "version"); !stale || try == tries {
			return err
		}
	}
}
