package store

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

// usageLine is a call with everything a list shows of it.
type usageLine struct {
	Row            usageRow    `gorm:"embedded"`
	Series         usageSeries `gorm:"embedded;embeddedPrefix:s_"`
	Account        ident.Account
	Workspace      ident.Workspace
	KeyDescription string
	MemberName     string
	WorkspaceName  string
}

const usageLines = `SELECT c.at, c.cost, c.input, c.output, c.cached, c.reasoning, c.duration, c.first_byte, c.call_id,
	s.key_id AS s_key_id, s.member_id AS s_member_id, s.model_id AS s_model_id, s.provider_id AS s_provider_id, s.dialect AS s_dialect, s.stream AS s_stream,
	s.source AS s_source, s.status AS s_status, s.code AS s_code, s.currency AS s_currency, s.price_version AS s_price_version,
	p.account_id AS account, p.workspace_id AS workspace,
	COALESCE(k.description, '') AS key_description, COALESCE(m.log_on, '') AS member_name, COALESCE(w.name, '') AS workspace_name
	FROM usage_calls c JOIN usage_series s ON s.id = c.series JOIN usage_places p ON p.id = c.place
	LEFT JOIN keys k ON k.id = s.key_id AND k.account_id = p.account_id LEFT JOIN users m ON m.id = s.member_id AND m.account_id = p.account_id
	LEFT JOIN workspaces w ON w.id = p.workspace_id WHERE c.place = ?`

func (l usageLine) listed() usage.Listed {
	r, s := l.Row, l.Series
	return usage.Listed{
		Record: usage.Record{
			Call: ident.CallOf([16]byte(r.Call)), At: r.At.time(), Account: l.Account, Workspace: l.Workspace, Key: s.Key, Member: s.Member, Model: s.Model,
			Dialect: s.Dialect, Provider: s.Provider, Input: r.Input, Output: r.Output, Cached: r.Cached, Reasoning: r.Reasoning, Source: usageSources[s.Source],
			Cost: r.Cost, Currency: s.Currency, PriceVersion: s.PriceVersion, Status: s.Status, Code: s.Code, Stream: s.Stream,
			Duration: time.Duration(r.Duration) * time.Microsecond, FirstByte: time.Duration(r.FirstByte) * time.Microsecond,
		},
		KeyDescription: l.KeyDescription, MemberName: l.MemberName, WorkspaceName: l.WorkspaceName,
	}
}

func (l usageLine) cursor() string { return timeCursor(l.Row.At, hex.EncodeToString(l.Row.Call)) }

// span is a piece of time in a list, newest first: up to before a call, or to
// before a moment.
type span struct {
	from, to stamp // half open
	call     []byte
}

// where bounds a column of times.
func (p span) where() (string, []any) {
	if p.call != nil {
		return " AND c.at >= ? AND (c.at, c.call_id) < (?, ?)", []any{p.from, p.to, p.call}
	}
	return " AND c.at >= ? AND c.at < ?", []any{p.from, p.to}
}

const endOfTime = stamp(1) << 62

func spanOf(f usage.Filter, after string) (span, error) {
	p := span{from: stampOf(f.From), to: endOfTime}
	if !f.To.IsZero() {
		p.to = stampOf(f.To)
	}
	if after == "" {
		return p, nil
	}
	at, text, err := readTimeCursor(after)
	if err != nil {
		return p, err
	}
	call, err := hex.DecodeString(text)
	if err != nil || len(call) != 16 {
		return p, badCursor(err)
	}
	if at < p.to {
		p.to, p.call = at, call
	}
	return p, nil
}

// seriesConditions put together constant pieces; every value is an argument.
func seriesConditions(f usage.Filter) (where string, args []any) {
	add := func(condition string, value any) { where, args = where+condition, append(args, value) }
	if f.Model != "" {
		add(" AND s.model_id = ?", f.Model)
	}
	if f.Key != "" {
		add(" AND s.key_id = ?", f.Key)
	}
	if f.Member != "" {
		add(" AND s.member_id = ?", f.Member)
	}
	if f.Failed {
		where += " AND s.code <> ''"
	}
	return where, args
}

