package store

import (
	"context"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

// Usage implements usage.Store.
func (s *Store) Usage(ctx context.Context, ws ident.Workspace, f usage.Filter) (page []usage.Listed, next string, err error) {
	type line struct {
		Row            usageRow `gorm:"embedded"`
		KeyDescription string
	}
	where, args, err := usageConditions(ws, f)
	if err != nil {
		return nil, "", err
	}
	size := pageSize(f.Limit)
	lines, err := of[line](s.read).Raw(`SELECT u.*, COALESCE(k.description, '') AS key_description FROM usage u
		LEFT JOIN keys k ON k.id = u.key_id AND k.account_id = u.account_id`+where+
		" ORDER BY u.at DESC, u.call_id DESC LIMIT ?", append(args, size+1)...).Find(ctx)
	if err != nil {
		return nil, "", explain(err, "usage")
	}
	lines, next = cut(lines, size, func(l line) string { return timeCursor(l.Row.At, string(l.Row.Call)) })
	page = make([]usage.Listed, len(lines))
	for i, l := range lines {
		page[i] = usage.Listed{Record: l.Row.record(), KeyDescription: l.KeyDescription}
	}
	return page, next, nil
}

// usageConditions puts together constant pieces; every value is an argument.
func usageConditions(ws ident.Workspace, f usage.Filter) (where string, args []any, err error) {
	where, args = usagePeriod(ws, f.From, f.To)
	if f.Model != "" {
		where, args = where+" AND u.model_id = ?", append(args, f.Model)
	}
	if f.Failed {
		where += " AND u.code <> ''"
	}
	if f.After != "" {
		at, call, err := readTimeCursor(f.After)
		if err != nil {
			return "", nil, err
		}
		where, args = where+" AND (u.at, u.call_id) < (?, ?)", append(args, at, call)
	}
	return where, args, nil
}

func usagePeriod(ws ident.Workspace, from, to time.Time) (where string, args []any) {
	where, args = " WHERE u.workspace_id = ?", []any{ws}
	if !from.IsZero() {
		where, args = where+" AND u.at >= ?", append(args, stampOf(from))
	}
	if !to.IsZero() {
		where, args = where+" AND u.at < ?", append(args, stampOf(to))
	}
	return where, args
}

// sums are the columns of usage.Sum.
const sums = `COUNT(*) AS calls, SUM(CASE WHEN u.code <> '' THEN 1 ELSE 0 END) AS failed, SUM(u.input) AS input, SUM(u.output) AS output`

type sumRow struct{ Calls, Failed, Input, Output int }

func (r sumRow) sum() usage.Sum { return usage.Sum(r) }

// UsageByDay implements usage.Store: the UTC days with usage, oldest first.
func (s *Store) UsageByDay(ctx context.Context, ws ident.Workspace, from, to time.Time) ([]usage.Day, error) {
	const day = stamp(24 * time.Hour / time.Microsecond)
	type line struct {
		Sum sumRow `gorm:"embedded"`
		Day int64  // since 1970
	}
	where, args := usagePeriod(ws, from, to)
	lines, err := of[line](s.read).Raw("SELECT u.at / 86400000000 AS day, "+sums+" FROM usage u"+where+" GROUP BY 1 ORDER BY 1", args...).Find(ctx)
	if err != nil {
		return nil, explain(err, "usage")
	}
	days := make([]usage.Day, len(lines))
	for i, l := range lines {
		days[i] = usage.Day{Day: (stamp(l.Day) * day).time(), Sum: l.Sum.sum()}
	}
	return days, nil
}

// UsageByModel implements usage.Store: the most called first.
func (s *Store) UsageByModel(ctx context.Context, ws ident.Workspace, from, to time.Time) ([]usage.ByModel, error) {
	type line struct {
		Sum   sumRow      `gorm:"embedded"`
		Model ident.Model `gorm:"column:model_id"`
	}
	where, args := usagePeriod(ws, from, to)
	lines, err := of[line](s.read).Raw("SELECT u.model_id, "+sums+" FROM usage u"+where+" GROUP BY u.model_id ORDER BY calls DESC, u.model_id", args...).Find(ctx)
	if err != nil {
		return nil, explain(err, "usage")
	}
	models := make([]usage.ByModel, len(lines))
	for i, l := range lines {
		models[i] = usage.ByModel{Model: l.Model, Sum: l.Sum.sum()}
	}
	return models, nil
}
