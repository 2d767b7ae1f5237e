package usage

import (
	"cmp"
	"context"
	"slices"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Store is what the service needs of storage. Everything is of one account.
type Store interface {
	// Usage lists calls, newest first.
	Usage(ctx context.Context, a ident.Account, f Filter, p Page) (page []Listed, next string, err error)
	// UsageCall gives one call of a workspace, or of any where none is named.
	UsageCall(ctx context.Context, a ident.Account, ws ident.Workspace, id ident.Call, at time.Time) (Listed, error)
	// UsageSums sums calls up: the lines of a period follow one another.
	UsageSums(ctx context.Context, a ident.Account, q Query) ([]Line, error)
	// Beside sums up what was consumed beside calls, the most expensive first.
	Beside(ctx context.Context, a ident.Account, f Filter) ([]Beside, error)
}

// Service is what people can see of usage.
type Service struct {
	Store Store
	Now   func() time.Time
}

// Question is what a report is about: a workspace's calls or, where none is
// named, the account's.
type Question struct {
	Filter // From and To begin days
	By     Dimension
}

// Report is what the Usage page shows.
type Report struct {
	Question
	Step    Step
	Sum     Sum
	Before  Sum      // of the same time before From
	Lines   []Line   // by the dimension; the most tokens first
	Top     []Line   // those of Lines that the columns tell apart
	Columns []Column // every period of the time, empty ones too
}

// Column is one period of a report.
type Column struct {
	At    time.Time
	Sum   Sum
	Parts []Sum // one for each of Top, and one for all others
}

// MaxDays is the longest time of a report.
const MaxDays = 3 * 366

// tops is how many things a picture tells apart.
const tops = 6

// Report sums up the calls of a time. It needs usage:read in the workspace, or
// account-usage:read where none is named.
func (s *Service) Report(ctx context.Context, by access.Actor, q Question) (Report, error) {
	if err := mayRead(by, q.Workspace); err != nil {
		return Report{}, err
	}
	r := Report{Question: q, Step: Day}
	switch days := q.To.Sub(q.From).Hours() / 24; {
	case days < 1 || q.From.Truncate(24*time.Hour) != q.From || q.To.Truncate(24*time.Hour) != q.To:
		return Report{}, fault.Field("from", "The last day must not be before the first.")
	case days > MaxDays:
		return Report{}, fault.Field("from", "Choose at most %d days.", MaxDays)
	case days <= 2:
		r.Step = Hour
	}
	return r, s.fill(ctx, by.Account, &r)
}

func mayRead(by access.Actor, ws ident.Workspace) error {
	if ws == "" {
		return by.Require(access.ReadAllUsage)
	}
	return by.RequireIn(ws, access.ReadUsage)
}

func (s *Service) fill(ctx context.Context, a ident.Account, r *Report) (err error) {
	before := Query{Filter: r.Filter}
	before.From, before.To = r.From.Add(-r.To.Sub(r.From)), r.From
	if now := s.Now(); now.Before(r.To) && now.After(r.From) { // compare with as much of the time before
		before.To = before.From.Add(now.Sub(r.From).Truncate(time.Hour) + time.Hour)
		before.Hourly = true
	}
	lines, err := s.Store.UsageSums(ctx, a, before)
	if err != nil {
		return err
	}
	for _, l := range lines {
		r.Before.Add(l.Sum)
	}
	if r.Lines, err = s.Store.UsageSums(ctx, a, Query{Filter: r.Filter, By: r.By}); err != nil {
		return err
	}
	slices.SortStableFunc(r.Lines, func(a, b Line) int { return cmp.Or(cmp.Compare(b.Tokens(), a.Tokens()), cmp.Compare(b.Calls, a.Calls)) })
	names := []string{}
	for _, l := range r.Lines {
		if r.Sum.Add(l.Sum); len(r.Top) < tops {
			r.Top, names = append(r.Top, l), append(names, l.Name)
		}
	}
	lines, err = s.Store.UsageSums(ctx, a, Query{Filter: r.Filter, By: r.By, Step: r.Step, Apart: names})
	r.Columns = columns(*r, lines)
	return err
}

// columns puts the lines in their places.
func columns(r Report, lines []Line) []Column {
	all := make([]Column, r.To.Sub(r.From)/time.Duration(r.Step))
	for i := range all {
		all[i] = Column{At: r.From.Add(time.Duration(i) * time.Duration(r.Step)), Parts: make([]Sum, len(r.Top)+1)}
	}
	for _, l := range lines {
		i := int(l.At.Sub(r.From) / time.Duration(r.Step))
		if i < 0 || i >= len(all) {
			continue
		}
		part := len(r.Top)
		for n, top := range r.Top {
			if top.Name == l.Name {
				part = n
			}
		}
		all[i].Sum.Add(l.Sum)
		all[i].Parts[part].Add(l.Sum)
	}
	return all
}

// Calls lists single calls, newest first. It needs what Report needs.
func (s *Service) Calls(ctx context.Context, by access.Actor, f Filter, p Page) ([]Listed, string, error) {
	if err := mayRead(by, f.Workspace); err != nil {
		return nil, "", err
	}
	return s.Store.Usage(ctx, by.Account, f, p)
}

// Call gives one call. It needs what Report needs.
func (s *Service) Call(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Call, at time.Time) (Listed, error) {
	if err := mayRead(by, ws); err != nil {
		return Listed{}, err
	}
	return s.Store.UsageCall(ctx, by.Account, ws, id, at)
}
