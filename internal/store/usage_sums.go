package store

import (
	"context"
	"slices"
	"strings"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

var faultNoCall = fault.NoSuch("call")

// dimensions are what sums are told apart by, in SQL.
var dimensions = map[usage.Dimension]string{
	usage.ByNothing: "''", usage.ByModel: "s.model_id", usage.ByKey: "s.key_id", usage.ByMember: "s.member_id", usage.ByWorkspace: "p.workspace_id",
	usage.BySource: "CASE s.source WHEN 1 THEN 'provider' WHEN 2 THEN 'counted' WHEN 3 THEN 'estimated' ELSE '' END", usage.ByCode: "s.code",
}

// sumColumns are those of usage.Sum but for the costs.
const sumColumns = `CAST(SUM(t.calls) AS BIGINT) AS calls, CAST(SUM(CASE WHEN s.code <> '' THEN t.calls ELSE 0 END) AS BIGINT) AS failed,
	CAST(SUM(t.input) AS BIGINT) AS input, CAST(SUM(t.output) AS BIGINT) AS output, CAST(SUM(t.cached) AS BIGINT) AS cached,
	CAST(SUM(t.reasoning) AS BIGINT) AS reasoning, CAST(SUM(t.cost) AS BIGINT) AS cost`

type sumLine struct {
	At                int64 // in periods since 1970
	Name              string
	Currency          string
	Calls, Failed     int
	Input, Output     int
	Cached, Reasoning int
	Cost              int64
}

func (l sumLine) sum() usage.Sum {
	sum := usage.Sum{Calls: l.Calls, Failed: l.Failed, Input: l.Input, Output: l.Output, Cached: l.Cached, Reasoning: l.Reasoning}
	if l.Currency != "" {
		sum.Costs = usage.Costs{l.Currency: l.Cost}
	}
	return sum
}

// UsageSums implements usage.Store. It reads sums only, never calls.
func (s *Store) UsageSums(ctx context.Context, a ident.Account, q usage.Query) ([]usage.Line, error) {
	places, err := s.usagePlaces(ctx, a, q.Workspace)
	if err != nil || len(places) == 0 {
		return nil, explain(err, "usage")
	}
	text, args, period := sumsQuery(places, q)
	rows, err := of[sumLine](s.read).Raw(text, args...).Find(ctx)
	if err != nil {
		return nil, explain(err, "usage")
	}
	var lines []usage.Line
	for _, r := range rows { // the currencies of one line follow one another
		l := usage.Line{Name: r.Name, Sum: r.sum()}
		if q.Step != usage.Whole {
			l.At = (stamp(r.At) * period).time()
		}
		if n := len(lines); n > 0 && lines[n-1].Name == l.Name && lines[n-1].At.Equal(l.At) {
			lines[n-1].Add(l.Sum)
		} else {
			lines = append(lines, l)
		}
	}
	return lines, explain(s.label(ctx, a, q.By, lines), "usage")
}

// sumsQuery puts together constant pieces; every value is an argument.
func sumsQuery(places []int64, q usage.Query) (text string, args []any, period stamp) {
	table, period := "usage_days", day
	if q.Hourly || q.Step == usage.Hour {
		table, period = "usage_hours", hour
	}
	at, name := "0", dimensions[q.By]
	if q.Step != usage.Whole {
		at = "t.at"
	}
	if q.Apart != nil {
		name = "CASE WHEN " + name + " IN ? THEN " + name + " ELSE '" + usage.Others + "' END"
		args = append(args, append(slices.Clone(q.Apart), usage.Others))
	}
	conditions, more := seriesConditions(q.Filter)
	within := span{from: stampOf(q.From), to: endOfTime}
	if !q.To.IsZero() {
		within.to = stampOf(q.To)
	}
	args = append(append(args, places, within.from/period, within.to/period), more...)
	join := ""
	if q.By == usage.ByWorkspace {
		join = " JOIN usage_places p ON p.id = t.place"
	}
	return "SELECT " + at + " AS at, " + name + " AS name, s.currency, " + sumColumns + " FROM " + table + " t JOIN usage_series s ON s.id = t.series" + join +
		" WHERE t.place IN ? AND t.at >= ? AND t.at < ?" + conditions + " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3", args, period
}

var labels = map[usage.Dimension]string{
	usage.ByKey:       "SELECT id, description AS label FROM keys WHERE account_id = ? AND id IN ?",
	usage.ByMember:    "SELECT id, log_on AS label FROM users WHERE account_id = ? AND id IN ?",
	usage.ByWorkspace: "SELECT id, name AS label FROM workspaces WHERE account_id = ? AND id IN ?",
}

// label fills in what people call the things that lines are about.
func (s *Store) label(ctx context.Context, a ident.Account, by usage.Dimension, lines []usage.Line) error {
	query := labels[by]
	if query == "" {
		return nil
	}
	names := map[string]string{}
	for _, l := range lines {
		if l.Name != "" && l.Name != usage.Others {
			names[l.Name] = ""
		}
	}
	ids := make([]string, 0, len(names))
	for id := range names {
		ids = append(ids, id)
	}
	for piece := range slices.Chunk(ids, atOnce) {
		var found []struct{ ID, Label string }
		if err := s.read.WithContext(ctx).Raw(query, a, piece).Scan(&found).Error; err != nil {
			return err
		}
		for _, f := range found {
			names[f.ID] = strings.TrimSpace(f.Label)
		}
	}
	for i := range lines {
		lines[i].Label = names[lines[i].Name]
	}
	return nil
}
