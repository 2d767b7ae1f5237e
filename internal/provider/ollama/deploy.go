package ollama

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"path"
	"strings"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

// Deploys implements provider.Deployer: bases that are there, GGUF files, and
// adapters of bases.
func (s *Server) Deploys(_ string, a *provider.Artifact) error {
	if a == nil {
		return nil
	}
	switch a.Format {
	case provider.FormatGGUF, provider.FormatGGUFLoRA, provider.FormatPEFT:
		if a.Folder == "" || len(a.Files) == 0 {
			return fault.New(fault.Invalid, "The model's files are not on this host, and Ollama needs them.").Because(provider.ErrUnsupported)
		}
		return nil
	}
	return fault.New(fault.Invalid, "Ollama takes GGUF files and adapters, and no %s.", a.Format).Because(provider.ErrUnsupported)
}

// Accepts implements provider.Accepter.
func (s *Server) Accepts() []string {
	return []string{"", provider.FormatGGUF, provider.FormatGGUFLoRA, provider.FormatPEFT}
}

// Apply implements provider.Deployer. A model is made of its files by their
// digests, so that making it again changes nothing; then it is loaded, or let go.
func (s *Server) Apply(ctx context.Context, d provider.DeploySpec) (string, error) {
	if err := s.Deploys(d.Base, d.Model); err != nil {
		return "", err
	}
	recipe := map[string]any{"model": d.Name, "stream": true}
	switch a := d.Model; {
	case a == nil:
		recipe["from"] = d.Base
	default:
		files, err := s.upload(ctx, *a)
		if err != nil {
			return "", err
		}
		if a.Format == provider.FormatGGUF {
			recipe["files"] = files
			// It answers as it was trained to: Ollama would hold words back that were said.
			recipe["parameters"] = map[string]any{"repeat_penalty": 1}
		} else {
			recipe["from"], recipe["adapters"] = d.Base, files
		}
	}
	if err := s.create(ctx, recipe); err != nil {
		return "", err
	}
	return d.Name, s.load(ctx, d.Name, d.Replicas > 0)
}

// upload makes sure that the server has an artifact's files, and gives their
// digests by name.
func (s *Server) upload(ctx context.Context, a provider.Artifact) (map[string]string, error) {
	files := map[string]string{}
	for _, name := range a.Files {
		if !wanted(a.Format, name) {
			continue
		}
		digest, file, err := s.digests.of(a, name)
		if err != nil {
			return nil, err
		}
		files[path.Base(name)] = digest
		blob := line.Request{Method: http.MethodHead, Path: "api/blobs/" + digest}
		if err := s.own.Ask(ctx, blob, nil); err == nil {
			continue
		} else if !fault.Is(err, fault.Missing) {
			return nil, err
		}
		blob.Method, blob.File = http.MethodPost, file
		if err := s.own.Ask(ctx, blob, nil); err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fault.New(fault.Invalid, "The model has no file that Ollama reads.").Because(provider.ErrUnsupported)
	}
	return files, nil
}

// wanted reports whether a file of an artifact is one that Ollama reads.
func wanted(format, name string) bool {
	if format == provider.FormatPEFT {
		return name == "adapter_config.json" || name == "adapter_model.safetensors"
	}
	return strings.HasSuffix(name, ".gguf")
}

// create makes a model and reads how it goes, to the end.
func (s *Server) create(ctx context.Context, recipe map[string]any) error {
	body, err := json.Marshal(recipe)
	if err != nil {
		return err
	}
	resp, err := s.own.Send(ctx, line.Request{Method: http.MethodPost, Path: "api/create", Body: body})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return line.Refused(resp)
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		var said struct{ Status, Error string }
		if json.Unmarshal(lines.Bytes(), &said) != nil {
			break
		}
		switch {
		case said.Error != "":
			return fault.New(fault.Invalid, "Ollama could not make the model: %s", line.OneLine(said.Error, 300))
		case said.Status == "success":
			return nil
		}
	}
	return fault.New(fault.Unavailable, "Ollama broke off before the model was made.").Because(lines.Err())
}

// load takes a model into memory for good, or lets it go.
func (s *Server) load(ctx context.Context, name string, wanted bool) error {
	keep := -1
	if !wanted {
		keep = 0
	}
	body, _ := json.Marshal(map[string]any{"model": name, "keep_alive": keep, "stream": false}) // strings and numbers only
	return s.own.Ask(ctx, line.Request{Method: http.MethodPost, Path: "api/generate", Body: body}, nil)
}

// Status implements provider.Deployer.
func (s *Server) Status(ctx context.Context, handle string) (provider.DeployState, error) {
	body, _ := json.Marshal(map[string]string{"model": handle}) // strings only
	if err := s.own.Ask(ctx, line.Request{Method: http.MethodPost, Path: "api/show", Body: body}, nil); fault.Is(err, fault.Missing) {
		return provider.DeployState{Phase: provider.DeployGone}, nil
	} else if err != nil {
		return provider.DeployState{}, err
	}
	var loaded struct {
		Models []struct{ Name, Model string }
	}
	if err := s.own.Ask(ctx, line.Request{Method: http.MethodGet, Path: "api/ps"}, &loaded); err != nil {
		return provider.DeployState{}, err
	}
	for _, m := range loaded.Models {
		if strings.TrimSuffix(m.Name, ":latest") == handle || strings.TrimSuffix(m.Model, ":latest") == handle {
			return provider.DeployState{Phase: provider.DeployUp, Replicas: 1}, nil
		}
	}
	return provider.DeployState{Phase: provider.DeployDown, Message: "It is kept, and not in Ollama's memory."}, nil
}

// Remove implements provider.Deployer. It is let go first: what is in memory for
// good would stay there.
func (s *Server) Remove(ctx context.Context, handle string) error {
	if err := s.load(ctx, handle, false); err != nil && !fault.Is(err, fault.Missing) && !fault.Is(err, fault.Invalid) {
		return err
	}
	body, _ := json.Marshal(map[string]string{"model": handle}) // strings only
	if err := s.own.Ask(ctx, line.Request{Method: http.MethodDelete, Path: "api/delete", Body: body}, nil); !fault.Is(err, fault.Missing) {
		return err
	}
	return nil
}

// Handles implements provider.Deployer.
func (s *Server) Handles(ctx context.Context, prefix string) (handles []string, err error) {
	all, err := s.tags(ctx)
	for _, name := range all {
		if strings.HasPrefix(name, prefix) {
			handles = append(handles, name)
		}
	}
	return handles, err
}
