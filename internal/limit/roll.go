package limit

import (
	"context"
	"log/slog"
	"time"
)

// Roll is where servers that keep limits together find each other.
type Roll interface {
	// Beat notes that a server is there and counts those that are.
	Beat(ctx context.Context, id string) (servers int, err error)
	// Leave takes a server out.
	Leave(ctx context.Context, id string) error
}

// Every is how often a server says that it is there. A server that begins
// counts itself before it serves, the others within this time: until then they
// let through at most their old shares beside its one.
const Every = time.Second

// Join counts this server in. It is to be called before the first call.
func (l *Limiter) Join(ctx context.Context, roll Roll, id string) error {
	n, err := roll.Beat(ctx, id)
	if err == nil {
		l.Share(n)
	}
	return err
}

// Run keeps the number of servers up to date and forgets what is idle, until
// ctx ends. While the roll cannot be read the last number holds: losing it
// opens no limit.
func (l *Limiter) Run(ctx context.Context, roll Roll, id string) {
	beat, sweep := time.NewTicker(Every), time.NewTicker(time.Minute)
	defer beat.Stop()
	defer sweep.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			if err := roll.Leave(context.WithoutCancel(ctx), id); err != nil {
				slog.Warn("this server could not say that it ends; the others will notice", "err", err)
			}
			return
		case <-sweep.C:
			l.Sweep()
		case <-beat.C:
			err := l.Join(ctx, roll, id)
			if err != nil && ctx.Err() == nil && !failing {
				slog.Error("the servers that share the limits cannot be counted; the last number holds", "servers", l.Shares(), "err", err)
			}
			failing = err != nil
		}
	}
}
