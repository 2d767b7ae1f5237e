package store

import (
	"context"

	"gorm.io/gorm"

	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
)

type limitRow struct {
	Account       ident.Account   `gorm:"column:account_id"`
	Workspace     ident.Workspace `gorm:"column:workspace_id;primaryKey"`
	Model         ident.Model     `gorm:"column:model_id;primaryKey"`
	Requests      int
	RequestPeriod int // 0: no limit
	Tokens        int
	TokenPeriod   int
	SetAt         stamp
	SetBy         string
	Version       int64
}

func (limitRow) TableName() string { return "limits" }

func (r limitRow) setting() limit.Setting {
	return limit.Setting{
		Limit: limit.Limit{Requests: limit.Rate{Count: r.Requests, Period: r.RequestPeriod}, Tokens: limit.Rate{Count: r.Tokens, Period: r.TokenPeriod}},
		SetAt: r.SetAt.time(), SetBy: r.SetBy, Version: r.Version,
	}
}

// Limits implements limit.Store.
func (s *Store) Limits(ctx context.Context, a ident.Account, ws ident.Workspace) (map[ident.Model]limit.Setting, error) {
	if _, err := workspaceOf(ctx, s.read, a, ws); err != nil {
		return nil, explain(err, "workspace")
	}
	rows, err := of[limitRow](s.read).Where("account_id = ? AND workspace_id = ?", a, ws).Find(ctx)
	set := make(map[ident.Model]limit.Setting, len(rows))
	for _, r := range rows {
		set[r.Model] = r.setting()
	}
	return set, explain(err, "limit")
}

// LimitSums implements limit.Store.
func (s *Store) LimitSums(ctx context.Context, a ident.Account) (map[ident.Model]limit.Sum, error) {
	type line struct {
		Model    ident.Model `gorm:"column:model_id"`
		Requests float64
		Tokens   float64
	}
	lines, err := of[line](s.read).Raw(`SELECT model_id,
			SUM(CASE WHEN request_period > 0 THEN requests * 60.0 / request_period ELSE 0 END) AS requests,
			SUM(CASE WHEN token_period > 0 THEN tokens * 60.0 / token_period ELSE 0 END) AS tokens
		FROM limits WHERE account_id = ? GROUP BY model_id`, a).Find(ctx)
	sums := make(map[ident.Model]limit.Sum, len(lines))
	for _, l := range lines {
		sums[l.Model] = limit.Sum{Requests: l.Requests, Tokens: l.Tokens}
	}
	return sums, explain(err, "limit")
}

// ChangeLimits implements limit.Store. A limit that stays what it is leaves no
// event, and its version stays.
func (s *Store) ChangeLimits(ctx context.Context, a ident.Account, ws ident.Workspace, changes []limit.Change, by string, why func(ident.Model, limit.Limit, limit.Limit) audit.Event) error {
	err := s.changes(ctx, func(tx *gorm.DB) (done []deed, err error) {
		if _, err := workspaceOf(ctx, tx, a, ws); err != nil {
			return nil, explain(err, "workspace")
		}
		for _, c := range changes {
			before, after, err := s.changeLimit(ctx, tx, a, ws, c, by)
			if err != nil {
				return nil, err
			}
			if before != after {
				done = append(done, deed{why(c.Model, before, after), aWorkspace.of(a, string(ws))})
			}
		}
		if len(done) == 0 {
			return nil, errUnchanged
		}
		return done, nil
	})
	return explain(err, "limit")
}

func (s *Store) changeLimit(ctx context.Context, tx *gorm.DB, a ident.Account, ws ident.Workspace, c limit.Change, by string) (before, after limit.Limit, err error) {
	if err := hasModel(ctx, tx, a, c.Model); err != nil {
		return before, after, err
	}
	rows, err := of[limitRow](tx).Where("account_id = ? AND workspace_id = ? AND model_id = ?", a, ws, c.Model).Find(ctx)
	if err != nil {
		return before, after, err
	}
	var was limit.Setting
	if len(rows) > 0 {
		was = rows[0].setting()
	}
	if c.Version != limit.AnyVersion && c.Version != was.Version {
		return before, after, stale("limit")
	}
	if after, err = c.Over(was.Limit); err != nil || after == was.Limit {
		return was.Limit, after, err
	}
	return was.Limit, after, s.keepLimit(tx, limitRow{
		Account: a, Workspace: ws, Model: c.Model, Requests: after.Requests.Count, RequestPeriod: after.Requests.Period,
		Tokens: after.Tokens.Count, TokenPeriod: after.Tokens.Period, SetAt: stampOf(s.now()), SetBy: by, Version: max(was.Version+1, int64(stampOf(s.now()))), // never one that was
	})
}

func (s *Store) keepLimit(tx *gorm.DB, r limitRow) error {
	if r.RequestPeriod+r.TokenPeriod == 0 {
		_, err := exec(tx, "DELETE FROM limits WHERE account_id = ? AND workspace_id = ? AND model_id = ?", r.Account, r.Workspace, r.Model)
		return err
	}
	_, err := exec(tx, `INSERT INTO limits (account_id, workspace_id, model_id, requests, request_period, tokens, token_period, set_at, set_by, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (workspace_id, model_id) DO UPDATE SET requests = excluded.requests, request_period = excluded.request_period,
			tokens = excluded.tokens, token_period = excluded.token_period, set_at = excluded.set_at, set_by = excluded.set_by, version = excluded.version`,
		r.Account, r.Workspace, r.Model, r.Requests, r.RequestPeriod, r.Tokens, r.TokenPeriod, r.SetAt, r.SetBy, r.Version)
	return err
}

// ChangeModelLimit implements limit.Store.
func (s *Store) ChangeModelLimit(ctx context.Context, a ident.Account, id ident.Model, to catalogue.Limit, version int64, why func(catalogue.Limit) audit.Event) error {
	return s.changeModel(ctx, a, id, version, func(m *catalogue.Model) (audit.Event, bool) {
		before := m.Limit
		to.UsageField, to.SetBy, to.SetAt = before.UsageField, before.SetBy, before.SetAt
		event, differs := why(before), to != before
		if differs {
			to.SetBy, to.SetAt = event.ActorName, s.now()
		}
		m.Limit = to
		return event, differs
	})
}

// silence is how long a server that shares the limits may be unheard of before
// the others take over its share.
const silence = "5"

// Beat notes that the server with this id is there and counts those that are,
// by the database's clock. On SQLite it is the only one.
func (s *Store) Beat(ctx context.Context, id string) (servers int, err error) {
	if !postgresql(s.write) {
		return 1, nil
	}
	const now = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT"
	tx := s.write.WithContext(ctx)
	if err := tx.Exec("DELETE FROM replicas WHERE seen < " + now + " - 60000000").Error; err != nil {
		return 0, err
	}
	if err := tx.Exec("INSERT INTO replicas (id, seen) VALUES (?, "+now+") ON CONFLICT (id) DO UPDATE SET seen = excluded.seen", id).Error; err != nil {
		return 0, err
	}
	err = tx.Raw("SELECT COUNT(*) FROM replicas WHERE seen >= " + now + " - " + silence + "000000").Scan(&servers).Error
	return servers, err
}

// Leave takes a server that ends out of those that share the limits.
func (s *Store) Leave(ctx context.Context, id string) error {
	if !postgresql(s.write) {
		return nil
	}
	return s.write.WithContext(ctx).Exec("DELETE FROM replicas WHERE id = ?", id).Error
}
