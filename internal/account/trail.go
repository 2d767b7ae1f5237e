package account

import (
	"context"
	"iter"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// TrailFilter chooses lines of the trail, newest first. What is empty does not
// choose.
type TrailFilter struct {
	Workspace ident.Workspace // the lines that concern it
	Actor     string          // as the lines call them, such as "alice@acme", or the id of a user or key
	Kind      audit.Kind      // what the actor is
	Action    string          // "keys:delete"; with a colon at its end, "keys:", everything with keys
	Object    string          // the id of what it was done to
	Result    audit.Result
	Text      string    // part of what the line says, of the object, the address or the request, regardless of case
	From, To  time.Time // from the one on, before the other
	After     string    // the cursor the previous page ended with
	Limit     int
}

// TrailLine is a line as lists show it.
type TrailLine struct {
	audit.Line
	WorkspaceName string // empty: none, or it is gone
}

// TrailStore is what the Trail service needs of storage.
type TrailStore interface {
	// Trail gives one page and the cursor of the next; empty: no more. What no
	// index finds is looked for in a bounded number of lines at a time: then a
	// page can have few lines, or none, and still be followed by another.
	Trail(ctx context.Context, a ident.Account, f TrailFilter) (page []TrailLine, next string, err error)
	// TrailEvent gives one line; with a workspace it is missing unless it concerns that one.
	TrailEvent(ctx context.Context, a ident.Account, ws ident.Workspace, id ident.Event) (TrailLine, error)
}

// Trail is what people can read of the audit trail. Whoever reads one
// workspace's sees what was done in it by whomever, and nothing else.
type Trail struct {
	Store   TrailStore
	Checker *audit.Checker
	Record  func(audit.Event) // keeps what changes nothing, and does not wait
}

// Checkup says what the last verification of the account's chain found. It
// needs what reading the trail needs; who reads that of one workspace is told
// whether the chain is whole, and nothing that counts the account's lines.
func (s *Trail) Checkup(by access.Actor, ws ident.Workspace) (audit.Checkup, error) {
	if _, err := within(by, ws, TrailFilter{}); err != nil {
		return audit.Checkup{}, err
	}
	c := s.Checker.Last(by.Account)
	if ws == "" {
		return c, nil
	}
	seen := audit.Checkup{Running: c.Running, Ended: c.Ended, Failed: c.Failed}
	if !c.Report.Whole() {
		seen.Report.Findings = []audit.Finding{{What: "The account owner and super administrators see what was found."}}
	}
	return seen, nil
}

// Verify begins to verify the account's chain, or joins who did, and waits for
// the end as long as ctx lets it. It needs audit:verify.
func (s *Trail) Verify(ctx context.Context, by access.Actor) (audit.Checkup, error) {
	if err := by.Require(access.VerifyAudit); err != nil {
		return audit.Checkup{}, err
	}
	s.Record(by.Event(access.VerifyAudit, "", string(by.Account), "asked to verify the audit trail"))
	return s.Checker.Check(ctx, by.Account), nil
}

// List gives one page of the trail: of one workspace, which needs
// workspace:read-audit there, or of the whole account, which needs audit:read.
func (s *Trail) List(ctx context.Context, by access.Actor, ws ident.Workspace, f TrailFilter) ([]TrailLine, string, error) {
	f, err := within(by, ws, f)
	if err != nil {
		return nil, "", err
	}
	return s.Store.Trail(ctx, by.Account, f)
}

// Find gives one line, with the same condition.
func (s *Trail) Find(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Event) (TrailLine, error) {
	if _, err := within(by, ws, TrailFilter{}); err != nil {
		return TrailLine{}, err
	}
	return s.Store.TrailEvent(ctx, by.Account, ws, id)
}

// exportPage is how many lines an export holds in memory at once.
const exportPage = 500

// Export gives every line that the filter chooses, a page at a time, with the
// same condition. Its first error may be shown; a later one ends what was begun.
func (s *Trail) Export(ctx context.Context, by access.Actor, ws ident.Workspace, f TrailFilter) (iter.Seq2[TrailLine, error], error) {
	f, err := within(by, ws, f)
	if err != nil {
		return nil, err
	}
	f.Limit = exportPage
	page, next, err := s.Store.Trail(ctx, by.Account, f)
	if err != nil {
		return nil, err
	}
	return func(yield func(TrailLine, error) bool) {
		for {
			for _, l := range page {
				if !yield(l, nil) {
					return
				}
			}
			if f.After = next; next == "" {
				return
			}
			if page, next, err = s.Store.Trail(ctx, by.Account, f); err != nil {
				yield(TrailLine{}, err)
				return
			}
		}
	}, nil
}

// within asks for leave to read a workspace's trail or, without one, the
// account's, and bounds the filter to it.
func within(by access.Actor, ws ident.Workspace, f TrailFilter) (TrailFilter, error) {
	if ws == "" {
		return f, by.Require(access.ReadAudit)
	}
	if f.Workspace != "" && f.Workspace != ws {
		return f, fault.NoSuch("workspace")
	}
	f.Workspace = ws
	return f, by.RequireIn(ws, access.ReadTrail)
}
