package line

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"time"
)

// Probe remembers whether a provider has something that cannot be told from its
// address, and so is tried. The zero one is ready.
type Probe struct {
	mu    sync.Mutex
	until time.Time
	there bool
	tried chan struct{} // closed when the try that runs is over; nil: none runs
}

// How long what was found out holds, and how long finding out may take.
const (
	holds    = 10 * time.Minute
	holdsNot = 30 * time.Second // after no answer
	tries    = 5 * time.Second
)

// There reports whether it is there, which try finds out. One try runs at a time,
// and to its end; who does not wait so long is told what is known.
func (p *Probe) There(ctx context.Context, try func(context.Context) error) bool {
	p.mu.Lock()
	if time.Now().Before(p.until) {
		defer p.mu.Unlock()
		return p.there
	}
	if p.tried == nil {
		p.tried = make(chan struct{})
		go p.try(context.WithoutCancel(ctx), try)
	}
	tried := p.tried
	p.mu.Unlock()
	select {
	case <-tried:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.there
}

func (p *Probe) try(ctx context.Context, try func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, tries)
	defer cancel()
	err := try(ctx)
	hold := holdsNot
	if no := new(Refusal); err == nil || errors.As(err, &no) && no.Status < 500 {
		hold = holds
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.there, p.until = err == nil, time.Now().Add(hold)
	close(p.tried)
	p.tried = nil
}

var named = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@-]{0,254}$`) })

// IsID reports whether a text is one that providers give out to name something,
// and that can be part of a path.
func IsID(s string) bool { return named().MatchString(s) }
