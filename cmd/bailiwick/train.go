package main

import (
	"context"
	"time"

	"bailiwick/internal/training"
	"bailiwick/internal/work"
)

// How trainings are leased: a process that dies is taken over from after the
// lease, and a wish to cancel is heard within a sixth of it.
const (
	trainingLease    = 12 * time.Second
	trainingParallel = 4 // jobs looked after at once; of those this host trains itself one
)

// train makes the service of trainings and what works on them.
func (p *Program) train(folder string) {
	p.trainings = &training.Service{
		Store: p.store, World: p.keeper, Data: p.datasets, Open: p.providers.ServerOf, Folder: folder, Now: time.Now,
	}
	p.datasets.Jobs = p.store.TrainingsWith
	p.trainer = &training.Loop{Service: p.trainings, Store: p.store, Slots: make(chan struct{}, 1)}
	p.training = &work.Runner{Store: p.store, Kind: training.Work, Owner: p.replica, Do: p.trainer.Do, Parallel: trainingParallel, TTL: trainingLease}
	p.store.OnChange(func(context.Context) { p.training.Wake() })
}
