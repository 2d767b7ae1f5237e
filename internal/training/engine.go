package training

import (
	"context"
	"slices"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// engine is where a job is trained.
type engine struct {
	place     provider.Place
	trainer   provider.Trainer
	abilities provider.Abilities
}

// engine finds where a job is trained: the first place, in the order in which the
// model is served, that trains so. A job that was begun stays where it is. An
// adapter that nobody named becomes the first that the engine can.
func (s *Service) engine(ctx context.Context, j *Job) (engine, error) {
	var can []string
	for _, e := range s.engines(ctx, j.Account, j.Base) {
		if j.Provider != "" && e.place.Provider.ID != j.Provider {
			continue
		}
		hows := e.abilities.Methods[j.Method]
		switch {
		case j.From != "" && !e.abilities.Continue:
		case j.Adapter == "" && len(hows) > 0:
			j.Adapter = hows[0]
			return e, nil
		case e.abilities.Can(j.Method, j.Adapter):
			return e, nil
		}
		for m := range e.abilities.Methods {
			can = append(can, methodTitle(m))
		}
	}
	switch {
	case j.Provider != "":
		return engine{}, fault.New(fault.Unavailable, "The provider that trained this does not serve the model any more.").About("model")
	case len(can) == 0:
		return engine{}, fault.Field("model", "No provider of this account trains %s. The account owner can add one under Providers.", j.Base)
	}
	slices.Sort(can)
	return engine{}, fault.Field("method", "No provider of %s can train it so. What it can: %s.", j.Base, join(slices.Compact(can)))
}

func join(words []string) (text string) {
	for i, w := range words {
		if i > 0 {
			text += ", "
		}
		text += w
	}
	return text
}

// engines lists the places of a model that train.
func (s *Service) engines(ctx context.Context, a ident.Account, m ident.Model) (list []engine) {
	for _, p := range s.World.Places(a, m) {
		server, err := s.Open(p.Provider)
		if err != nil {
			continue // it says so under Providers; others may serve the model too
		}
		if t, ok := server.(provider.Trainer); ok {
			list = append(list, engine{p, t, t.Abilities(ctx)})
		}
	}
	return list
}

// spec tells an engine of a job, without its data.
func (s *Service) spec(j *Job, e engine) provider.TrainSpec {
	spec := provider.TrainSpec{
		Job: j.ID, Workspace: j.Workspace, Base: e.place.Name, Name: string(j.Output), Method: j.Method, Adapter: j.Adapter, Hyper: j.Hyper,
	}
	for _, f := range j.Train {
		spec.Train.Size += f.Size
		spec.Train.Examples += f.Examples
		spec.Train.Tokens += f.Tokens
	}
	for _, f := range j.Valid {
		spec.Valid.Size += f.Size
		spec.Valid.Examples += f.Examples
		spec.Valid.Tokens += f.Tokens
	}
	if len(j.Valid) == 0 && j.Split < 100 {
		total := spec.Train.Examples
		spec.Train.Examples = (total*j.Split + 50) / 100
		spec.Valid.Examples = total - spec.Train.Examples
		spec.Valid.Tokens = spec.Train.Tokens * int64(100-j.Split) / 100
		spec.Train.Tokens -= spec.Valid.Tokens
	}
	return spec
}

// Base is a model that a workspace may train.
type Base struct {
	Model ident.Model // as it is named in Wanted
	Name  string      // for people
	Base  ident.Model // of the catalogue; as Model for one of the catalogue
	Tuned bool        // it is one of the workspace's own
	provider.Abilities
	Engine string // the provider's name
}

// Bases lists what a workspace may train, and on what: models of the catalogue
// that it holds the right for and that some provider trains, then its own tuned
// ones where that provider can go on from them. It needs trainings:change.
func (s *Service) Bases(ctx context.Context, by access.Actor, ws ident.Workspace) ([]Base, error) {
	if err := by.RequireIn(ws, access.ChangeTrainings); err != nil {
		return nil, err
	}
	of := map[ident.Model]engine{}
	var list []Base
	for _, m := range s.World.Models(by.Account) {
		if !s.World.Holds(ws, m.ID, catalogue.Train) {
			continue
		}
		if found := s.engines(ctx, by.Account, m.ID); len(found) > 0 {
			of[m.ID] = found[0]
			list = append(list, Base{Model: m.ID, Name: m.Name, Base: m.ID, Abilities: found[0].abilities, Engine: found[0].place.Provider.Name})
		}
	}
	own, _, err := s.Store.TunedModels(ctx, ws, ModelFilter{Limit: basesMost})
	for _, t := range own {
		if e, ok := of[t.Base]; ok && e.abilities.Continue {
			list = append(list, Base{Model: t.Name, Name: t.Title, Base: t.Base, Tuned: true, Abilities: e.abilities, Engine: e.place.Provider.Name})
		}
	}
	return list, err
}

// basesMost is how many own models the form offers, the newest; others can be
// trained through the APIs.
const basesMost = 200

// Files lists what the form offers to learn from, the newest first: the others
// can be named through the APIs. It needs trainings:change.
func (s *Service) Files(ctx context.Context, by access.Actor, ws ident.Workspace) ([]dataset.Listed, error) {
	if err := by.RequireIn(ws, access.ChangeTrainings); err != nil {
		return nil, err
	}
	return s.Data.Choices(ctx, ws, basesMost)
}
