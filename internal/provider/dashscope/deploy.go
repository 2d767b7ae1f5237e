package dashscope

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

// deployment is one as DashScope tells of it.
type deployment struct {
	Deployed string `json:"deployed_model"` // what callers write
	Name     string
	Model    string `json:"model_name"`
	Status   string
	Base     int `json:"base_capacity"`
	Capacity int
	Ready    int `json:"ready_capacity"`
	Code     string
	Message  string
}

// suffixOf is what DashScope puts behind the model's name: ours is marked and as
// long as it may be, so that a deployment is found by it even where its name for
// people is not told.
func suffixOf(name string) string {
	return fmt.Sprintf("bw%.6s", strings.TrimPrefix(name, provider.NamePrefix))
}

// ours reports whether a deployment is called as we call them.
func (d deployment) ours(prefix string) bool {
	if strings.HasPrefix(d.Name, prefix) {
		return true
	}
	i := strings.LastIndexByte(d.Deployed, '-')
	suffix := d.Deployed[i+1:]
	return d.Name == "" && prefix == provider.NamePrefix && i > 0 && len(suffix) == 8 && strings.HasPrefix(suffix, "bw")
}

// Deploys implements provider.Deployer: models that DashScope has.
func (s *Server) Deploys(_ string, a *provider.Artifact) error {
	if a == nil || a.Format == provider.FormatRemote && a.Remote != "" {
		return nil
	}
	return fault.New(fault.Invalid, "DashScope deploys its own models, and those that it tuned.").Because(provider.ErrUnsupported)
}

// Accepts implements provider.Accepter.
func (s *Server) Accepts() []string { return []string{"", provider.FormatRemote} }

// Apply implements provider.Deployer.
func (s *Server) Apply(ctx context.Context, d provider.DeploySpec) (string, error) {
	if err := s.Deploys(d.Base, d.Model); err != nil {
		return "", err
	}
	model := d.Base
	if d.Model != nil {
		model = d.Model.Remote
	}
	now, err := s.find(ctx, d.Name, model)
	if err != nil {
		return "", err
	}
	if now == nil {
		return s.deploy(ctx, d, model)
	}
	wanted := d.Replicas * max(now.Base, 1)
	if now.Capacity == wanted {
		return now.Deployed, nil
	}
	body, _ := json.Marshal(map[string]int{"capacity": wanted}) // numbers only
	return now.Deployed, s.Ask(ctx, line.Request{Method: http.MethodPut, Path: deploymentsPath + "/" + now.Deployed + "/scale", Body: body}, nil)
}

// find looks for a deployment of ours; nil: there is none.
func (s *Server) find(ctx context.Context, name, model string) (found *deployment, err error) {
	err = pages(ctx, s, deploymentsPath, "deployments", func(d deployment) bool {
		mine := d.Name == name || d.Name == "" && d.Model == model && strings.HasSuffix(d.Deployed, "-"+suffixOf(name))
		if mine && line.IsID(d.Deployed) && d.Status != "DELETING" {
			found = &d
		}
		return found == nil
	})
	return found, err
}

// deploy puts a model up that is not there.
func (s *Server) deploy(ctx context.Context, d provider.DeploySpec, model string) (string, error) {
	unit, err := s.unit(ctx, model)
	if err != nil {
		return "", err
	}
	body, _ := json.Marshal(map[string]any{"model_name": model, "capacity": d.Replicas * unit, "name": d.Name, "suffix": suffixOf(d.Name)}) // strings and numbers only
	var made struct{ Output deployment }
	err = s.Ask(ctx, line.Request{Method: http.MethodPost, Path: deploymentsPath, Body: body}, &made)
	switch {
	case fault.Is(err, fault.Conflict): // somebody was sooner, or it is on its way out
		if now, asked := s.find(ctx, d.Name, model); asked == nil && now != nil {
			return now.Deployed, nil
		}
		return "", fault.New(fault.Busy, "The provider still takes away what had this name.").Because(err)
	case fault.Is(err, fault.Missing):
		return "", fault.New(fault.Invalid, "The provider does not have the model %s.", model).Because(provider.ErrUnsupported)
	case err != nil:
		return "", err
	case !line.IsID(made.Output.Deployed):
		return "", fault.New(fault.Unavailable, "The provider deployed a model and gave it no name.")
	}
	return made.Output.Deployed, nil
}

// unit is the capacity that one replica of a model has.
func (s *Server) unit(ctx context.Context, model string) (int, error) {
	type deployable struct {
		Model string `json:"model_name"`
		Base  int    `json:"base_capacity"`
	}
	unit := 1
	err := pages(ctx, s, deploymentsPath+"/models", "models", func(m deployable) bool {
		if m.Model == model {
			unit = max(m.Base, 1)
		}
		return m.Model != model
	})
	if fault.Is(err, fault.Missing) || fault.Is(err, fault.Invalid) { // it has no such list
		return 1, nil
	}
	return unit, err
}

// Status implements provider.Deployer. One that is being deleted is gone.
func (s *Server) Status(ctx context.Context, handle string) (provider.DeployState, error) {
	if !line.IsID(handle) {
		return provider.DeployState{Phase: provider.DeployGone}, nil
	}
	var got struct{ Output deployment }
	err := s.Ask(ctx, line.Request{Method: http.MethodGet, Path: deploymentsPath + "/" + handle}, &got)
	if fault.Is(err, fault.Missing) {
		return provider.DeployState{Phase: provider.DeployGone}, nil
	}
	d := got.Output
	unit := max(d.Base, 1)
	state := provider.DeployState{Replicas: d.Ready / unit, Calls: handle, Message: line.OneLine(d.Message, 300), Reason: line.OneLine(d.Code, 80)}
	switch d.Status {
	case "RUNNING", "UPDATING":
		state.Phase = provider.DeployUp
		if d.Ready < d.Capacity {
			state.Phase = provider.DeployDegraded
		}
	case "STOPPED":
		state.Phase = provider.DeployDown
	case "FAILED":
		state.Phase = provider.DeployBroken
	case "DELETING":
		state.Phase = provider.DeployGone
	default:
		state.Phase = provider.DeployStarting
	}
	return state, err
}

// Remove implements provider.Deployer. One that must rest first is laid to rest,
// and the next attempt removes it.
func (s *Server) Remove(ctx context.Context, handle string) error {
	if !line.IsID(handle) {
		return nil
	}
	err := s.Ask(ctx, line.Request{Method: http.MethodDelete, Path: deploymentsPath + "/" + handle}, nil)
	if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Conflict) {
		if fault.Is(err, fault.Missing) {
			return nil
		}
		return err
	}
	if state, asked := s.Status(ctx, handle); asked == nil && state.Phase == provider.DeployGone {
		return nil
	}
	if stop := s.Ask(ctx, line.Request{Method: http.MethodPut, Path: deploymentsPath + "/" + handle + "/scale", Body: []byte(`{"capacity":0}`)}, nil); stop != nil {
		return err
	}
	return fault.New(fault.Busy, "The deployment is being stopped, and deleted then.").Because(err)
}

// Handles implements provider.Deployer.
func (s *Server) Handles(ctx context.Context, prefix string) (handles []string, err error) {
	err = pages(ctx, s, deploymentsPath, "deployments", func(d deployment) bool {
		if d.ours(prefix) && d.Status != "DELETING" && line.IsID(d.Deployed) {
			handles = append(handles, d.Deployed)
		}
		return true
	})
	return handles, err
}
