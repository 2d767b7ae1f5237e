package ollama_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// standin behaves as Ollama does, as far as it is asked here: it keeps blobs by
// their digests, makes models of them, and has some in memory.
type standin struct {
	mu     sync.Mutex
	blobs  map[string]bool
	models map[string]recipe
	loaded map[string]bool
	posted int // blobs that were sent
}

type recipe struct {
	Model, From     string
	Files, Adapters map[string]string
	Parameters      map[string]any
	KeepAlive       any `json:"keep_alive"`
}

func newStandin() *standin {
	return &standin{blobs: map[string]bool{}, models: map[string]recipe{"qwen2.5:0.5b": {}, "llama3": {}}, loaded: map[string]bool{}}
}

func (s *standin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	say := func(status int, v any) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	if digest, ok := strings.CutPrefix(r.URL.Path, "/api/blobs/"); ok {
		s.blob(w, r, digest)
		return
	}
	var q recipe
	if r.Method != http.MethodGet {
		if json.NewDecoder(r.Body).Decode(&q) != nil {
			say(400, map[string]string{"error": "missing request body"})
			return
		}
	}
	tagged := func(all bool) (list []any) {
		for name := range s.models {
			if !strings.Contains(name, ":") {
				name += ":latest"
			}
			if all || s.loaded[strings.TrimSuffix(name, ":latest")] {
				list = append(list, map[string]any{"name": name, "model": name, "size": 1})
			}
		}
		return list
	}
	name := strings.TrimSuffix(q.Model, ":latest")
	_, there := s.models[name]
	switch r.Method + " " + r.URL.Path {
	case "GET /api/tags":
		say(200, map[string]any{"models": tagged(true)})
	case "GET /api/ps":
		say(200, map[string]any{"models": tagged(false)})
	case "POST /api/create":
		s.create(w, name, q)
	case "POST /api/show", "POST /api/generate", "DELETE /api/delete", "POST /v1/chat/completions":
		if !there {
			say(404, map[string]string{"error": fmt.Sprintf("model '%s' not found", q.Model)})
			return
		}
		switch r.URL.Path {
		case "/api/generate":
			s.loaded[name] = fmt.Sprint(q.KeepAlive) != "0"
			say(200, map[string]any{"model": q.Model, "done": true})
		case "/api/delete":
			delete(s.models, name)
			w.WriteHeader(200)
		case "/api/show":
			say(200, map[string]any{"details": map[string]string{"format": "gguf"}})
		default:
			say(200, map[string]any{"choices": []any{map[string]any{"message": map[string]string{"role": "assistant", "content": "Hello."}}}})
		}
	default:
		say(404, map[string]string{"error": "404 page not found"})
	}
}

func (s *standin) blob(w http.ResponseWriter, r *http.Request, digest string) {
	if r.Method == http.MethodHead {
		if !s.blobs[digest] {
			w.WriteHeader(404)
		}
		return
	}
	s.posted++
	sum := sha256.New()
	io.Copy(sum, r.Body)
	if "sha256:"+hex.EncodeToString(sum.Sum(nil)) != digest {
		w.WriteHeader(400)
		io.WriteString(w, `{"error":"digest mismatch"}`)
		return
	}
	s.blobs[digest] = true
	w.WriteHeader(201)
}

// create answers in lines, as it goes; a mistake stands in one of them.
func (s *standin) create(w http.ResponseWriter, name string, q recipe) {
	line := func(k, v string) { fmt.Fprintf(w, "{%q:%q}\n", k, v) }
	if q.From != "" {
		if _, there := s.models[q.From]; !there {
			line("error", "pull model manifest: file does not exist")
			return
		}
	}
	for _, list := range []map[string]string{q.Files, q.Adapters} {
		for _, digest := range list {
			if !s.blobs[digest] {
				line("error", "no such blob "+digest)
				return
			}
		}
	}
	line("status", "parsing GGUF")
	line("status", "writing manifest")
	s.models[name] = q
	line("status", "success")
}