// Usage implements usage.Store. Each workspace has its calls in order, so those
// of an account are merged from the beginnings of its workspaces' lists.
func (s *Store) Usage(ctx context.Context, a ident.Account, f usage.Filter, p usage.Page) (page []usage.Listed, next string, err error) {
	within, err := spanOf(f, p.After)
	if err != nil {
		return nil, "", err
	}
	places, err := s.usagePlaces(ctx, a, f.Workspace)
	if err != nil {
		return nil, "", explain(err, "usage")
	}
	size := pageSize(p.Limit)
	var lines []usageLine
	for _, place := range places {
		some, err := s.usageOf(ctx, place, f, within, size+1)
		if err != nil {
			return nil, "", explain(err, "usage")
		}
		lines = append(lines, some...)
	}
	slices.SortFunc(lines, func(a, b usageLine) int {
		return cmp.Or(cmp.Compare(b.Row.At, a.Row.At), cmp.Compare(string(b.Row.Call), string(a.Row.Call)))
	})
	lines, next = cut(lines, size, usageLine.cursor)
	page = make([]usage.Listed, len(lines))
	for i, l := range lines {
		page[i] = l.listed()
	}
	return page, next, nil
}

// usageOf lists a workspace's calls. Where only some are chosen, the sums know
// in which hours there are any, so that the others are not read.
func (s *Store) usageOf(ctx context.Context, place int64, f usage.Filter, within span, most int) ([]usageLine, error) {
	conditions, args := seriesConditions(f)
	if conditions == "" {
		return s.usageIn(ctx, place, within, "", nil, most)
	}
	hours, err := s.hoursWith(ctx, place, within, conditions, args, most)
	if err != nil {
		return nil, err
	}
	var lines []usageLine
	for _, h := range hours {
		one := within
		one.from = max(one.from, h*hour)
		if end := (h + 1) * hour; end <= one.to {
			one.to, one.call = end, nil
		}
		some, err := s.usageIn(ctx, place, one, conditions, args, most-len(lines))
		if err != nil {
			return nil, err
		}
		if lines = append(lines, some...); len(lines) >= most {
			break
		}
	}
	return lines, nil
}

func (s *Store) usageIn(ctx context.Context, place int64, within span, conditions string, args []any, most int) ([]usageLine, error) {
	where, bounds := within.where()
	all := append(append(append([]any{place}, bounds...), args...), most)
	return of[usageLine](s.read).Raw(usageLines+where+conditions+" ORDER BY c.at DESC, c.call_id DESC LIMIT ?", all...).Find(ctx)
}

// hoursWith gives the hours in which a workspace has such calls, newest first.
// Only the days that have any are looked into.
func (s *Store) hoursWith(ctx context.Context, place int64, within span, conditions string, args []any, most int) (hours []stamp, err error) {
	days, err := s.periodsWith(ctx, "usage_days", place, within.from/day, within.to/day, conditions, args, most)
	for _, d := range days {
		first, last := max(within.from/hour, d*24), min(within.to/hour, d*24+23)
		some, err := s.periodsWith(ctx, "usage_hours", place, first, last, conditions, args, most-len(hours))
		if err != nil {
			return nil, err
		}
		if hours = append(hours, some...); len(hours) >= most {
			break
		}
	}
	return hours, err
}

// periodsWith gives the periods of a table of sums that have such calls.
func (s *Store) periodsWith(ctx context.Context, table string, place int64, first, last stamp, conditions string, args []any, most int) (periods []stamp, err error) {
	all := append([]any{place, first, last}, args...)
	err = s.read.WithContext(ctx).Raw("SELECT t.at FROM "+table+" t JOIN usage_series s ON s.id = t.series WHERE t.place = ? AND t.at >= ? AND t.at <= ?"+
		conditions+" GROUP BY t.at ORDER BY t.at DESC LIMIT ?", append(all, most)...).Scan(&periods).Error
	return periods, err
}

// UsageCall implements usage.Store.
func (s *Store) UsageCall(ctx context.Context, a ident.Account, ws ident.Workspace, id ident.Call, at time.Time) (usage.Listed, error) {
	places, err := s.usagePlaces(ctx, a, ws)
	if err != nil {
		return usage.Listed{}, explain(err, "call")
	}
	call := id.Bytes()
	for _, place := range places {
		line, err := of[usageLine](s.read).Raw(usageLines+" AND c.at = ? AND c.call_id = ?", place, stampOf(at), call[:]).Find(ctx)
		if err != nil {
			return usage.Listed{}, explain(err, "call")
		}
		if len(line) > 0 {
			return line[0].listed(), nil
		}
	}
	return usage.Listed{}, faultNoCall
}
