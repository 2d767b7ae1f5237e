package storetest

import (
	"bailiwick/internal/deployment"
	"bailiwick/internal/ident"
)

// Draft is a deployment of a model of the catalogue, not asked for yet.
func (w *World) Draft(ws ident.Workspace, p ident.Provider, base, name ident.Model) deployment.Deployment {
	return deployment.Deployment{
		ID: ident.NewDeployment(), Account: w.Account.ID, Workspace: ws, Name: name, Title: string(name), Model: base, Base: base,
		Provider: p, Engine: deployment.EngineName(p), Capacity: 1, Before: 1, State: deployment.Pending, Desired: 1,
		CreatedAt: Start, CreatedBy: w.Root.ID, Creator: "root@" + string(w.Account.Alias), UpdatedAt: Start, Version: 1,
	}
}

// Deployment asks for a deployment of a model of the catalogue.
func (w *World) Deployment(ws ident.Workspace, p ident.Provider, base, name ident.Model) deployment.Deployment {
	w.t.Helper()
	d := w.Draft(ws, p, base, name)
	must(w.t, w.Store.InsertDeployment(w.t.Context(), ws, d, 1000, w.Why("deployments:create")))
	return d
}
