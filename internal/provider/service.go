package provider

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Store is what the service needs of storage. Every change carries the audit
// event that explains it, and both are kept or neither is.
type Store interface {
	InsertProvider(ctx context.Context, a ident.Account, p Provider, why audit.Event) error
	// UpdateProvider changes name, base URL and sealed credential and forgets
	// the last test; a conflict unless p.Version is the present one.
	UpdateProvider(ctx context.Context, a ident.Account, p Provider, why audit.Event) error
	// DeleteProvider is a conflict while something depends on the provider.
	DeleteProvider(ctx context.Context, a ident.Account, id ident.Provider, why audit.Event) error
	// Dependents lists what depends on a provider, at most 100 of it.
	Dependents(ctx context.Context, a ident.Account, id ident.Provider) ([]Dependent, error)
	Provider(ctx context.Context, a ident.Account, id ident.Provider) (Provider, error)
	Providers(ctx context.Context, a ident.Account) ([]Listed, error)
	// NoteTest keeps what the last test said.
	NoteTest(ctx context.Context, a ident.Account, id ident.Provider, at time.Time, testError string, why audit.Event) error
	Servings(ctx context.Context, a ident.Account, id ident.Provider) ([]Serving, error)
	// ReplaceServings makes these the models the provider serves; those not in
	// the account's catalogue are missing.
	ReplaceServings(ctx context.Context, a ident.Account, id ident.Provider, servings []Serving, why audit.Event) error
	// ImportModels adds to catalogue and servings in one transaction: models
	// that the catalogue lacks, and the servings of the provider.
	ImportModels(ctx context.Context, a ident.Account, id ident.Provider, models []catalogue.Model, servings []Serving, why audit.Event) error
}

// Service is what the account owner can do with providers.
type Service struct {
	Store  Store
	Sealer secret.Sealer
	Kinds  map[Kind]Open
	// CheckAddress refuses base URLs that may not be spoken to; the same guard
	// holds again when a connection is made.
	CheckAddress func(baseURL *url.URL) error
	Now          func() time.Time
	Programs     []string // of this host, by name; its operator declares them
	Opened       *Opened  // servers are kept here; nil: opened anew each time
}

// Form is what somebody says of a provider.
type Form struct {
	Name       string
	Kind       Kind
	BaseURL    string
	Credential secret.Text // empty on a change: as it was, if the address did not change
	Version    int64       // on a change
}

// Add configures a provider. It needs providers:change; what is badly said is a
// fault on its field.
func (s *Service) Add(ctx context.Context, by access.Actor, in Form) (Provider, error) {
	if err := by.Require(access.ChangeProviders); err != nil {
		return Provider{}, err
	}
	p := Provider{ID: ident.NewProvider(), Account: by.Account, Kind: in.Kind, CreatedAt: s.Now(), Version: 1}
	if err := s.fill(&p, in); err != nil {
		return Provider{}, err
	}
	if err := s.seal(&p, in.Credential); err != nil {
		return Provider{}, err
	}
	why := by.Event("providers:add", "", string(p.ID), fmt.Sprintf("added provider %q", p.Name))
	return p, s.Store.InsertProvider(ctx, by.Account, p, changed(why, Provider{}, p))
}

// Edit changes a provider. Whoever changes the address must give the
// credential again: one that was kept is never sent anywhere else.
func (s *Service) Edit(ctx context.Context, by access.Actor, id ident.Provider, in Form) error {
	if err := by.Require(access.ChangeProviders); err != nil {
		return err
	}
	p, err := s.Store.Provider(ctx, by.Account, id)
	if err != nil {
		return err
	}
	before := p
	in.Kind = p.Kind
	if err := s.fill(&p, in); err != nil {
		return err
	}
	if p.BaseURL != before.BaseURL {
		p.Sealed = nil
	}
	if !in.Credential.Empty() {
		if err := s.seal(&p, in.Credential); err != nil {
			return err
		}
	}
	p.Version = in.Version
	why := by.Event(access.ChangeProviders, "", string(id), fmt.Sprintf("changed provider %q", p.Name))
	return s.Store.UpdateProvider(ctx, by.Account, p, changed(why, before, p))
}

// Dependent is a deployment that a provider keeps, or a training that is not over there.
type Dependent struct {
	What      string // "the deployment qwen-turbo-fast"
	Workspace string // its name
}

// Dependents lists what keeps a provider from being deleted. It needs providers:change.
func (s *Service) Dependents(ctx context.Context, by access.Actor, id ident.Provider) ([]Dependent, error) {
	if err := by.Require(access.ChangeProviders); err != nil {
		return nil, err
	}
	return s.Store.Dependents(ctx, by.Account, id)
}

