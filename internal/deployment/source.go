package deployment

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/training"
)

// source is a model that can be put up, and where.
type source struct {
	account   ident.Account
	workspace ident.Workspace
	model     ident.Model
	base      ident.Model
	tuned     training.Tuned // zero: the base as it is
	place     provider.Place
	demo      bool
	price     Price
}

// needs is the right by which a deployment is made and called.
func (d *Deployment) needs() catalogue.Capability {
	if d.Tuned != "" {
		return catalogue.Train
	}
	return catalogue.Deploy
}

func denied(m ident.Model, c catalogue.Capability) error {
	return fault.New(fault.Forbidden, "This workspace is not authorized for %s of %s. The account owner can authorize it.", c.Title(), m).About("model")
}

// source finds a model by what it is called: one of the catalogue that the
// workspace may deploy, or one of its own.
func (s *Service) source(ctx context.Context, a ident.Account, ws ident.Workspace, name string) (source, error) {
	id, err := ident.ParseModel(name)
	switch {
	case name == "":
		return source{}, fault.Field("model", "Choose a model.")
	case err != nil:
		return source{}, noModel(name)
	}
	if m, ok := s.find(a, id); ok {
		if !s.World.Holds(ws, id, catalogue.Deploy) {
			return source{}, denied(id, catalogue.Deploy)
		}
		return s.placed(source{account: a, workspace: ws, model: id, base: id, price: priceOf(m)})
	}
	t, err := s.Store.TunedByName(ctx, ws, id)
	if fault.Is(err, fault.Missing) {
		return source{}, noModel(name)
	}
	if err != nil {
		return source{}, err
	}
	return s.own(a, ws, t)
}

func noModel(name string) error {
	return fault.New(fault.Missing, "Model: %s not found!", strings.ToValidUTF8(name[:min(len(name), 128)], "")).About("model")
}

// own is a model that the workspace tuned.
func (s *Service) own(a ident.Account, ws ident.Workspace, t training.Tuned) (source, error) {
	if !s.World.Holds(ws, t.Base, catalogue.Train) {
		return source{}, denied(t.Base, catalogue.Train)
	}
	src := source{account: a, workspace: ws, model: t.Name, base: t.Base, tuned: t}
	if m, ok := s.find(a, t.Base); ok {
		src.price = priceOf(m)
	}
	return s.placed(src)
}

func (s *Service) find(a ident.Account, id ident.Model) (catalogue.Model, bool) {
	for _, m := range s.World.Models(a) {
		if m.ID == id {
			return m, true
		}
	}
	return catalogue.Model{}, false
}

// placed finds where a model can be put up: the first place, in the order in
// which the base is served, that takes it; for a model that stays with an
// engine, that engine.
func (s *Service) placed(src source) (source, error) {
	why := error(fault.Field("model", "No provider of this account keeps %s ready for deployments. The account owner can add one under Providers.", src.base))
	for _, p := range s.World.Places(src.account, src.base) {
		if src.tuned.Artifact.Remote != "" && src.tuned.Provider != p.Provider.ID {
			continue
		}
		d, err := s.deployer(p.Provider)
		if err == nil {
			err = d.Deploys(p.Name, s.artifact(src.tuned))
		}
		if err == nil {
			src.place, src.demo = p, p.Provider.Kind == provider.Embedded
			if src.demo {
				src.price = Price{}
			}
			return src, nil
		}
		if f := new(fault.Fault); errors.Is(err, provider.ErrUnsupported) && errors.As(err, &f) {
			why = fault.Field("model", "The provider %s cannot put it up: %s", p.Provider.Name, f.Message)
		}
		if !errors.Is(err, provider.ErrUnsupported) {
			why = fault.New(fault.Unavailable, "The provider %s cannot put it up: %s", p.Provider.Name, fault.Show(err)).About("model").Because(err)
		}
	}
	return source{}, why
}

// deployer opens a provider that keeps models ready.
func (s *Service) deployer(p provider.Provider) (provider.Deployer, error) {
	server, err := s.Open(p)
	if err != nil {
		return nil, err
	}
	d, ok := server.(provider.Deployer)
	if !ok {
		return nil, provider.ErrUnsupported
	}
	return d, nil
}

// artifact is a tuned model as engines take it; nil: the base as it is.
func (s *Service) artifact(t training.Tuned) *provider.Artifact {
	if t.ID == "" {
		return nil
	}
	a := t.Artifact
	if a.Folder != "" && !filepath.IsAbs(a.Folder) {
		a.Folder = filepath.Join(s.Folder, filepath.FromSlash(a.Folder))
	}
	return &a
}

// name makes the public name.
func (src source) name(suffix string) (ident.Model, error) {
	switch {
	case suffix != "":
		return suffixed(src.model, suffix)
	case src.tuned.ID != "":
		return src.model, nil
	}
	return suffixed(src.model, letters(8))
}

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

// letters are n random ones of 32.
func letters(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b)
}

// EnginePrefix begins the names that we give models at one provider. Two
// installations that share an engine have configured it each, so that neither
// takes the other's models for its own.
func EnginePrefix(p ident.Provider) string {
	sum := sha256.Sum256([]byte(p))
	return provider.NamePrefix + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:5])[:6])
}

// EngineName makes a name for a model at a provider: whoever knows the public
// name of a deployment knows nothing of it.
func EngineName(p ident.Provider) string { return EnginePrefix(p) + letters(26) }

// HourItem is what the catalogue's price of one replica for an hour goes by.
const HourItem = "deployment_hour"

func priceOf(m catalogue.Model) Price {
	p, ok := m.PriceOf(HourItem)
	amount, err := strconv.ParseFloat(p.Amount, 64)
	if !ok || err != nil || amount < 0 || amount > 1e9 {
		return Price{}
	}
	return Price{Millionths: int64(math.Round(amount * 1e6)), Currency: p.Currency}
}

// Offer is a model that a workspace may put up.
type Offer struct {
	Model  ident.Model // as it is named in Wanted
	Name   string      // for people
	Base   ident.Model // of the catalogue; as Model for one of the catalogue
	Tuned  bool        // it is one of the workspace's own
	Demo   bool
	Price  Price  // of one replica for an hour
	Engine string // the provider's name
}

// Offers lists what a workspace may put up, and on what: its own tuned models,
// newest first, then models of the catalogue by id. It needs deployments:read.
func (s *Service) Offers(ctx context.Context, by access.Actor, ws ident.Workspace) ([]Offer, error) {
	if err := by.RequireIn(ws, access.ReadDeployments); err != nil {
		return nil, err
	}
	own, _, err := s.Store.TunedModels(ctx, ws, training.ModelFilter{Limit: offersMost})
	if err != nil {
		return nil, err
	}
	var list []Offer
	add := func(name string, src source, err error) {
		if err == nil {
			list = append(list, Offer{src.model, name, src.base, src.tuned.ID != "", src.demo, src.price, src.place.Provider.Name})
		}
	}
	for _, t := range own {
		src, err := s.own(by.Account, ws, t)
		add(t.Title, src, err)
	}
	for _, m := range s.World.Models(by.Account) {
		if s.World.Holds(ws, m.ID, catalogue.Deploy) {
			src, err := s.placed(source{account: by.Account, workspace: ws, model: m.ID, base: m.ID, price: priceOf(m)})
			add(m.Name, src, err)
		}
	}
	return list, nil
}

// offersMost is how many own models are offered, the newest; others can be named.
const offersMost = 200
