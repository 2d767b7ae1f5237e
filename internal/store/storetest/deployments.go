package storetest

import (
	"bailiwick/internal/deployment"
	"bailiwick/internal/ident"
)

// Draft is a deployment of a model of the catalogue, not asked for yet.
func Draft(a ident.Account, u ident.User, ws ident.Workspace, p ident.Provider, base, name ident.Model) deployment.Deployment {
	return deployment.Deployment{
		ID: ident.NewDeployment(), Account: a, Workspace: ws, Name: name, Title: string(name), Model: base, Base: base,
		Provider: p, Engine: deployment.EngineName(p), Capacity: 1, Before: 1, State: deployment.Pending, Desired: 1,
		CreatedAt: Start, CreatedBy: u, Creator: "root@acme", UpdatedAt: Start, Version: 1,
	}
}

// Draft is a deployment that the world's owner would ask for.
func (w *World) Draft(ws ident.Workspace, p ident.Provider, base, name ident.Model) deployment.Deployment {
	return Draft(w.Account.ID, w.Root.ID, ws, p, base, name)
}

// Deployment asks for a deployment of a model of the catalogue.
func (w *World) Deployment(ws ident.Workspace, p ident.Provider, base, name ident.Model) deployment.Deployment {
	w.t.Helper()
	d := w.Draft(ws, p, base, name)
	must(w.t, w.Store.InsertDeployment(w.t.Context(), ws, d, 1000, w.Why("deployments:create")))
	return d
}
