package dataset

import (
	"sync"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// How many uploads a server takes at once.
const (
	uploadsMost  = 16
	uploadsPerWS = 4
)

// gate bounds uploads, so that slow or many ones fill neither disk nor memory.
type gate struct {
	mu  sync.Mutex
	all int
	in  map[ident.Workspace]int
}

// enter lets an upload in and gives what it calls when it leaves.
func (g *gate) enter(ws ident.Workspace) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= uploadsMost || g.in[ws] >= uploadsPerWS {
		return nil, fault.New(fault.Busy, "Too many files are being uploaded at once; a workspace may upload %d. Try again in a moment.", uploadsPerWS)
	}
	if g.in == nil {
		g.in = map[ident.Workspace]int{}
	}
	g.all++
	g.in[ws]++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.all--
		if g.in[ws]--; g.in[ws] == 0 {
			delete(g.in, ws)
		}
	}, nil
}
