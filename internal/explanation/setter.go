package explanation

import (
	"context"
	"slices"

	"bailiwick/internal/account"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

// looked is how many events of one thing are looked through.
const looked = 50

// setter finds who made a check what it is: the last event of the trail that
// set it. Of another workspace nothing is told.
func (s *Service) setter(ctx context.Context, a ident.Account, ws ident.Workspace, say speech, step policy.Step) (*Set, error) {
	f, actions := say.deed(step.Check, step.State == policy.Failed)
	if len(actions) == 0 || ws != "" && f.Workspace != "" && f.Workspace != ws {
		return nil, nil
	}
	f.Limit = looked
	page, _, err := s.Store.Trail(ctx, a, f)
	if err != nil {
		return nil, err
	}
	for _, l := range page {
		if slices.Contains(actions, l.Action) {
			return &Set{By: l.ActorName, At: l.At, Summary: l.Summary, Event: l.ID}, nil
		}
	}
	return nil, nil
}

// deed says where the trail tells who set a check, and by which acts; none where
// nobody set it.
func (s speech) deed(c policy.Check, failed bool) (f account.TrailFilter, actions []string) {
	key := account.TrailFilter{Action: "keys:"}
	if k := s.Key; k != nil {
		key.Workspace, key.Object = k.Workspace, string(k.ID)
	} else if k := s.Stale; k != nil {
		key.Workspace, key.Object = k.Workspace, string(k.ID)
	}
	switch {
	case c == policy.KeyKnown && s.Stale != nil:
		return key, []string{"keys:reset"}
	case c == policy.KeyKnown && !failed:
		return key, []string{"keys:issue"}
	case c == policy.KeyEnabled && failed:
		return key, []string{"keys:disable"}
	case c == policy.KeyCurrent && s.Question.Until.IsZero() && !s.Key.Expires.IsZero(),
		c == policy.AddressAllowed && s.Key.Terms().Networks != nil, c == policy.KeyCovers && s.Key.Terms().Models != nil:
		return key, []string{"keys:edit", "keys:issue"}
	case c == policy.OwnerBelongs && failed:
		return account.TrailFilter{Object: string(s.Key.Owner)}, []string{"users:disable", "users:delete", "members:remove"}
	case c == policy.WorkspaceNamed && failed:
		return account.TrailFilter{Object: string(s.Account.ID), Text: "name workspace"}, []string{"settings:change"}
	case c == policy.Granted:
		return s.granting(failed)
	}
	return f, nil
}

func (s speech) granting(failed bool) (f account.TrailFilter, actions []string) {
	w, m, c := s.Workspace, s.Model.ID, s.Question.Capability
	if s.Model.Private() {
		m, c = s.Model.Base, s.Model.Needs
	}
	switch {
	case w.Default:
		return f, nil
	case !failed && w.CallAll && c == catalogue.Call:
		return account.TrailFilter{Workspace: w.ID, Object: string(w.ID), Text: "every model"}, []string{"grants:change"}
	}
	word := "granted "
	if failed {
		word = "revoked "
	}
	return account.TrailFilter{Workspace: w.ID, Object: string(m), Text: word + c.Title()}, []string{"grants:change"}
}
