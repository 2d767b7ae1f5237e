package store

import (
	"time"

	"gorm.io/gorm"

	"bailiwick/internal/deployment"
	"bailiwick/internal/ident"
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
			Account: d.Account, Workspace: d.Workspace, Kind: "deployment", Ref: string(d.ID), Hour: stampOf(from.Truncate(time.Hour)),
			Model: d.Name, Base: d.Base, Provider: d.Provider, Quantity: seconds, Cost: d.Price.Cost(seconds), Currency: d.Price.Currency,
		}); err != nil {
			return err
		}
		from = end
	}
	return nil
}
