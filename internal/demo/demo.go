// Package demo makes the demo company: Acme, with three workspaces, four
// people, and a model server of its own. The demo command and tests use it.
package demo

import (
	"context"
	"errors"
	"fmt"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/grant"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/workspace"
)

// Alias is the demo company's.
const Alias ident.Alias = "acme"

// The demo company's sub-workspaces.
const (
	Marketing = "Marketing"
	Research  = "Research"
)

// Shared is the one model that is authorized from the start, for Research.
const Shared ident.Model = "qwen-plus"

// Person is somebody who logs on.
type Person struct {
	LogOn     ident.LogOn
	Name      string
	Workspace string      // empty: the account owner, in all of them
	Role      access.Role // there
	Pages     []access.Page
}

// People are those of the demo company.
var People = []Person{
	{LogOn: account.RootLogOn, Name: "Acme"},
	{LogOn: "alice", Name: "Alice", Workspace: Marketing, Role: access.Administrator},
	{LogOn: "bob", Name: "Bob", Workspace: Marketing, Role: access.Regular, Pages: []access.Page{access.PageUsage}},
	{LogOn: "carol", Name: "Carol", Workspace: Research, Role: access.Regular, Pages: []access.Page{access.PageKeys, access.PageUsage}},
}

// Services is what the demo company is made with.
type Services struct {
	Accounts   *account.Service
	Workspaces *workspace.Service
	Members    *workspace.Members
	Catalogue  *catalogue.Service
	Grants     *grant.Service
	Providers  *provider.Service
}

// Ensure makes what is still missing of the demo company, so that a start that
// was cut off goes on where it ended. Passwords are by log-on name; those of
// people who are there already are set anew only if they differ.
func (s Services) Ensure(ctx context.Context, passwords map[ident.LogOn]secret.Text) error {
	company, err := s.Accounts.Store.AccountByAlias(ctx, Alias)
	if fault.Is(err, fault.Missing) {
		company, err = s.Accounts.Open(ctx, account.NewAccount{Name: "Acme", Alias: string(Alias), Password: passwords[account.RootLogOn]})
	}
	if err != nil {
		return fmt.Errorf("demo account: %w", err)
	}
	if err := s.Catalogue.Install(ctx, company.ID); err != nil {
		return fmt.Errorf("demo catalogue: %w", err)
	}
	owner, err := s.Accounts.Store.UserByLogOn(ctx, Alias, account.RootLogOn)
	if err != nil {
		return err
	}
	root, err := s.Accounts.Actor(ctx, owner.ID)
	if err != nil {
		return err
	}
	return errors.Join(s.workspaces(ctx, root), s.people(ctx, company, root, passwords), s.authorization(ctx, root), s.provider(ctx, root))
}

func (s Services) workspaces(ctx context.Context, root access.Actor) error {
	for _, name := range []string{Marketing, Research} {
		if _, err := s.Workspaces.Add(ctx, root, name); err != nil && !fault.Is(err, fault.Conflict) {
			return fmt.Errorf("demo workspace %s: %w", name, err)
		}
	}
	return nil
}

func (s Services) people(ctx context.Context, company account.Account, root access.Actor, passwords map[ident.LogOn]secret.Text) error {
	ids, err := s.named(ctx, root)
	if err != nil {
		return err
	}
	for _, p := range People {
		u, err := s.person(ctx, company, p, passwords[p.LogOn])
		if err != nil {
			return fmt.Errorf("demo user %s: %w", p.LogOn, err)
		}
		if p.Workspace == "" {
			continue
		}
		is, err := s.Accounts.Actor(ctx, u.ID)
		if err != nil {
			return err
		}
		if _, member := is.In[ids[p.Workspace]]; member {
			continue
		}
		err = s.Members.Put(ctx, root, ids[p.Workspace], []workspace.Member{{User: u.ID, Role: p.Role, Pages: p.Pages}}, false)
		if err != nil {
			return fmt.Errorf("demo member %s: %w", p.LogOn, err)
		}
	}
	return nil
}

// person finds or adds a user and makes sure of the password.
func (s Services) person(ctx context.Context, company account.Account, p Person, password secret.Text) (account.User, error) {
	u, err := s.Accounts.Store.UserByLogOn(ctx, Alias, p.LogOn)
	if fault.Is(err, fault.Missing) {
		return s.Accounts.AddUser(ctx, company, account.NewUser{LogOn: p.LogOn, Name: p.Name, Role: access.Regular, Password: password})
	}
	if err != nil {
		return account.User{}, err
	}
	same, err := secret.PasswordMatches(ctx, password, u.Password)
	if err != nil || same {
		return u, err
	}
	return u, s.Accounts.ResetPassword(ctx, u, password)
}

// authorization lets Research call the shared model, if nobody has decided
// anything about that model yet.
func (s Services) authorization(ctx context.Context, root access.Actor) error {
	ids, err := s.named(ctx, root)
	if err != nil {
		return err
	}
	calling := grant.Subject{Model: Shared, Capability: catalogue.Call}
	list, err := s.Grants.List(ctx, root, calling)
	if err != nil || list.Version > grant.Unedited {
		return err
	}
	_, err = s.Grants.Authorize(ctx, root, calling, grant.Edit{Version: list.Version, Authorized: []ident.Workspace{ids[Research]}})
	return err
}

// provider makes the embedded model server serve every model that it has an answer for:
// those that write, give vectors or rank.
func (s Services) provider(ctx context.Context, root access.Actor) error {
	there, err := s.Providers.List(ctx, root)
	if err != nil || len(there) > 0 {
		return err
	}
	p, err := s.Providers.Add(ctx, root, provider.Form{Name: "Demo engine", Kind: provider.Embedded})
	if err != nil {
		return err
	}
	models, err := s.Catalogue.Store.Models(ctx, root.Account)
	if err != nil {
		return err
	}
	var servings []provider.Serving
	for _, m := range models {
		if m.Writes() || m.Embeds() || m.Ranks() {
			servings = append(servings, provider.Serving{Model: m.ID})
		}
	}
	return s.Providers.Serve(ctx, root, p.ID, servings)
}

// named gives the ids of the account's workspaces by name.
func (s Services) named(ctx context.Context, root access.Actor) (map[string]ident.Workspace, error) {
	list, _, err := s.Workspaces.List(ctx, root, workspace.Filter{Limit: 1000})
	ids := map[string]ident.Workspace{}
	for _, w := range list {
		ids[w.Name] = w.ID
	}
	return ids, err
}
