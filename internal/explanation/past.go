package explanation

import (
	"context"
	"fmt"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// Refused gives a call that the gateway refused, by its request id: what was
// decided then, and what would be now. It needs what Explain needs; those of
// unknown keys, and of other workspaces, are missing in a workspace. What is
// missing is a fault on "request".
func (s *Service) Refused(ctx context.Context, by access.Actor, ws ident.Workspace, request string) (Past, error) {
	if err := may(by, ws); err != nil {
		return Past{}, err
	}
	r, err := s.find(ctx, by.Account, request)
	if err == nil && ws != "" && r.Workspace != ws {
		err = noSuch()
	}
	if err != nil {
		return Past{}, err
	}
	p, err := s.past(ctx, by.Account, ws, r)
	if err == nil {
		s.note(by, r.Workspace, string(r.Call), "asked why a call was refused")
	}
	return p, err
}

// AnswerRefused is Refused for the command line.
func (s *Service) AnswerRefused(ctx context.Context, a ident.Account, request string) (Past, error) {
	r, err := s.find(ctx, a, request)
	if err != nil {
		return Past{}, err
	}
	return s.past(ctx, a, "", r)
}

// Place says where a person may read about a refused call: in a workspace or,
// where it is empty, in the account. It is missing to those who may not.
func (s *Service) Place(ctx context.Context, by access.Actor, request string) (ident.Workspace, error) {
	if by.May(access.ReadGrants) {
		return "", nil
	}
	if err := by.Require(access.Enter); err != nil {
		return "", err
	}
	r, err := s.find(ctx, by.Account, request)
	if err == nil && !by.MayIn(r.Workspace, access.ReadKeys) {
		err = noSuch()
	}
	return r.Workspace, err
}

// Recent gives one page of the refused calls of a workspace or of the account,
// newest first. It needs what Explain needs. Those of unknown keys are found by
// their request id alone.
func (s *Service) Recent(ctx context.Context, by access.Actor, ws ident.Workspace, after string, limit int) ([]Refusal, string, error) {
	if err := may(by, ws); err != nil {
		return nil, "", err
	}
	return s.Store.Refusals(ctx, by.Account, ws, after, limit)
}

func (s *Service) find(ctx context.Context, a ident.Account, request string) (Refusal, error) {
	call, err := ident.ParseCall(request)
	if err != nil {
		return Refusal{}, noSuch()
	}
	r, err := s.Store.Refusal(ctx, a, call)
	if fault.Is(err, fault.Missing) {
		err = noSuch()
	}
	return r, err
}

func noSuch() error {
	return fault.New(fault.Missing, "There is no refused call with this request id. They are kept for %d days, and show up within a second.", int(Retention.Hours()/24)).About("request")
}

func (s *Service) past(ctx context.Context, a ident.Account, ws ident.Workspace, r Refusal) (Past, error) {
	p := Past{Refusal: r}
	now := s.Policy.Now()
	if r.Check == policy.Nothing && r.Limit.Kind == limit.None {
		p.Cause = fmt.Sprintf("Every check of the policy that was made passed. It was refused otherwise: %d %s.", r.Status, r.Code)
	}
	for _, step := range policy.Steps(r.Made, r.Check, policy.Asked(r.Person != "", r.Model != "", r.Capability == catalogue.Call)) {
		line := Line{Check: step.Check, Title: Title(step.Check, r.Capability, r.Person != ""), State: step.State}
		if step.State == policy.Failed {
			line.Found = r.found()
		}
		p.Lines = append(p.Lines, line)
	}
	if r.Limit.Kind != limit.None {
		line, change := r.limited(now)
		p.Lines, p.Changes = append(p.Lines, line), []Change{change}
	}
	q, why := r.again(now, ws)
	if p.Unasked = why; why != "" {
		return p, nil
	}
	q.At = s.Now()
	answer, err := s.answer(ctx, now, a, ws, q, true)
	p.Now = &answer
	return p, err
}

// again is the question of a refused call as it can be asked now, or why it
// cannot.
func (r Refusal) again(now *policy.Snapshot, ws ident.Workspace) (policy.Question, string) {
	q := policy.Question{
		Presented: true, Person: r.Person, Header: r.Header, Path: r.Path, Host: r.Host, Address: r.Address, Until: r.Until, Model: r.Model, Capability: r.Capability,
	}
	if r.Person != "" {
		return q, ""
	}
	if r.Key == "" {
		return q, "Only the last characters of an unknown key are kept, so it cannot be asked about again. Paste the key below to ask."
	}
	k := now.Key(r.Key)
	if k == nil {
		return q, "The key was deleted since: every call with it is refused."
	}
	q.Digest = k.Digest
	if err := beyond(now, ws, q); err != nil {
		return q, fault.Show(err)
	}
	return q, ""
}

// found says what is known of the check that refused.
func (r Refusal) found() string {
	names := list(r.Header, r.Path, r.Host)
	switch r.Check {
	case policy.KeyPresented:
		return "None was sent."
	case policy.KeyKnown:
		if r.Hint == "" {
			return "What was presented has not the form of a key."
		}
		return "No key had the secret " + secret.Masked(r.Hint) + "."
	case policy.NamesAgree, policy.WorkspaceExists, policy.WorkspaceIsOurs:
		return "The call named " + names + "."
	case policy.WorkspaceNamed:
		return "The call named none."
	case policy.AddressAllowed:
		return "The call came from " + r.Address.String() + "."
	case policy.ModelExists, policy.ModelOffers, policy.KeyCovers, policy.IsServed:
		return "The call asked for " + string(r.Model) + "."
	case policy.Granted:
		return "The call asked for " + r.Capability.Title() + " of " + string(r.Model) + ", which the workspace was not authorized for (a deployment: for what it was made by)."
	}
	return ""
}
