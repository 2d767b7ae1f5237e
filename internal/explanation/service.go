package explanation

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/secret"
)

// Service is what people can ask about decisions.
type Service struct {
	Store  Store
	Policy interface{ Now() *policy.Snapshot }
	Pepper secret.Pepper
	// Note keeps the audit event of a question; it may do so later. Nil: none is kept.
	Note func(audit.Event)
	Now  func() time.Time
}

// Ask is a call that somebody wonders about, as it was said.
type Ask struct {
	Key    string      // the id of a key
	Secret secret.Text // or what a program presents; it is digested at once and kept nowhere
	// The ways the call names its workspace; empty: not used.
	Header, Path, Host string
	Model              string // empty: only who is calling, and where
	Capability         string // empty: call
	Address            string // where the call comes from; empty: not said
}

// Explain says what would be decided now. Nothing is called. Asked of a
// workspace it needs keys:read there and speaks of its keys alone; of the whole
// account (the empty workspace) it needs grants:read. What cannot be is a fault
// on "key", "workspace", "model", "capability" or "address".
func (s *Service) Explain(ctx context.Context, by access.Actor, ws ident.Workspace, ask Ask) (Answer, error) {
	if err := may(by, ws); err != nil {
		return Answer{}, err
	}
	now := s.Policy.Now()
	q, formed, err := s.question(now, by.Account, ws, ask)
	if err != nil {
		return Answer{}, err
	}
	answer, err := s.answer(ctx, now, by.Account, ws, q, formed)
	if err == nil {
		s.note(by, ws, string(answer.Key), "asked why a call of "+orElse(ask.Model, "no model")+" is "+verdict(answer.Allowed))
	}
	return answer, err
}

// Answer is Explain for the command line, which may read the database anyway.
func (s *Service) Answer(ctx context.Context, a ident.Account, ask Ask) (Answer, error) {
	now := s.Policy.Now()
	q, formed, err := s.question(now, a, "", ask)
	if err != nil {
		return Answer{}, err
	}
	return s.answer(ctx, now, a, "", q, formed)
}

func verdict(allowed bool) string {
	if allowed {
		return "allowed"
	}
	return "refused"
}

// may refuses those who may not ask.
func may(by access.Actor, ws ident.Workspace) error {
	if ws == "" {
		return by.Require(access.ReadGrants)
	}
	return by.RequireIn(ws, access.ReadKeys)
}

func (s *Service) note(by access.Actor, ws ident.Workspace, object, summary string) {
	if s.Note != nil {
		s.Note(by.Event("decisions:explain", ws, object, summary))
	}
}

// question reads what was said. It also tells whether what is presented has
// the form of a key.
func (s *Service) question(now *policy.Snapshot, a ident.Account, ws ident.Workspace, ask Ask) (q policy.Question, formed bool, err error) {
	q = policy.Question{At: s.Now(), Header: strings.TrimSpace(ask.Header), Path: strings.TrimSpace(ask.Path), Host: strings.ToLower(strings.TrimSpace(ask.Host))}
	for _, name := range []string{q.Header, q.Path, q.Host} {
		if len(name) > mostName {
			return q, false, fault.Field("workspace", "A Workspace ID has at most %d characters.", mostName)
		}
	}
	if ask.Model != "" {
		if q.Model, err = ident.ParseModel(strings.TrimSpace(ask.Model)); err != nil {
			return q, false, err
		}
		if q.Capability, err = catalogue.ParseCapability(orElse(ask.Capability, catalogue.Call.String())); err != nil {
			return q, false, fault.Field("capability", "Choose call, train or deploy.")
		}
	}
	if ask.Address != "" {
		if q.Address, err = netip.ParseAddr(strings.TrimSpace(ask.Address)); err != nil || q.Address.Zone() != "" {
			return q, false, fault.Field("address", "Write an IP address, such as 192.0.2.7 or 2001:db8::7.")
		}
	}
	if formed, err = s.present(now, a, ws, ask, &q); err != nil {
		return q, false, err
	}
	return q, formed, beyond(now, ws, q)
}

