package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

// atATime is how many rows are purged or compared in one transaction at most.
const atATime = 1000

type usagePart struct {
	name, table string
	unit        stamp // of the column at
	whole       stamp // what is purged whole
}

var usageParts = []usagePart{
	{"calls", "usage_calls", 1, day}, {"hours", "usage_hours", hour, day}, {"days", "usage_days", day, day},
}

// PurgeUsage implements usage.Keeping: some rows of one part at a time.
func (s *Store) PurgeUsage(ctx context.Context, before usage.Retention) (purged int64, err error) {
	for i, until := range []time.Time{before.Calls, before.Hours, before.Days} {
		part := usageParts[i]
		if until.IsZero() {
			continue
		}
		n, err := s.purgePart(ctx, part, stampOf(until)/part.whole*part.whole)
		if purged += n; err != nil {
			return purged, explain(err, "usage")
		}
	}
	return purged, nil
}

func (s *Store) purgePart(ctx context.Context, part usagePart, until stamp) (purged int64, err error) {
	var places []int64
	if err := s.read.WithContext(ctx).Raw("SELECT id FROM usage_places ORDER BY id").Scan(&places).Error; err != nil {
		return 0, err
	}
	for _, place := range places {
		err := s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			n, err := exec(tx, `DELETE FROM `+part.table+` WHERE place = ? AND at < ? AND at <= (SELECT MAX(at) FROM
				(SELECT at FROM `+part.table+` WHERE place = ? ORDER BY at LIMIT ?) AS oldest)`, place, until/part.unit, place, atATime)
			if purged += n; err != nil || n == 0 {
				return err
			}
			_, err = exec(tx, "UPDATE usage_since SET at = ? WHERE part = ? AND at < ?", until, part.name, until)
			return err
		})
		if err != nil {
			return purged, err
		}
	}
	return purged, nil
}

// VerifyUsage implements usage.Keeping. Each workspace is compared some days at
// a time, each time at one moment of the database.
func (s *Store) VerifyUsage(ctx context.Context, from time.Time, each func(usage.Difference)) error {
	since := map[string]stamp{}
	var marks []struct {
		Part string
		At   stamp
	}
	tx := s.read.WithContext(ctx)
	if err := tx.Raw("SELECT part, at FROM usage_since").Scan(&marks).Error; err != nil {
		return explain(err, "usage")
	}
	for _, m := range marks {
		since[m.Part] = max(m.At, stampOf(from)/day*day)
	}
	var places []struct {
		ID        int64
		Account   ident.Account
		Workspace ident.Workspace
	}
	if err := tx.Raw("SELECT id, account_id AS account, workspace_id AS workspace FROM usage_places ORDER BY id").Scan(&places).Error; err != nil {
		return explain(err, "usage")
	}
	for _, p := range places {
		tell := func(what string) func(diffLine) {
			return func(d diffLine) {
				each(usage.Difference{
					Account: p.Account, Workspace: p.Workspace, At: d.At.time(), What: what, Series: d.Series,
					Calls: d.Calls, Input: d.Input, Output: d.Output, Cached: d.Cached, Reasoning: d.Reasoning, Cost: d.Cost,
				})
			}
		}
		if err := s.compare(ctx, p.ID, max(since["calls"], since["hours"]), callsBesideHours, tell("calls − hours")); err != nil {
			return err
		}
		if err := s.compare(ctx, p.ID, max(since["hours"], since["days"]), hoursBesideDays, tell("hours − days")); err != nil {
			return err
		}
	}
	return nil
}

type diffLine struct {
	At                                            stamp
	Series                                        int64
	Calls, Input, Output, Cached, Reasoning, Cost int64
}

// comparison sums up one side and takes off the other, period by period: what
// is left differs. %s.at comes out in microseconds.
type comparison struct{ fine, coarse, first string }

const nothingLeft = `SELECT at, series, CAST(SUM(calls) AS BIGINT) AS calls, CAST(SUM(input) AS BIGINT) AS input, CAST(SUM(output) AS BIGINT) AS output,
	CAST(SUM(cached) AS BIGINT) AS cached, CAST(SUM(reasoning) AS BIGINT) AS reasoning, CAST(SUM(cost) AS BIGINT) AS cost FROM (`

const differing = `) AS sides GROUP BY at, series HAVING SUM(calls) <> 0 OR SUM(input) <> 0 OR SUM(output) <> 0 OR SUM(cached) <> 0 OR SUM(reasoning) <> 0 OR SUM(cost) <> 0
	ORDER BY at, series LIMIT 1000`

var (
	callsBesideHours = comparison{
		fine:   `SELECT at / 3600000000 * 3600000000 AS at, series, 1 AS calls, input, output, cached, reasoning, cost FROM usage_calls WHERE place = ? AND at >= ? AND at < ?`,
		coarse: `SELECT CAST(at AS BIGINT) * 3600000000, series, -calls, -input, -output, -cached, -reasoning, -cost FROM usage_hours WHERE place = ? AND at >= ? AND at < ?`,
		first:  `SELECT COALESCE(MIN(at), 0) FROM (SELECT MIN(at) AS at FROM usage_calls WHERE place = ? AND at >= ? UNION ALL SELECT MIN(at) * CAST(3600000000 AS BIGINT) FROM usage_hours WHERE place = ? AND at >= ?) AS firsts`,
	}
	hoursBesideDays = comparison{
		fine:   `SELECT CAST(at / 24 AS BIGINT) * 86400000000 AS at, series, calls, input, output, cached, reasoning, cost FROM usage_hours WHERE place = ? AND at >= ? AND at < ?`,
		coarse: `SELECT CAST(at AS BIGINT) * 86400000000, series, -calls, -input, -output, -cached, -reasoning, -cost FROM usage_days WHERE place = ? AND at >= ? AND at < ?`,
		first:  `SELECT COALESCE(MIN(at), 0) FROM (SELECT MIN(at) * CAST(3600000000 AS BIGINT) AS at FROM usage_hours WHERE place = ? AND at >= ? UNION ALL SELECT MIN(at) * CAST(86400000000 AS BIGINT) FROM usage_days WHERE place = ? AND at >= ?) AS firsts`,
	}
)

// stretch is how many days are compared in one statement.
const stretch = 7 * day

func (s *Store) compare(ctx context.Context, place int64, since stamp, c comparison, each func(diffLine)) error {
	fine, coarse := stamp(1), hour
	if c == hoursBesideDays {
		fine, coarse = hour, day
	}
	var first, last stamp
	tx := s.read.WithContext(ctx)
	if err := tx.Raw(c.first, place, since/fine, place, since/coarse).Scan(&first).Error; err != nil {
		return explain(err, "usage")
	}
	if err := tx.Raw("SELECT (COALESCE(MAX(at), 0) + 1) * CAST(86400000000 AS BIGINT) FROM usage_days WHERE place = ?", place).Scan(&last).Error; err != nil {
		return explain(err, "usage")
	}
	if first == 0 {
		return nil
	}
	last = max(last, stampOf(s.now())+day) // days may be what is lacking
	for at := first / day * day; at < last; at += stretch {
		from, to := max(at, since), at+stretch
		rows, err := of[diffLine](s.read).Raw(nothingLeft+c.fine+" UNION ALL "+c.coarse+differing,
			place, from/fine, to/fine, place, from/coarse, to/coarse).Find(ctx)
		if err != nil {
			return explain(err, "usage")
		}
		for _, r := range rows {
			each(r)
		}
	}
	return nil
}
