package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/deployment"
	"bailiwick/internal/ident"
	"bailiwick/internal/training"
	"bailiwick/internal/usage"
)

type bookingRow struct {
	Account   ident.Account   `gorm:"column:account_id"`
	Workspace ident.Workspace `gorm:"column:workspace_id"`
	Kind      string
	Ref       string
	Hour      stamp
	Model     ident.Model    `gorm:"column:model_id"`
	Base      ident.Model    `gorm:"column:base_id"`
	Provider  ident.Provider `gorm:"column:provider_id"`
	Quantity  int64
	Cost      int64
	Currency  string
}

func (bookingRow) TableName() string { return "bookings" }

// book adds to what is booked for an hour, in the transaction of what it comes of.
func book(tx *gorm.DB, r bookingRow) error {
	_, err := exec(tx, `INSERT INTO bookings (account_id, workspace_id, kind, ref, hour, model_id, base_id, provider_id, quantity, cost, currency)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account_id, kind, ref, hour) DO UPDATE SET quantity = bookings.quantity + excluded.quantity, cost = bookings.cost + excluded.cost`,
		r.Account, r.Workspace, r.Kind, r.Ref, r.Hour, r.Model, r.Base, r.Provider, r.Quantity, r.Cost, r.Currency)
	return err
}

// unseen is the longest time between two looks at a deployment for which it is
// taken to have been up: when nobody looked for longer, nobody could call it.
const unseen = 15 * time.Minute

// bookUp books the seconds that a deployment's replicas were up since they were
// last booked, and notes up to when, which keeps them from being booked twice.
func (s *Store) bookUp(tx *gorm.DB, before deployment.Deployment, d *deployment.Deployment) error {
	from, to := before.Booked, s.now().Truncate(time.Second)
	if !before.State.Up() || !to.After(from) {
		return nil
	}
	if d.State.Up() {
		d.Booked = to
	}
	if to.Sub(from) > unseen || before.Ready == 0 {
		return nil
	}
	for from.Before(to) {
		end := from.Truncate(time.Hour).Add(time.Hour)
		if end.After(to) {
			end = to
		}
		seconds := int64(end.Sub(from)/time.Second) * int64(before.Ready)
		if err := book(tx, bookingRow{
			Account: d.Account, Workspace: d.Workspace, Kind: string(usage.Deployed), Ref: string(d.ID), Hour: stampOf(from.Truncate(time.Hour)),
			Model: d.Name, Base: d.Base, Provider: d.Provider, Quantity: seconds, Cost: d.Price.Cost(seconds), Currency: d.Price.Currency,
		}); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// bookTraining books the tokens that a training learnt from, once, with its end.
// One that failed is charged nothing.
func bookTraining(tx *gorm.DB, before training.Job, j *training.Job) error {
	if before.State.Over() || !j.State.Over() || j.TrainedTokens == 0 {
		return nil
	}
	r := bookingRow{
		Account: j.Account, Workspace: j.Workspace, Kind: string(usage.Trained), Ref: string(j.ID), Hour: stampOf(j.UpdatedAt.Truncate(time.Hour)),
		Model: j.Output, Base: j.Base, Provider: j.Provider, Quantity: j.TrainedTokens, Currency: j.Price.Currency,
	}
	if j.State != training.Failed {
		r.Cost = j.Price.Cost(j.TrainedTokens)
	}
	return book(tx, r)
}

// Beside implements usage.Store.
func (s *Store) Beside(ctx context.Context, a ident.Account, f usage.Filter) (list []usage.Beside, err error) {
	query, args := `SELECT kind, workspace_id, model_id, base_id, provider_id, currency, CAST(SUM(quantity) AS BIGINT) AS quantity, CAST(SUM(cost) AS BIGINT) AS cost
		FROM bookings WHERE account_id = ? AND hour >= ? AND hour < ?`, []any{a, stampOf(f.From), stampOf(f.To)}
	if f.Workspace != "" {
		query, args = query+" AND workspace_id = ?", append(args, f.Workspace)
	}
	if f.Model != "" {
		query, args = query+" AND model_id = ?", append(args, f.Model)
	}
	rows, err := of[bookingRow](s.read).Raw(query+` GROUP BY kind, workspace_id, model_id, base_id, provider_id, currency
		ORDER BY cost DESC, quantity DESC, model_id LIMIT 500`, args...).Find(ctx)
	for _, r := range rows {
		list = append(list, usage.Beside{
			Kind: usage.BesideKind(r.Kind), Workspace: r.Workspace, Model: r.Model, Base: r.Base, Provider: r.Provider, Quantity: r.Quantity, Cost: r.Cost, Currency: r.Currency,
		})
	}
	return list, explain(err, "usage")
}
