package gateway

import (
	"sync"
	"sync/atomic"

	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
)

// servers keeps the opened servers, one for each provider, as of its version.
type servers struct {
	open    func(provider.Provider) (provider.Server, error)
	opening sync.Mutex
	present atomic.Pointer[map[ident.Provider]opened]
}

type opened struct {
	version int64
	server  provider.Server
}

// of gives the server of a provider. Calls do not wait for each other unless
// the provider is new or was changed.
func (s *servers) of(snapshot *policy.Snapshot, p *provider.Provider) (provider.Server, error) {
	if m := s.present.Load(); m != nil {
		if o, ok := (*m)[p.ID]; ok && o.version == p.Version {
			return o.server, nil
		}
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	next := map[ident.Provider]opened{}
	if m := s.present.Load(); m != nil {
		for id, o := range *m {
			next[id] = o
		}
	}
	if o, ok := next[p.ID]; ok && o.version == p.Version {
		return o.server, nil
	}
	server, err := s.open(*p)
	if err != nil {
		return nil, err
	}
	for id, o := range next {
		if id == p.ID || snapshot.Provider(id) == nil {
			retire(o.server)
			delete(next, id)
		}
	}
	next[p.ID] = opened{p.Version, server}
	s.present.Store(&next)
	return server, nil
}

// retire lets a server that is not asked any more give up what it keeps; calls
// that still use it go on.
func retire(s provider.Server) {
	if idle, ok := s.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
}

// Close gives up what the gateway keeps open. Calls on their way go on.
func (g *Gateway) Close() {
	if m := g.servers.present.Load(); m != nil {
		for _, o := range *m {
			retire(o.server)
		}
	}
}
