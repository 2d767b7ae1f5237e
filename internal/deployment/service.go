package deployment

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/training"
)

// Filter chooses deployments for a list, newest first.
type Filter struct {
	Search string // part of name, title or base, regardless of case
	State  State  // empty: all
	After  string // the cursor the previous page ended with
	Skip   int    // deployments left out before, for APIs that count pages
	Limit  int
}

// Store is what the service needs of storage. Changes by people carry the audit
// event that explains them, and both are kept or neither is.
type Store interface {
	// InsertDeployment keeps a deployment, its first move and its work, if the
	// workspace has fewer than limit. Taken where its name is somebody's.
	InsertDeployment(ctx context.Context, ws ident.Workspace, d Deployment, limit int, why audit.Event) error
	Deployment(ctx context.Context, ws ident.Workspace, id ident.Deployment) (Deployment, error)
	DeploymentNamed(ctx context.Context, ws ident.Workspace, name ident.Model) (Deployment, error)
	Deployments(ctx context.Context, ws ident.Workspace, f Filter) (page []Deployment, next string, total int, err error)
	// ChangeDeployment changes a deployment: do gets the present one, and says with
	// which move. The loop looks at it at once.
	ChangeDeployment(ctx context.Context, ws ident.Workspace, id ident.Deployment, do func(*Deployment) (Moved, audit.Event, error)) (Deployment, error)
	// DeploymentMoves gives the last moves, newest first.
	DeploymentMoves(ctx context.Context, ws ident.Workspace, id ident.Deployment, most int) ([]Moved, error)

	Tuned(ctx context.Context, ws ident.Workspace, id ident.Tuned) (training.Tuned, error)
	TunedByName(ctx context.Context, ws ident.Workspace, name ident.Model) (training.Tuned, error)
	TunedModels(ctx context.Context, ws ident.Workspace, f training.ModelFilter) (page []training.Tuned, next string, err error)
}

// World is what the present rights, catalogue and providers are.
type World interface {
	// Refresh brings it up to what is committed.
	Refresh(ctx context.Context) error
	Holds(ws ident.Workspace, m ident.Model, c catalogue.Capability) bool
	Models(a ident.Account) []catalogue.Model // by id
	Places(a ident.Account, m ident.Model) []provider.Place
}

// Service is what people and programs can do with deployments.
type Service struct {
	Store Store
	World World
	// Open makes the server of a configured provider.
	Open   func(provider.Provider) (provider.Server, error)
	Folder string // the data folder, which the folders of tuned models are told from
	Now    func() time.Time
	// Most is how many deployments a workspace may have; 0: 50.
	Most int
}

const mostUsual = 50

// Wanted is what somebody wants to be put up.
type Wanted struct {
	Model    string // a model of the catalogue, or the name of an own tuned one
	Title    string // for people; empty: the name
	Suffix   string // of the name; empty: none, or a random one for a model of the catalogue
	Capacity int    // replicas
	Requests int    // a minute; 0: no limit
	Tokens   int    // a minute; 0: no limit
}

// Create asks for a deployment. It needs deployments:change in the workspace,
// which must hold the deployment right of a model of the catalogue, or the
// training right of the model that an own tuned one goes back to. What is badly
// said is a fault on its field.
func (s *Service) Create(ctx context.Context, by access.Actor, ws ident.Workspace, w Wanted) (Deployment, error) {
	if err := by.RequireIn(ws, access.ChangeDeployments); err != nil {
		return Deployment{}, err
	}
	src, err := s.source(ctx, by.Account, ws, strings.TrimSpace(w.Model))
	if err != nil {
		return Deployment{}, err
	}
	d, err := s.settle(src, w)
	if err != nil {
		return Deployment{}, err
	}
	d.CreatedBy, d.Creator, d.ByKey = by.User, by.FullName(), by.Key
	if d.Requests > 0 || d.Tokens > 0 {
		d.LimitsBy, d.LimitsAt = d.Creator, d.CreatedAt
	}
	return d, s.insert(ctx, ws, d, by.Event("deployments:create", ws, string(d.ID), fmt.Sprintf("deployed %s as %s", d.Model, d.Name)))
}

func (s *Service) insert(ctx context.Context, ws ident.Workspace, d Deployment, why audit.Event) error {
	most := s.Most
	if most == 0 {
		most = mostUsual
	}
	why = why.About("deployment", string(d.Name)).With("model", string(d.Model)).With("capacity", fmt.Sprint(d.Capacity))
	return s.Store.InsertDeployment(ctx, ws, d, most, why)
}

// settle turns what is wanted into a deployment.
func (s *Service) settle(src source, w Wanted) (Deployment, error) {
	if err := capacity(w.Capacity); err != nil {
		return Deployment{}, err
	}
	if err := rates(w.Requests, w.Tokens); err != nil {
		return Deployment{}, err
	}
	now := s.Now()
	d := Deployment{
		ID: ident.NewDeployment(), Account: src.account, Workspace: src.workspace, Model: src.model, Base: src.base, Tuned: src.tuned.ID,
		Provider: src.place.Provider.ID, Demo: src.demo, Engine: EngineName(src.place.Provider.ID), Capacity: w.Capacity, Before: max(w.Capacity, 1),
		Requests: w.Requests, Tokens: w.Tokens, State: Pending, Desired: 1, Price: src.price, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	var err error
	if d.Name, err = src.name(strings.TrimSpace(w.Suffix)); err != nil {
		return Deployment{}, err
	}
	if d.Title, err = title(w.Title, d.Name); err != nil {
		return Deployment{}, err
	}
	return d, nil
}

func title(text string, name ident.Model) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	if n := utf8.RuneCountInString(text); n > TitleMost {
		return "", fault.Field("name", "A name has at most %d characters.", TitleMost)
	}
	if text == "" {
		text = string(name)
	}
	return text, nil
}

// List gives one page of the workspace's deployments, and how many there are in
// all. It needs deployments:read.
func (s *Service) List(ctx context.Context, by access.Actor, ws ident.Workspace, f Filter) (page []Deployment, next string, total int, err error) {
	if err := by.RequireIn(ws, access.ReadDeployments); err != nil {
		return nil, "", 0, err
	}
	return s.Store.Deployments(ctx, ws, f)
}

// Find gives one deployment. It needs deployments:read.
func (s *Service) Find(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Deployment) (Deployment, error) {
	if err := by.RequireIn(ws, access.ReadDeployments); err != nil {
		return Deployment{}, err
	}
	return s.Store.Deployment(ctx, ws, id)
}

// Named finds one by what callers write as model. It needs deployments:read.
func (s *Service) Named(ctx context.Context, by access.Actor, ws ident.Workspace, name ident.Model) (Deployment, error) {
	if err := by.RequireIn(ws, access.ReadDeployments); err != nil {
		return Deployment{}, err
	}
	return s.Store.DeploymentNamed(ctx, ws, name)
}

// History gives the last moves of one, newest first. It needs deployments:read.
func (s *Service) History(ctx context.Context, by access.Actor, ws ident.Workspace, id ident.Deployment) ([]Moved, error) {
	if err := by.RequireIn(ws, access.ReadDeployments); err != nil {
		return nil, err
	}
	return s.Store.DeploymentMoves(ctx, ws, id, movesShown)
}

const movesShown = 20
