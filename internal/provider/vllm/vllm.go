// Package vllm speaks to vLLM and SGLang: calls by the OpenAI protocol, and
// adapters of the model they run, which they load and unload while they run.
// Sources: vLLM's documentation of LoRA adapters and of VLLM_ALLOW_RUNTIME_LORA_UPDATING,
// SGLang's of /load_lora_adapter. Neither was run here: there is no GPU.
package vllm

import (
	"context"
	"net/http"
	"strings"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
	"bailiwick/internal/provider/openai"
)

// Server implements provider.Server and provider.Deployer.
type Server struct {
	*openai.Server
	control *line.Line // where adapters are loaded
	flavour flavour
	shared  Shared
}

// flavour is what differs between the two.
type flavour struct {
	title string
	root  bool   // the controls lie beside /v1, and not below it
	calls string // before an adapter's name in calls stand the base's and this; empty: nothing
	allow string // what the operator starts the server with, so that adapters can be loaded
}

var (
	asVLLM   = flavour{"vLLM", false, "", "--enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True in the environment"}
	asSGLang = flavour{"SGLang", true, ":", "--enable-lora, --max-lora-rank and --lora-target-modules"}
)

// Kind opens vLLM servers that connect through a dial. They see our files below
// the shared folders.
func Kind(dial line.Dial, shared Shared) provider.Open { return asVLLM.open(dial, shared) }

// SGLang opens SGLang servers likewise.
func SGLang(dial line.Dial, shared Shared) provider.Open { return asSGLang.open(dial, shared) }

func (f flavour) open(dial line.Dial, shared Shared) provider.Open {
	return func(t provider.Target) (provider.Server, error) {
		calls, err := openai.Open(t, dial)
		if err != nil {
			return nil, err
		}
		control := calls.Line
		if f.root {
			t.BaseURL = strings.TrimSuffix(t.BaseURL, "/v1")
			if control, err = line.Open(t, dial); err != nil {
				return nil, err
			}
		}
		return &Server{calls, control, f, shared}, nil
	}
}

// CloseIdleConnections gives up the connections that no call uses.
func (s *Server) CloseIdleConnections() {
	s.Server.CloseIdleConnections()
	s.control.CloseIdleConnections()
}

// model is one that the server has: the one it runs, or an adapter of it.
type model struct {
	ID     string
	Root   string // an adapter's folder, as the server sees it
	Parent string // empty: it is no adapter
}

// served asks what the server has now. Adapters are gone when it starts again, so
// that nothing is remembered here.
func (s *Server) served(ctx context.Context) (map[string]model, error) {
	var list struct{ Data []model }
	err := s.Ask(ctx, line.Request{Method: http.MethodGet, Path: "models"}, &list)
	if fault.Is(err, fault.Missing) || fault.Is(err, fault.Invalid) {
		return nil, fault.New(fault.Unavailable, "The provider has no list of models at this address. Does it end in /v1?").Because(err)
	}
	all := map[string]model{}
	for _, m := range list.Data {
		all[m.ID] = m
	}
	return all, err
}
