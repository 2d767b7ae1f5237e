package provider

import (
	"context"
	"sync"

	"bailiwick/internal/access"
	"bailiwick/internal/ident"
)

// Accepter is a deployer that says beforehand what it puts up: formats of
// artifacts, and the empty word for base models as they are.
type Accepter interface{ Accepts() []string }

// Powers are what a provider can do beside listing its models, as far as is known.
type Powers struct {
	Calls   bool
	Trains  Abilities
	Deploys []string // as Accepter says it
	Broken  bool     // it cannot be opened
}

// Powers says what each of some providers can. It needs providers:read, and
// waits for those that have to be asked as long as ctx lasts.
func (s *Service) Powers(ctx context.Context, by access.Actor, list []Listed) (map[ident.Provider]Powers, error) {
	if err := by.Require(access.ReadProviders); err != nil {
		return nil, err
	}
	powers := make([]Powers, len(list))
	var all sync.WaitGroup
	for i, p := range list {
		all.Go(func() { powers[i] = s.powers(ctx, p.Provider) })
	}
	all.Wait()
	of := map[ident.Provider]Powers{}
	for i, p := range list {
		of[p.ID] = powers[i]
	}
	return of, nil
}

func (s *Service) powers(ctx context.Context, p Provider) Powers {
	server, err := s.ServerOf(p)
	if err != nil {
		return Powers{Broken: true}
	}
	can := Powers{Calls: p.Kind != Command}
	if t, ok := server.(Trainer); ok {
		can.Trains = t.Abilities(ctx)
	}
	switch d := server.(type) {
	case Accepter:
		can.Deploys = d.Accepts()
	case Deployer:
		can.Deploys = []string{""}
	}
	return can
}
