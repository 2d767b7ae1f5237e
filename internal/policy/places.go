package policy

import (
	"slices"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

// What follows answers services from the present snapshot, so that they need to
// know nothing of it.

// Holds reports whether a workspace may use a capability of a model.
func (k *Keeper) Holds(ws ident.Workspace, id ident.Model, c catalogue.Capability) bool {
	return k.Now().Holds(ws, id, c)
}

// Models lists the catalogue of an account, by id.
func (k *Keeper) Models(a ident.Account) []catalogue.Model {
	all := k.Now().Catalogue(a)
	list := make([]catalogue.Model, len(all))
	for i, m := range all {
		list[i] = m.Model
	}
	return list
}

// Places lists where a model of the catalogue is served or only trained, by order.
func (k *Keeper) Places(a ident.Account, id ident.Model) []provider.Place {
	s := k.Now()
	m := s.Model(a, id)
	if m == nil || m.Private() {
		return nil
	}
	var list []provider.Place
	all := slices.Concat(m.Servings, m.Trainers)
	slices.SortStableFunc(all, func(a, b Serving) int { return a.Order - b.Order })
	for _, v := range all {
		if p := s.Provider(v.Provider); p != nil {
			list = append(list, provider.Place{Provider: *p, Name: v.Name})
		}
	}
	return list
}

// Provider finds a configured provider; false: there is none.
func (k *Keeper) Provider(id ident.Provider) (provider.Provider, bool) {
	p := k.Now().Provider(id)
	if p == nil {
		return provider.Provider{}, false
	}
	return *p, true
}

// Providers lists those of every account, in no order.
func (k *Keeper) Providers() (list []provider.Provider) {
	for p := range k.Now().providers.all() {
		list = append(list, *p)
	}
	return list
}
