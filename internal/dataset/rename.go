package dataset

import (
	"context"
	"strings"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Words are what a dataset is called, and what is said of it.
type Words struct{ Name, Description string }

// Words gives those of a dataset.
func (d Dataset) Words() Words { return Words{d.Name, d.Description} }

// Rename gives a dataset other words; its versions and their digests stay, and
// trainings that used it keep the name that it had. It needs datasets:change.
// Words that are not those it was seen with are a conflict; what is badly said is
// a fault on "name" or "description".
func (s *Service) Rename(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Dataset, seen, to Words) error {
	if err := by.RequireIn(ws, access.ChangeDatasets); err != nil {
		return err
	}
	to = Words{strings.TrimSpace(to.Name), strings.TrimSpace(to.Description)}
	if to.Name == "" {
		return fault.Field("name", "A dataset has a name.")
	}
	if err := shows("name", to.Name, MaxName); err != nil {
		return err
	}
	if err := describes(to.Description); err != nil {
		return err
	}
	why := by.Event("datasets:rename", ws, string(id), "renamed a dataset").About("dataset", to.Name).
		Changed("name", seen.Name, to.Name).Changed("description", seen.Description, to.Description)
	return s.Store.RenameDataset(ctx, ws, id, seen, to, why)
}
