package openai

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// again is how long a path that was not there is taken not to be there.
const again = 10 * time.Minute

// lacks remembers the paths that a server turned out not to have. Which of the
// newer ones it has cannot be asked: it is tried.
type lacks struct {
	mu    sync.Mutex
	since map[string]time.Time
}

// Has implements provider.Server. The services of other protocols are not offered.
func (s *Server) Has(path string) bool {
	if strings.HasPrefix(path, "services/") {
		return false
	}
	s.lacks.mu.Lock()
	defer s.lacks.mu.Unlock()
	since, missed := s.lacks.since[path]
	return !missed || time.Since(since) > again
}

// note remembers what a status says about a path. The caller names the paths,
// of which there are few.
func (s *Server) note(path string, status int) {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
	default:
		return
	}
	s.lacks.mu.Lock()
	defer s.lacks.mu.Unlock()
	if s.lacks.since == nil {
		s.lacks.since = map[string]time.Time{}
	}
	s.lacks.since[path] = time.Now()
}
