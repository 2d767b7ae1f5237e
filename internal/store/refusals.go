package store

import (
	"context"
	"net/netip"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/explanation"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
)

var _ explanation.Store = (*Store)(nil)

type refusalRow struct {
	Call       ident.Call `gorm:"column:call_id"`
	At         stamp
	Account    ident.Account   `gorm:"column:account_id"`
	Workspace  ident.Workspace `gorm:"column:workspace_id"`
	Key        ident.Key       `gorm:"column:key_id"`
	Hint       string
	Person     ident.User `gorm:"column:person_id"`
	Header     string
	Path       string
	Host       string
	Address    string
	Until      stamp
	Model      ident.Model `gorm:"column:model_id"`
	Capability int
	Refused    int
	Made       int64
	Version    int64
	Status     int
	Code       string

	Limit       limit.Kind `gorm:"column:limit_kind"`
	LimitCount  int
	LimitPeriod int
	LimitSetBy  string
	LimitSetAt  stamp
	LimitAsked  int
}

func refusalRowOf(r explanation.Refusal) refusalRow {
	row := refusalRow{
		Call: r.Call, At: stampOf(r.At), Account: r.Account, Workspace: r.Workspace, Key: r.Key, Hint: clip(r.Hint, 16), Person: r.Person,
		Header: clip(r.Header, 64), Path: clip(r.Path, 64), Host: clip(r.Host, 64), Until: stampOf(r.Until), Model: ident.Model(clip(string(r.Model), 128)),
		Capability: int(r.Capability), Refused: int(r.Check), Made: int64(r.Made), Version: r.Version, Status: r.Status, Code: clip(r.Code, 100),
		Limit: r.Limit.Kind, LimitCount: r.Limit.Rate.Count, LimitPeriod: r.Limit.Rate.Period, LimitSetBy: r.Limit.SetBy, LimitSetAt: stampOf(r.Limit.SetAt), LimitAsked: r.Limit.Asked,
	}
	if r.Address.IsValid() {
		row.Address = clip(r.Address.String(), 100)
	}
	return row
}

func (r refusalRow) refusal() explanation.Refusal {
	address, _ := netip.ParseAddr(r.Address) // none: it was not known
	return explanation.Refusal{
		Call: r.Call, At: r.At.time(), Account: r.Account, Workspace: r.Workspace, Key: r.Key, Hint: r.Hint, Person: r.Person,
		Header: r.Header, Path: r.Path, Host: r.Host, Address: address, Until: r.Until.time(), Model: r.Model,
		Capability: catalogue.Capability(r.Capability), Check: policy.Check(r.Refused), Made: policy.Checks(r.Made),
		Version: r.Version, Status: r.Status, Code: r.Code,
		Limit: explanation.Limit{Kind: r.Limit, Rate: limit.Rate{Count: r.LimitCount, Period: r.LimitPeriod}, SetBy: r.LimitSetBy, SetAt: r.LimitSetAt.time(), Asked: r.LimitAsked},
	}
}

const refusalInsert = `INSERT INTO refusals (call_id, at, account_id, workspace_id, key_id, hint, person_id, header, path, host, address, until,
		model_id, capability, refused, made, version, status, code,
		limit_kind, limit_count, limit_period, limit_set_by, limit_set_at, limit_asked)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (call_id) DO NOTHING`

// InsertRefusals implements explanation.Store.
func (s *Store) InsertRefusals(ctx context.Context, list []explanation.Refusal) error {
	err := s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, refused := range list {
			r := refusalRowOf(refused)
			if _, err := exec(tx, refusalInsert, r.Call, r.At, r.Account, r.Workspace, r.Key, r.Hint, r.Person, r.Header, r.Path, r.Host, r.Address, r.Until,
				r.Model, r.Capability, r.Refused, r.Made, r.Version, r.Status, r.Code,
				r.Limit, r.LimitCount, r.LimitPeriod, r.LimitSetBy, r.LimitSetAt, r.LimitAsked); err != nil {
				return err
			}
		}
		return nil
	})
	return explain(err, "request")
}

// PruneRefusals implements explanation.Store.
func (s *Store) PruneRefusals(ctx context.Context, before time.Time, ofAccount, unknown int) error {
	err := s.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if _, err := exec(tx, "DELETE FROM refusals WHERE at < ?", stampOf(before)); err != nil {
			return err
		}
		accounts, err := of[ident.Account](tx).Raw("SELECT DISTINCT account_id FROM refusals").Find(ctx)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			keep := ofAccount
			if a == "" {
				keep = unknown
			}
			// The first that is beyond is found by the index; nothing is before it.
			if _, err := exec(tx, `DELETE FROM refusals WHERE account_id = ? AND at <= (
				SELECT at FROM refusals WHERE account_id = ? ORDER BY at DESC, call_id DESC LIMIT 1 OFFSET ?)`, a, a, keep); err != nil {
				return err
			}
		}
		return nil
	})
	return explain(err, "request")
}

// Refusal implements explanation.Store.
func (s *Store) Refusal(ctx context.Context, a ident.Account, call ident.Call) (explanation.Refusal, error) {
	row, err := of[refusalRow](s.read).Raw("SELECT * FROM refusals WHERE call_id = ? AND account_id IN (?, '')", call, a).Take(ctx)
	return row.refusal(), explain(err, "request")
}

// Refusals implements explanation.Store.
func (s *Store) Refusals(ctx context.Context, a ident.Account, ws ident.Workspace, after string, limit int) (page []explanation.Refusal, next string, err error) {
	where, args := " WHERE account_id = ?", []any{a}
	if ws != "" {
		where, args = where+" AND workspace_id = ?", append(args, ws)
	}
	if after != "" {
		at, call, err := readTimeCursor(after)
		if err != nil {
			return nil, "", err
		}
		where, args = where+" AND (at, call_id) < (?, ?)", append(args, at, call)
	}
	size := pageSize(limit)
	rows, err := of[refusalRow](s.read).Raw("SELECT * FROM refusals"+where+" ORDER BY at DESC, call_id DESC LIMIT ?", append(args, size+1)...).Find(ctx)
	if err != nil {
		return nil, "", explain(err, "request")
	}
	rows, next = cut(rows, size, func(r refusalRow) string { return timeCursor(r.At, string(r.Call)) })
	page = make([]explanation.Refusal, len(rows))
	for i, r := range rows {
		page[i] = r.refusal()
	}
	return page, next, nil
}
