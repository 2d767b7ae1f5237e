package vllm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/line"
	"bailiwick/internal/provider/providertest"
	"bailiwick/internal/provider/vllm"
)

// standin behaves as vLLM does, or SGLang, as far as it is asked here.
type standin struct {
	mu       sync.Mutex
	sglang   bool
	locked   bool              // adapters cannot be loaded while it runs
	adapters map[string]string // name → path
	loads    int
}

const base = "Qwen/Qwen2.5-0.5B-Instruct"

func (s *standin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	refuse := func(status int, message string) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]any{"object": "error", "message": message, "type": "BadRequestError", "code": status})
	}
	var q struct {
		Model string
		Name  string `json:"lora_name"`
		Path  string `json:"lora_path"`
	}
	if r.Method == http.MethodPost && json.NewDecoder(r.Body).Decode(&q) != nil {
		refuse(400, "no JSON")
		return
	}
	control := "/v1/"
	if s.sglang {
		control = "/"
	}
	_, loaded := s.adapters[q.Name]
	switch path := r.URL.Path; {
	case path == "/v1/models":
		list := []any{map[string]any{"id": base, "root": "/models/qwen", "parent": nil}}
		for name, root := range s.adapters {
			list = append(list, map[string]any{"id": name, "root": root, "parent": base})
		}
		json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": list})
	case path == "/v1/chat/completions":
		name := q.Model
		if s.sglang {
			name = strings.TrimPrefix(name, base+":")
		}
		if _, there := s.adapters[name]; !there && q.Model != base || s.sglang && there && q.Model == name {
			refuse(404, "The model `"+q.Model+"` does not exist.")
			return
		}
		io.WriteString(w, `{"choices":[{"message":{"role":"assistant","content":"Hello."}}]}`)
	case s.locked:
		w.WriteHeader(404)
		io.WriteString(w, `{"detail":"Not Found"}`)
	case path == control+"load_lora_adapter" && loaded:
		refuse(400, "The lora adapter '"+q.Name+"' has already been loaded.")
	case path == control+"load_lora_adapter":
		s.loads++
		s.adapters[q.Name] = q.Path
		fmt.Fprintf(w, "Success: LoRA adapter '%s' added successfully", q.Name)
	case path == control+"unload_lora_adapter" && !loaded:
		refuse(404, "The lora adapter '"+q.Name+"' cannot be found.")
	case path == control+"unload_lora_adapter":
		delete(s.adapters, q.Name)
		fmt.Fprintf(w, "Success: LoRA adapter '%s' removed successfully", q.Name)
	default:
		w.WriteHeader(404)
		io.WriteString(w, `{"detail":"Not Found"}`)
	}
}

type flavour struct {
	name   string
	sglang bool
	kind   func(line.Dial, vllm.Shared) provider.Open
}

var flavours = []flavour{{"vLLM", false, vllm.Kind}, {"SGLang", true, vllm.SGLang}}

func (f flavour) engine(s *standin, shared vllm.Shared) providertest.Engine {
	s.sglang, s.adapters = f.sglang, map[string]string{}
	return providertest.Engine{Kind: func(d line.Dial) provider.Open { return f.kind(d, shared) }, Handler: s, Path: "/v1", Base: base}
}

func TestAStandInForVLLMAndOneForSGLangKeepTheContract(t *testing.T) {
	data := t.TempDir()
	shared, err := vllm.ParseShared([]string{data + "=/mnt/bailiwick"})
	if err != nil {
		t.Fatal(err)
	}
	adapter := &provider.Artifact{Folder: filepath.Join(data, "ws", "job", "model"), Files: []string{"adapter_config.json"}, Format: provider.FormatPEFT}
	for _, f := range flavours {
		t.Run(f.name, func(t *testing.T) {
			providertest.Speaks(t, f.engine(&standin{}, shared))
			providertest.Deploys(t, f.engine(&standin{}, shared), providertest.Deployable{Model: adapter})
			providertest.Deploys(t, f.engine(&standin{}, shared), providertest.Deployable{Always: true})
		})
	}
}

func opened(t *testing.T, f flavour, s *standin, shared ...string) provider.Deployer {
	t.Helper()
	folders, err := vllm.ParseShared(shared)
	if err != nil {
		t.Fatal(err)
	}
	e := f.engine(s, folders)
	far := httptest.NewServer(s)
	t.Cleanup(far.Close)
	g, err := guard.New([]string{strings.TrimPrefix(far.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	server, err := e.Kind(g.DialContext)(provider.Target{BaseURL: far.URL + "/v1"})
	if err != nil {
		t.Fatal(err)
	}
	return server.(provider.Deployer)
}

func TestStandInsLoadAnAdapterFromWhereTheySeeIt(t *testing.T) {
	for _, f := range flavours {
		s := &standin{}
		d := opened(t, f, s, "/srv/data=/mnt/x", "/srv/data/inner=/mnt/y")
		for here, there := range map[string]string{"/srv/data/ws/model": "/mnt/x/ws/model", "/srv/data/inner/m": "/mnt/y/m", "/srv/database/m": "", "/srv/data/../etc": "", "": ""} {
			spec := provider.DeploySpec{Base: base, Name: "bw-a", Replicas: 1, Model: &provider.Artifact{Folder: here, Format: provider.FormatPEFT}}
			_, err := d.Apply(t.Context(), spec)
			if there == "" && !errors.Is(err, provider.ErrUnsupported) || there != "" && (err != nil || s.adapters["bw-a"] != there) {
				t.Errorf("%s: %s loads %s, %v", f.name, here, s.adapters["bw-a"], err)
			}
		}
	}
}

func TestAnAdapterThatIsLoadedFromElsewhereIsLoadedAnewAndTheSameIsNot(t *testing.T) {
	for _, f := range flavours {
		s := &standin{}
		d := opened(t, f, s, "/srv/data")
		spec := provider.DeploySpec{Base: base, Name: "bw-a", Replicas: 1, Model: &provider.Artifact{Folder: "/srv/data/one", Format: provider.FormatPEFT}}
		s.adapters["bw-a"] = "/srv/data/one/"
		if _, err := d.Apply(t.Context(), spec); err != nil || s.loads != 0 {
			t.Errorf("%s: %v, %d loads", f.name, err, s.loads)
		}
		spec.Model.Folder = "/srv/data/two"
		if _, err := d.Apply(t.Context(), spec); err != nil || s.loads != 1 || s.adapters["bw-a"] != "/srv/data/two" {
			t.Errorf("%s: %v, %d loads", f.name, err, s.loads)
		}
		clear(s.adapters) // it was started again
		if state, err := d.Status(t.Context(), "bw-a"); err != nil || state.Phase != provider.DeployGone {
			t.Errorf("%s: %+v, %v", f.name, state, err)
		}
	}
}

func TestAStandInThatLoadsNothingWhileItRunsIsToldOf(t *testing.T) {
	for _, f := range flavours {
		d := opened(t, f, &standin{locked: true}, "/srv/data")
		_, err := d.Apply(t.Context(), provider.DeploySpec{Base: base, Name: "bw-a", Replicas: 1, Model: &provider.Artifact{Folder: "/srv/data/one", Format: provider.FormatPEFT}})
		if !errors.Is(err, provider.ErrUnsupported) || !strings.Contains(fault.Show(err), "--enable-lora") {
			t.Errorf("%s: %v", f.name, err)
		}
	}
}

func TestSharedFoldersAreAbsolute(t *testing.T) {
	for _, wrong := range []string{"data=/x", "/x=data", "", "=/x", "/x="} {
		if _, err := vllm.ParseShared([]string{wrong}); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
