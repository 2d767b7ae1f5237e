package audit

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"sync"
	"time"

	"bailiwick/internal/ident"
)

// Chains gives the chain of an account, which can be walked once.
type Chains interface {
	Chain(ctx context.Context, a ident.Account, visit func(Chain) error) error
}

// Checkup is the last inspection of an account's chain, or the one under way.
type Checkup struct {
	Running bool
	Ended   time.Time // zero: none has ended since the program started
	Report  Report    // of the one that ended
	Failed  bool      // the one that ended could not be made; the log says why
}

// Checker inspects chains while the program runs, one inspection of an account
// at a time.
type Checker struct {
	Chains Chains
	Path   string // of the exported heads
	Key    ed25519.PublicKey
	Now    func() time.Time

	mu   sync.Mutex
	runs map[ident.Account]*checking
}

type checking struct {
	Checkup
	done chan struct{} // of the one under way
}

// Last gives the last inspection of an account.
func (c *Checker) Last(a ident.Account) Checkup {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.runs[a]; r != nil {
		return r.Checkup
	}
	return Checkup{}
}

// Check begins an inspection, or joins the one under way, and waits for its end
// as long as ctx lets it. The inspection itself goes on.
func (c *Checker) Check(ctx context.Context, a ident.Account) Checkup {
	select {
	case <-c.begin(context.WithoutCancel(ctx), a):
	case <-ctx.Done():
	}
	return c.Last(a)
}

// checkEvery is how often every chain is inspected while the program runs.
const checkEvery = time.Hour

// Run inspects every chain once an hour, until ctx ends.
func (c *Checker) Run(ctx context.Context, tips Tips) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all, err := tips.Tips(ctx)
		if err != nil {
			slog.Error("the chains of the audit trail could not be listed", "err", err)
		}
		for _, t := range all {
			c.Check(ctx, t.Account)
		}
	}
}

func (c *Checker) begin(ctx context.Context, a ident.Account) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs == nil {
		c.runs = map[ident.Account]*checking{}
	}
	r := c.runs[a]
	if r == nil {
		r = &checking{}
		c.runs[a] = r
	}
	if !r.Running {
		r.Running, r.done = true, make(chan struct{})
		go c.run(ctx, a, r)
	}
	return r.done
}

func (c *Checker) run(ctx context.Context, a ident.Account, r *checking) {
	report, err := c.inspect(ctx, a)
	if err != nil {
		slog.Error("the audit trail could not be verified", "account", a, "err", err)
	}
	for _, f := range report.Findings {
		slog.Error("the audit trail is not what it was", "account", a, "line", f.Seq, "what", f.What)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Checkup = Checkup{Ended: c.Now(), Report: report, Failed: err != nil}
	close(r.done)
}

func (c *Checker) inspect(ctx context.Context, a ident.Account) (report Report, err error) {
	exported, err := newestHeads(c.Path)
	if err != nil {
		return report, err
	}
	err = c.Chains.Chain(ctx, a, func(chain Chain) error {
		report, err = Inspect(chain, exported.Heads[a], c.Key)
		return err
	})
	for _, wrong := range exported.Wrong {
		report.find(0, "%s", wrong)
	}
	return report, err
}
