package main

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"bailiwick/internal/account"
	"bailiwick/internal/adminapi"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/explanation"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/web"
)

// management makes the management API.
func (p *Program) management(master secret.Master, proxies []netip.Prefix, plainHTTP bool) (*adminapi.Server, error) {
	p.adminKeys = &adminkey.Service{Store: p.store, Pepper: master.AdminPepper(), Now: time.Now}
	return adminapi.New(adminapi.Config{
		Services: p.on(p.store), AdminKeys: p.adminKeys, Throttle: &account.Throttle{Now: time.Now}, Trail: p.trail,
		BaseURL: p.base.String(), PlainHTTP: plainHTTP, Now: time.Now,
		Address: func(r *http.Request) string { return web.AddressOf(r, proxies) },
		Once: func(ctx context.Context, a ident.Account, c adminkey.Claim, do func(adminapi.Services) (adminkey.Answer, error)) (adminkey.Answer, bool, error) {
			return p.store.Once(ctx, a, c, func(inside *store.Store) (adminkey.Answer, error) { return do(p.on(inside)) })
		},
	})
}

// on gives the console's services on a store, which may be one transaction's.
func (p *Program) on(s *store.Store) adminapi.Services {
	accounts, people, workspaces, members, models, grants, keys, providers := *p.accounts, *p.people, *p.workspaces, *p.members, *p.catalogue, *p.grants, *p.keys, *p.providers
	accounts.Store, people.Store, workspaces.Store, members.Store, models.Store, grants.Store, keys.Store, providers.Store = s, s, s, s, s, s, s, s
	return adminapi.Services{
		Accounts: &accounts, People: &people, Trail: &account.Trail{Store: s}, Workspaces: &workspaces, Members: &members,
		Catalogue: &models, Grants: &grants, Why: &explanation.Service{Store: s, Policy: p.keeper, Note: p.trail.Record, Now: time.Now}, Keys: &keys, Providers: &providers,
	}
}
