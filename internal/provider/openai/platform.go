package openai

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

// Platform is a server that may have OpenAI's fine-tuning API too, which cannot
// be told from its address: it is tried. Source of the shapes: OpenAI's API
// description, version 2.3.0. It implements provider.RemoteTrainer,
// provider.Deployer and provider.Discarder.
type Platform struct {
	*Server
	probe line.Probe
}

const (
	jobsPath  = "fine_tuning/jobs"
	filesPath = "files"
)

// Abilities implements provider.Trainer. Which weights are changed is for the
// platform to say; what comes of it is an adapter as far as others tell.
func (p *Platform) Abilities(ctx context.Context) provider.Abilities {
	if !p.trains(ctx) {
		return provider.Abilities{}
	}
	return provider.Abilities{Methods: map[provider.Method][]provider.Adapter{provider.SFT: {provider.LoRA}}, Continue: true, Checkpoints: true}
}

// trains finds out whether the platform has the fine-tuning API for us.
func (p *Platform) trains(ctx context.Context) bool {
	return p.probe.There(ctx, func(ctx context.Context) error {
		var list struct{ Object string }
		err := p.Ask(ctx, line.Request{Method: http.MethodGet, Path: jobsPath, Query: url.Values{"limit": {"1"}}}, &list)
		if err == nil && list.Object != "list" {
			err = &line.Refusal{Status: http.StatusNotFound}
		}
		return err
	})
}

// Check implements provider.Trainer.
func (p *Platform) Check(_ context.Context, s provider.TrainSpec) error {
	switch h := s.Hyper; {
	case s.Method != provider.SFT || s.Adapter != provider.LoRA:
		return fault.Field("method", "This provider is asked for efficient supervised fine-tuning only.")
	case s.From != nil && s.From.Remote == "":
		return fault.Field("model", "This provider goes on from models that it made itself only.")
	case h.LearningRate != 0:
		return fault.Field("learning_rate", "This provider takes no learning rate, but a learning_rate_multiplier. Leave it to the provider.")
	case h.MaxLength != 0:
		return fault.Field("max_length", "This provider takes no length of examples. Leave it to the provider.")
	case h.Rank != 0:
		return fault.Field("lora_rank", "This provider takes no rank. Leave it to the provider.")
	}
	for name := range s.Hyper.Others {
		if name != "learning_rate_multiplier" {
			return fault.Field("hyper_parameters", "This provider knows no parameter of the name %s.", line.OneLine(name, 40))
		}
	}
	return nil
}

// at is the path of one thing. An id that is none is a thing that is not there.
func at(collection, id string, more ...string) (string, error) {
	if !line.IsID(id) {
		return "", provider.ErrLost
	}
	path := collection + "/" + id
	for _, m := range more {
		path += "/" + m
	}
	return path, nil
}

// lost makes what is missing there lost here.
func lost(err error) error {
	if fault.Is(err, fault.Missing) {
		return errors.Join(provider.ErrLost, err)
	}
	return err
}

// has is unsupported for a platform that lacks the API as a whole.
func has(err error) error {
	if fault.Is(err, fault.Missing) {
		return fault.New(fault.Invalid, "This provider has no fine-tuning API at its address.").Because(errors.Join(provider.ErrUnsupported, err))
	}
	return err
}