// Delete removes a provider and what it served; a conflict while something
// depends on it. It needs providers:change.
func (s *Service) Delete(ctx context.Context, by access.Actor, id ident.Provider) error {
	if err := by.Require(access.ChangeProviders); err != nil {
		return err
	}
	p, err := s.Store.Provider(ctx, by.Account, id)
	if err != nil {
		return err
	}
	why := by.Event("providers:delete", "", string(id), fmt.Sprintf("deleted provider %q", p.Name))
	return s.Store.DeleteProvider(ctx, by.Account, id, changed(why, p, Provider{}))
}

// List gives the account's providers by name. It needs providers:read.
func (s *Service) List(ctx context.Context, by access.Actor) ([]Listed, error) {
	if err := by.Require(access.ReadProviders); err != nil {
		return nil, err
	}
	return s.Store.Providers(ctx, by.Account)
}

// Find gives one provider and what it serves. It needs providers:read.
func (s *Service) Find(ctx context.Context, by access.Actor, id ident.Provider) (Provider, []Serving, error) {
	if err := by.Require(access.ReadProviders); err != nil {
		return Provider{}, nil, err
	}
	p, err := s.Store.Provider(ctx, by.Account, id)
	if err != nil {
		return Provider{}, nil, err
	}
	servings, err := s.Store.Servings(ctx, by.Account, id)
	return p, servings, err
}

// Test asks a provider for its models and keeps what came of it. The error is
// about asking; what the provider said is in the second result.
func (s *Service) Test(ctx context.Context, by access.Actor, id ident.Provider) (models []string, said string, err error) {
	if err := by.Require(access.ChangeProviders); err != nil {
		return nil, "", err
	}
	p, err := s.Store.Provider(ctx, by.Account, id)
	if err != nil {
		return nil, "", err
	}
	why := by.Event("providers:test", "", string(id), fmt.Sprintf("tested provider %q", p.Name))
	models, asked := s.remote(ctx, p)
	if asked != nil {
		said = fault.Show(asked)
		why = why.Ended(audit.Failed, said)
	}
	return models, said, s.Store.NoteTest(ctx, by.Account, id, s.Now(), said, why)
}

// Try asks for models with a form that is not saved yet. For a provider that is
// there already, whose address the form leaves as it is, an empty credential
// means the kept one. It needs providers:change; what is badly said is a fault
// on its field, and a provider that does not answer one of kind Unavailable.
func (s *Service) Try(ctx context.Context, by access.Actor, id ident.Provider, in Form) ([]string, error) {
	if err := by.Require(access.ChangeProviders); err != nil {
		return nil, err
	}
	p := Provider{ID: ident.NewProvider(), Account: by.Account, Kind: in.Kind}
	if id != "" {
		kept, err := s.Store.Provider(ctx, by.Account, id)
		if err != nil {
			return nil, err
		}
		p = kept
	}
	before := p.BaseURL
	if err := s.fill(&p, in); err != nil {
		return nil, err
	}
	if p.BaseURL != before {
		p.Sealed = nil
	}
	if !in.Credential.Empty() {
		if err := s.seal(&p, in.Credential); err != nil {
			return nil, err
		}
	}
	return s.remote(ctx, p)
}

// Remote lists the models a provider says it has. It needs providers:change.
func (s *Service) Remote(ctx context.Context, by access.Actor, id ident.Provider) ([]string, error) {
	if err := by.Require(access.ChangeProviders); err != nil {
		return nil, err
	}
	p, err := s.Store.Provider(ctx, by.Account, id)
	if err != nil {
		return nil, err
	}
	return s.remote(ctx, p)
}

func (s *Service) remote(ctx context.Context, p Provider) ([]string, error) {
	server, err := s.OpenServer(p)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return server.Models(ctx)
}

// OpenServer makes the server of a configured provider.
func (s *Service) OpenServer(p Provider) (Server, error) {
	open, ok := s.Kinds[p.Kind]
	if !ok {
		return nil, fault.New(fault.Unavailable, "This program cannot speak to providers of kind %s.", p.Kind)
	}
	t := Target{BaseURL: p.BaseURL}
	if p.Sealed != nil {
		credential, err := s.Sealer.Open(p.Sealed, p.Place())
		if err != nil {
			return nil, fault.New(fault.Unavailable, "The credential of this provider cannot be opened with the present master key. Enter it again.").Because(err)
		}
		t.Credential = credential
	}
	return open(t)
}

