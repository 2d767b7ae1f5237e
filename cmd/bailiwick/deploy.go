package main

import (
	"context"
	"log/slog"
	"time"

	"bailiwick/internal/deployment"
	"bailiwick/internal/work"
)

// How deployments are leased: a process that dies is taken over from after the lease.
const (
	deploymentLease    = 20 * time.Second
	deploymentParallel = 4 // looked after at once
)

// deploying is what keeps deployments as they are wanted.
type deploying struct {
	service *deployment.Service
	loop    *work.Runner
	sweep   *work.Runner
}

// deploy makes the service of deployments and what works on them.
func (p *Program) deploy(folder string) {
	s := &deployment.Service{Store: p.store, World: p.keeper, Open: p.providers.ServerOf, Folder: folder, Now: time.Now}
	l := &deployment.Loop{Service: s, Store: p.store, Engines: p.keeper}
	p.deployments = deploying{
		service: s,
		loop:    &work.Runner{Store: p.store, Kind: deployment.Work, Owner: p.replica, Do: l.Do, Parallel: deploymentParallel, TTL: deploymentLease},
		sweep:   &work.Runner{Store: p.store, Kind: deployment.Sweep, Owner: p.replica, Do: l.Clean, TTL: deploymentLease, Poll: 30 * time.Second},
	}
	p.trainer.Deploy = s.Follow
	p.store.OnChange(func(context.Context) { p.deployments.loop.Wake() })
}

// run works until ctx ends.
func (d deploying) run(ctx context.Context, p *Program) {
	if err := p.store.BeginSweeps(ctx); err != nil && ctx.Err() == nil {
		slog.Error("orphans of deployments are not looked for until the next start", "err", err)
	}
	go d.sweep.Run(ctx)
	d.loop.Run(ctx)
}
