// Package usage is about what calls consumed. Every call, refused ones too,
// leaves one record.
package usage

import (
	"context"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Source says where the figures of a record came from.
type Source string

// The sources.
const (
	FromProvider Source = "provider"  // the provider said so
	Counted      Source = "counted"   // we counted them
	Estimated    Source = "estimated" // the provider said nothing; worked out from the size of the text
	Nothing      Source = ""          // nothing was consumed
)

// Record is what one call consumed.
type Record struct {
	Call      ident.Call
	At        time.Time // when it came in
	Account   ident.Account
	Workspace ident.Workspace
	Key       ident.Key // empty: the console's own
	Model     ident.Model
	Dialect   string // "openai", "dashscope" or "anthropic"
	Provider  ident.Provider
	Input     int // tokens
	Output    int // tokens
	Cached    int // of Input: tokens read from a cache
	Reasoning int // of Output: tokens of reasoning
	Source    Source
	Status    int    // HTTP
	Code      string // of a refusal or failure, in the caller's dialect (Anthropic's has none: the native one); empty: none
	Stream    bool
	Duration  time.Duration // until the last byte
	FirstByte time.Duration // until the first byte of the answer; zero: none came
}

// Listed is a record as lists show it.
type Listed struct {
	Record
	KeyDescription string
}

// Filter chooses records for a list, newest first.
type Filter struct {
	From, To time.Time // half open; zero: unbounded
	Model    ident.Model
	Failed   bool   // only those with a code
	After    string // the cursor the previous page ended with
	Limit    int
}

// Sum is the total of some records.
type Sum struct {
	Calls, Failed int
	Input, Output int // tokens
}

// Day is the sum of one UTC day.
type Day struct {
	Day time.Time
	Sum
}

// ByModel is the sum of one model.
type ByModel struct {
	Model ident.Model
	Sum
}

// Store is what recorder and service need of storage.
type Store interface {
	// InsertUsage keeps records in one transaction; those whose call is there
	// already are left as they are.
	InsertUsage(ctx context.Context, records []Record) error
	Usage(ctx context.Context, ws ident.Workspace, f Filter) (page []Listed, next string, err error)
	UsageByDay(ctx context.Context, ws ident.Workspace, from, to time.Time) ([]Day, error)
	UsageByModel(ctx context.Context, ws ident.Workspace, from, to time.Time) ([]ByModel, error)
	// KeysUsed notes when keys were last used.
	KeysUsed(ctx context.Context, at map[ident.Key]time.Time) error
}

// Service is what people can see of usage.
type Service struct {
	Store Store
	Now   func() time.Time
}

// Report is what the Usage page of a workspace shows.
type Report struct {
	From, To time.Time
	Sum      Sum
	Days     []Day // every day of the period, empty ones too
	Models   []ByModel
	Calls    []Listed
	Next     string
}

// MaxDays is the longest period of a report.
const MaxDays = 366

// Report sums and lists a workspace's usage in the last days, today included
// (UTC). It needs usage:read there; days is 1–366.
func (s *Service) Report(ctx context.Context, by access.Actor, ws ident.Workspace, days int, f Filter) (Report, error) {
	if err := by.RequireIn(ws, access.ReadUsage); err != nil {
		return Report{}, err
	}
	if days < 1 || days > MaxDays {
		return Report{}, fault.Field("days", "Choose a period of 1–%d days.", MaxDays)
	}
	r := Report{To: s.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)}
	r.From = r.To.AddDate(0, 0, -days)
	f.From, f.To = r.From, r.To
	found, err := s.Store.UsageByDay(ctx, ws, r.From, r.To)
	if err != nil {
		return Report{}, err
	}
	r.Days = everyDay(r.From, days, found)
	for _, d := range found {
		r.Sum.Calls, r.Sum.Failed = r.Sum.Calls+d.Calls, r.Sum.Failed+d.Failed
		r.Sum.Input, r.Sum.Output = r.Sum.Input+d.Input, r.Sum.Output+d.Output
	}
	if r.Models, err = s.Store.UsageByModel(ctx, ws, r.From, r.To); err != nil {
		return Report{}, err
	}
	r.Calls, r.Next, err = s.Store.Usage(ctx, ws, f)
	return r, err
}

// everyDay puts the days with no usage between those that have some.
func everyDay(from time.Time, days int, found []Day) []Day {
	all := make([]Day, days)
	for i := range all {
		all[i].Day = from.AddDate(0, 0, i)
	}
	for _, d := range found {
		if i := int(d.Day.Sub(from).Hours() / 24); i >= 0 && i < days {
			all[i].Sum = d.Sum
		}
	}
	return all
}