// Serve makes these the models the provider serves. It needs providers:change;
// every name is 1–200 characters, order and weight are within their bounds, and
// a model stands only once.
func (s *Service) Serve(ctx context.Context, by access.Actor, id ident.Provider, servings []Serving) error {
	if err := by.Require(access.ChangeProviders); err != nil {
		return err
	}
	seen := map[ident.Model]bool{}
	for i := range servings {
		v := &servings[i]
		v.Provider, v.Name = id, strings.TrimSpace(v.Name)
		if v.Name == "" {
			v.Name = string(v.Model)
		}
		if utf8.RuneCountInString(v.Name) > 200 {
			return fault.Field(string(v.Model), "A model's name at the provider has at most 200 characters.")
		}
		v.Order, v.Weight = max(v.Order, 1), max(v.Weight, 1)
		if v.Order > OrderMax || v.Weight > WeightMax {
			return fault.Field(string(v.Model), "The order is 1–%d and the weight 1–%d.", OrderMax, WeightMax)
		}
		if seen[v.Model] {
			return fault.Field(string(v.Model), "The model %s stands twice.", v.Model)
		}
		seen[v.Model] = true
	}
	return s.Store.ReplaceServings(ctx, by.Account, id, servings, by.Event("providers:serve", "", string(id), fmt.Sprintf("chose %d models for a provider", len(servings))))
}

// Import lets the provider serve models under the names it has for them. One
// that names no model of the catalogue becomes the model of its own name, which
// is added where the catalogue lacks it. It needs providers:change; a name that
// cannot be a model's id is a fault on the field of that name.
func (s *Service) Import(ctx context.Context, by access.Actor, id ident.Provider, chosen []Serving) error {
	if err := by.Require(access.ChangeProviders); err != nil {
		return err
	}
	var models []catalogue.Model
	for i := range chosen {
		v := &chosen[i]
		v.Provider, v.Order, v.Weight = id, 1, 1
		if v.Model != "" {
			continue
		}
		m, err := ident.ParseModel(v.Name)
		if err != nil {
			return fault.Field(v.Name, "This name cannot be a model's id here: it needs 1–128 letters, digits and . _ - : / @. Choose a model of the catalogue for it.")
		}
		v.Model = m
		models = append(models, catalogue.Model{
			ID: m, Account: by.Account, Name: v.Name, Vendor: "custom", Kinds: []string{"TG"}, Input: []string{"Text"}, Output: []string{"Text"},
			Offers: catalogue.Of(catalogue.Call), Custom: true, Version: 1,
		})
	}
	return s.Store.ImportModels(ctx, by.Account, id, models, chosen, by.Event("providers:import", "", string(id), fmt.Sprintf("imported %d models from a provider", len(chosen))))
}

func (s *Service) fill(p *Provider, in Form) error {
	p.Name = strings.Join(strings.Fields(in.Name), " ")
	if n := utf8.RuneCountInString(p.Name); n < 1 || n > 64 {
		return fault.Field("name", "Give the provider a name of 1–64 characters.")
	}
	if _, ok := s.Kinds[p.Kind]; !ok {
		return fault.Field("kind", "Choose one of the kinds.")
	}
	switch p.Kind {
	case Embedded:
		p.BaseURL = ""
		return nil
	case Command:
		return s.program(p, in)
	}
	base, err := CanonicalURL(in.BaseURL)
	if err != nil {
		return err
	}
	if err := s.CheckAddress(base); err != nil {
		return err
	}
	p.BaseURL = base.String()
	return nil
}

// program fills in a program of this host: one that its operator declares, so
// that nobody who administers an account runs others.
func (s *Service) program(p *Provider, in Form) error {
	name := strings.TrimPrefix(strings.TrimSpace(in.BaseURL), CommandScheme)
	if !slices.Contains(s.Programs, name) {
		return fault.Field("kind", "Choose one of the programs that the operator of this host declares.")
	}
	if !in.Credential.Empty() {
		return fault.Field("credential", "A program of this host is given no credential: what it needs stands in its declaration.")
	}
	p.BaseURL = CommandScheme + name
	return nil
}

func (s *Service) seal(p *Provider, credential secret.Text) (err error) {
	if credential.Empty() {
		p.Sealed = nil
		return nil
	}
	if t := credential.Reveal(); len(t) > 4096 || strings.ContainsAny(t, "\r\n\x00") {
		return fault.Field("credential", "A credential is one line of at most 4096 characters.")
	}
	p.Sealed, err = s.Sealer.Seal(credential, p.Place())
	return err
}

// CanonicalURL parses a base URL: http or https, a host, no user, query or
// fragment; it comes back without a slash at its end.
func CanonicalURL(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || strings.ContainsAny(text, "\\ \t\r\n"):
		return nil, fault.Field("base_url", "Write the address as http://host:port/v1 or https://host/v1.")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fault.Field("base_url", "The address begins with http:// or https://.")
	case u.User != nil:
		return nil, fault.Field("base_url", "The address holds no user or password. Enter those as the credential.")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, fault.Field("base_url", "The address holds no ? and no #.")
	}
	u.Host = strings.ToLower(u.Host)
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}
