package usage

import (
	"context"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
)

// BesideKind is what is consumed beside calls.
type BesideKind string

// The kinds: seconds that replicas of a deployment were up, and tokens that a
// training learnt from.
const (
	Deployed BesideKind = "deployment"
	Trained  BesideKind = "training"
)

// Beside is what was consumed beside calls in a time, by one model.
type Beside struct {
	Kind      BesideKind
	Workspace ident.Workspace
	Model     ident.Model // the deployment's name, or that of the model that was made
	Base      ident.Model // of the catalogue
	Provider  ident.Provider
	Quantity  int64
	Cost      int64  // millionths
	Currency  string // empty: there is no price
}

// Hours is the quantity of a deployment in hours of one replica.
func (b Beside) Hours() float64 { return float64(b.Quantity) / time.Hour.Seconds() }

// Beside lists what was consumed beside calls, the most expensive first. It needs
// what Report needs.
func (s *Service) Beside(ctx context.Context, by access.Actor, f Filter) ([]Beside, error) {
	if err := mayRead(by, f.Workspace); err != nil {
		return nil, err
	}
	return s.Store.Beside(ctx, by.Account, f)
}
