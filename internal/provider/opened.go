package provider

import (
	"sync"

	"bailiwick/internal/ident"
)

// Opened keeps servers, so that their connections and what they found out about
// the engine are used again. The zero one is ready.
type Opened struct {
	mu      sync.Mutex
	servers map[ident.Provider]openedServer
}

type openedServer struct {
	version int64
	server  Server
}

// ServerOf is the server of a configured provider; where servers are kept, it is
// opened once per version.
func (s *Service) ServerOf(p Provider) (Server, error) {
	if s.Opened == nil {
		return s.OpenServer(p)
	}
	s.Opened.mu.Lock()
	defer s.Opened.mu.Unlock()
	kept, there := s.Opened.servers[p.ID]
	if there && kept.version == p.Version {
		return kept.server, nil
	}
	server, err := s.OpenServer(p)
	if err != nil {
		return nil, err
	}
	if old, ok := kept.server.(interface{ CloseIdleConnections() }); ok {
		old.CloseIdleConnections()
	}
	if s.Opened.servers == nil {
		s.Opened.servers = map[ident.Provider]openedServer{}
	}
	s.Opened.servers[p.ID] = openedServer{p.Version, server}
	return server, nil
}
