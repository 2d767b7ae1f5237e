package deployment

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/work"
)

// Sweep is the kind of the one item under which orphans are looked for.
const Sweep work.Kind = "deployment-sweep"

// SweepRef is its name.
const SweepRef = "all"

const sweepEvery = 5 * time.Minute

// Clean removes what engines keep under our names and nobody wants any more:
// what was put up by a process that died before it could note it, and whose
// deployment was deleted since. It is work.Runner's Do for Sweep.
func (l *Loop) Clean(ctx context.Context, _ *work.Held) (work.Next, error) {
	if err := l.Engines.Refresh(ctx); err != nil {
		return work.Next{}, err
	}
	for _, p := range l.Engines.Providers() {
		at, err := l.deployer(p)
		if err != nil {
			continue // it keeps nothing, or says under Providers why it cannot be opened
		}
		if err := l.sweep(ctx, p, at); err != nil {
			if ctx.Err() != nil {
				return work.Next{}, err
			}
			slog.Warn("orphans of a provider could not be looked for; it is tried again", "provider", string(p.ID), "err", err)
		}
	}
	return work.Next{After: sweepEvery}, nil
}

// sweep asks the engine first and our own books then: what it keeps was wanted by
// a deployment that is in the books, unless it was deleted meanwhile.
func (l *Loop) sweep(ctx context.Context, p provider.Provider, at provider.Deployer) error {
	handles, err := at.Handles(ctx, EnginePrefix(p.ID))
	if err != nil || len(handles) == 0 {
		return err
	}
	wanted, err := l.Store.DeploymentsAt(ctx, p.Account, p.ID)
	if err != nil {
		return err
	}
	for _, h := range handles {
		if isWanted(h, wanted) {
			continue
		}
		if err := at.Remove(ctx, h); err != nil && !fault.Is(err, fault.Missing) {
			return err
		}
		slog.Info("an orphan was removed from an engine", "provider", string(p.ID), "handle", h)
	}
	return nil
}

// isWanted reports whether a handle is a deployment's. Where one is being put up
// whose handle is not noted yet and does not hold its name, every handle may be its.
func isWanted(handle string, wanted []Deployment) bool {
	unsure := false
	for _, d := range wanted {
		if handle == d.Handle || strings.Contains(handle, d.Engine) {
			return true
		}
		unsure = unsure || d.Handle == ""
	}
	return unsure && !strings.HasPrefix(handle, provider.NamePrefix)
}
