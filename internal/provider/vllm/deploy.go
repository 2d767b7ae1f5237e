package vllm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"strings"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

// whole begins the handles of deployments of the model that the server runs
// anyway: there is nothing to put up, and nothing to take away.
const whole = "runs:"

// Deploys implements provider.Deployer: the model that runs there, and adapters
// of it in a folder that the server sees.
func (s *Server) Deploys(_ string, a *provider.Artifact) error {
	_, err := s.folder(a)
	return err
}

// Accepts implements provider.Accepter.
func (s *Server) Accepts() []string {
	if len(s.shared) == 0 {
		return []string{""}
	}
	return []string{"", provider.FormatPEFT}
}

// folder is where the server has an adapter; empty for the model as it is.
func (s *Server) folder(a *provider.Artifact) (string, error) {
	if a == nil {
		return "", nil
	}
	if a.Format != provider.FormatPEFT {
		return "", fault.New(fault.Invalid, "%s loads adapters in PEFT's format, and no %s.", s.flavour.title, a.Format).Because(provider.ErrUnsupported)
	}
	there, ok := s.shared.there(a.Folder)
	if a.Folder == "" || !ok {
		return "", fault.New(fault.Invalid, "%s does not see the model's folder. The operator starts this program with --shared-folder, which says where the server has our data folder.", s.flavour.title).Because(provider.ErrUnsupported)
	}
	return there, nil
}

// Apply implements provider.Deployer. An adapter that is loaded from the right
// folder already is as it should be.
func (s *Server) Apply(ctx context.Context, d provider.DeploySpec) (string, error) {
	folder, err := s.folder(d.Model)
	if err != nil {
		return "", err
	}
	all, err := s.served(ctx)
	if err != nil {
		return "", err
	}
	if _, there := all[d.Base]; !there {
		return "", fault.New(fault.Invalid, "The server does not run %s.", d.Base).Because(provider.ErrUnsupported)
	}
	if d.Model == nil {
		return whole + d.Base, nil
	}
	now, loaded := all[d.Name]
	if loaded && (d.Replicas == 0 || !same(now.Root, folder)) {
		if err := s.adapter(ctx, "unload_lora_adapter", map[string]string{"lora_name": d.Name}); err != nil && !fault.Is(err, fault.Missing) {
			return "", err
		}
		loaded = false
	}
	if loaded || d.Replicas == 0 {
		return d.Name, nil
	}
	err = s.adapter(ctx, "load_lora_adapter", map[string]string{"lora_name": d.Name, "lora_path": folder})
	if err == nil {
		return d.Name, nil
	}
	if all, asked := s.served(ctx); asked == nil && same(all[d.Name].Root, folder) {
		return d.Name, nil // somebody was sooner
	}
	return "", err
}

func same(a, b string) bool { return a != "" && path.Clean(a) == path.Clean(b) }

// adapter loads or unloads one.
func (s *Server) adapter(ctx context.Context, verb string, what map[string]string) error {
	body, _ := json.Marshal(what) // strings only
	err := s.control.Ask(ctx, line.Request{Method: http.MethodPost, Path: verb, Body: body}, nil)
	var no *line.Refusal
	if errors.As(err, &no) && (no.Status == http.StatusNotFound && strings.EqualFold(no.Message, "not found") || no.Status == http.StatusMethodNotAllowed) {
		return fault.New(fault.Invalid, "This server does not load adapters while it runs. Its operator starts it with %s.", s.flavour.allow).Because(provider.ErrUnsupported)
	}
	return err
}

// Status implements provider.Deployer. An adapter that is not loaded is gone:
// servers keep none for later.
func (s *Server) Status(ctx context.Context, handle string) (provider.DeployState, error) {
	all, err := s.served(ctx)
	if err != nil {
		return provider.DeployState{}, err
	}
	if base, ok := strings.CutPrefix(handle, whole); ok {
		if _, there := all[base]; there {
			return provider.DeployState{Phase: provider.DeployUp, Replicas: 1, Calls: base}, nil
		}
		return provider.DeployState{Phase: provider.DeployBroken, Reason: "not_served", Message: "The server does not run this model any more."}, nil
	}
	m, there := all[handle]
	if !there {
		return provider.DeployState{Phase: provider.DeployGone}, nil
	}
	state := provider.DeployState{Phase: provider.DeployUp, Replicas: 1, Calls: m.ID}
	if s.flavour.calls != "" {
		state.Calls = m.Parent + s.flavour.calls + m.ID
	}
	return state, nil
}

// Remove implements provider.Deployer.
func (s *Server) Remove(ctx context.Context, handle string) error {
	all, err := s.served(ctx)
	if _, there := all[handle]; err != nil || !there {
		return err
	}
	if err := s.adapter(ctx, "unload_lora_adapter", map[string]string{"lora_name": handle}); !fault.Is(err, fault.Missing) {
		return err
	}
	return nil
}

// Handles implements provider.Deployer.
func (s *Server) Handles(ctx context.Context, prefix string) (handles []string, err error) {
	all, err := s.served(ctx)
	for name, m := range all {
		if strings.HasPrefix(name, prefix) && m.Parent != "" {
			handles = append(handles, name)
		}
	}
	return handles, err
}