// present puts the key into the question. One of somebody else counts as not
// known: whoever asks learns nothing of it.
func (s *Service) present(now *policy.Snapshot, a ident.Account, ws ident.Workspace, ask Ask, q *policy.Question) (formed bool, err error) {
	text := strings.TrimSpace(ask.Secret.Reveal())
	switch {
	case text != "":
		q.Presented = true
		if secret.WellFormed(text) {
			q.Digest, formed = s.Pepper.Digest(text), true
		} else {
			q.Digest, q.Until, formed = s.Pepper.OpenTemporary(text)
		}
		if k := now.KeyBy(q.Digest); k != nil && (k.Account != a || ws != "" && k.Workspace != ws) {
			q.Digest = secret.Digest{}
		}
	case ask.Key != "":
		id, err := ident.ParseKey(strings.TrimSpace(ask.Key))
		k := now.Key(id)
		if err != nil || k == nil || k.Account != a || ws != "" && k.Workspace != ws {
			return false, fault.Field("key", "There is no such API key here.")
		}
		q.Presented, q.Digest, formed = true, k.Digest, true
	}
	return formed, nil
}

// beyond refuses what those who administer one workspace may not learn: what a
// key that may name every workspace finds in the others.
func beyond(now *policy.Snapshot, ws ident.Workspace, q policy.Question) error {
	if ws == "" {
		return nil
	}
	for _, name := range []string{q.Header, q.Path, q.Host} {
		if name != "" && name != string(ws) && now.NamesAny(q) {
			return fault.Field("workspace", "This key may name other workspaces of the account, and what it finds there is for the account owner or a super administrator to ask.")
		}
	}
	return nil
}

// answer explains a question in words, of one workspace those that its people may read.
func (s *Service) answer(ctx context.Context, now *policy.Snapshot, a ident.Account, ws ident.Workspace, q policy.Question, formed bool) (Answer, error) {
	say := speech{Explanation: now.Explain(q), nameOf: now.WorkspaceName, wellKnown: formed}
	if err := s.introduce(ctx, ws, &say); err != nil {
		return Answer{}, err
	}
	out := Answer{Allowed: say.Allowed(), At: q.At, Version: say.Version, Model: q.Model}
	if k := say.Key; k != nil && (ws == "" || k.Workspace == ws) {
		out.Key, out.Workspace = k.ID, k.Workspace
	}
	if say.Workspace != nil {
		out.Workspace = say.Workspace.ID
	}
	for _, step := range say.Steps {
		line := Line{Check: step.Check, Title: Title(step.Check, q.Capability, q.Person != ""), State: step.State}
		if step.State != policy.Unasked {
			line.Found = say.found(step.Check, step.State == policy.Failed)
			var err error
			if line.Set, err = s.setter(ctx, a, ws, say, step); err != nil {
				return Answer{}, err
			}
		}
		out.Lines = append(out.Lines, line)
	}
	if out.Allowed && q.Model != "" && q.Capability == catalogue.Call {
		out.Bounds = say.bounds()
	}
	for _, c := range say.Changes {
		out.Changes = append(out.Changes, say.change(c))
	}
	return out, nil
}

// introduce finds how the key and its owner are called. A key that comes from
// another workspace, as the account owner's may, keeps its name to itself.
func (s *Service) introduce(ctx context.Context, ws ident.Workspace, say *speech) error {
	k := say.Key
	if k == nil {
		k = say.Stale
	}
	if k == nil {
		return nil
	}
	if ws != "" && k.Workspace != ws {
		say.key, say.owner = "A key of the account owner", "The account owner"
		return nil
	}
	kept, err := s.Store.Key(ctx, k.Workspace, k.ID)
	if fault.Is(err, fault.Missing) { // deleted this moment
		say.key, say.owner = string(k.ID), string(k.Owner)
		return nil
	}
	say.owner = kept.OwnerName
	if say.key = secret.Masked(kept.Hint); kept.Description != "" {
		say.key += " (" + quoted(kept.Description) + ")"
	}
	return err
}
