package embedded

import (
	"container/list"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded/desk"
	"bailiwick/internal/provider/embedded/llama"
)

// shelf is the folder of deployments: one folder for each, named as the model is
// at the provider, with its papers and, unless it is the base, its weights. A
// folder appears whole, by being renamed, and its papers are replaced whole.
// What is on it is looked at anew for every call, so that processes that share
// the folder agree; weights are read when they are first called for.
type shelf struct {
	folder string
	mu     sync.Mutex
	loaded map[string]*list.Element // by name and weights
	recent list.List                // of *loadedModel, the last used in front
}

type loadedModel struct {
	mark  string
	model model
}

// loadedMost is how many models are kept in memory, about a megabyte each.
const loadedMost = 8

func newShelf(folder string) *shelf {
	return &shelf{folder: folder, loaded: map[string]*list.Element{}}
}

// papers say what a deployment is.
type papers struct {
	Deployment string `json:"deployment"`
	Generation int64  `json:"generation"`
	Base       string `json:"base"`
	Weights    string `json:"weights"` // SHA-256 of model.gguf, in hexadecimal; empty: the base as it is
	Replicas   int    `json:"replicas"`
}

const (
	papersFile  = "deployment.json"
	weightsFile = "model.gguf"
	weightsMost = 64 << 20 // bytes
)

// named reports whether a name can be a deployment's: it is a folder's, and
// nothing but letters and digits follow our prefix.
func named(name string) bool {
	rest, ours := strings.CutPrefix(name, provider.NamePrefix)
	return ours && len(rest) > 0 && len(rest) <= 60 && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// read gives the papers of a deployment; fs.ErrNotExist where there is none.
func (s *shelf) read(name string) (p papers, err error) {
	if s == nil || !named(name) {
		return p, fs.ErrNotExist
	}
	b, err := os.ReadFile(filepath.Join(s.folder, name, papersFile))
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	return p, err
}

// model finds what answers under a name: a deployment that is up, or the base.
func (s Server) model(name string) (model, *provider.Answer) {
	if !strings.HasPrefix(name, provider.NamePrefix) {
		return built()
	}
	p, err := s.shelf.read(name)
	if err != nil || p.Replicas == 0 {
		return model{}, refuse(http.StatusNotFound, "The demo engine has no such model up.", "model")
	}
	if p.Weights == "" {
		return built()
	}
	m, err := s.shelf.load(name, p)
	if err != nil {
		return model{}, refuse(http.StatusServiceUnavailable, "The demo engine cannot read this model.", "")
	}
	return m, nil
}

func built() (model, *provider.Answer) {
	m, err := desk.Load()
	if err != nil {
		return model{}, refuse(http.StatusServiceUnavailable, "The demo engine cannot read its model.", "")
	}
	return model{m, ""}, nil
}

// load reads the weights of a deployment, unless they are in memory.
func (s *shelf) load(name string, p papers) (model, error) {
	mark := name + "/" + p.Weights
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, there := s.loaded[mark]; there {
		s.recent.MoveToFront(e)
		return e.Value.(*loadedModel).model, nil
	}
	m, err := readWeights(filepath.Join(s.folder, name, weightsFile))
	if err != nil {
		return model{}, err
	}
	l := &loadedModel{mark, model{m, mark}}
	s.loaded[mark] = s.recent.PushFront(l)
	if s.recent.Len() > loadedMost {
		old := s.recent.Remove(s.recent.Back()).(*loadedModel)
		delete(s.loaded, old.mark)
	}
	return l.model, nil
}

func readWeights(path string) (desk.Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return desk.Model{}, err
	}
	if info.Size() > weightsMost {
		return desk.Model{}, errors.New("the file of weights is too large")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return desk.Model{}, err
	}
	m, words, err := llama.ReadGGUF(b)
	return desk.Model{Model: m, Words: words}, err
}
