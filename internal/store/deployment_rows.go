package store

import (
	"bailiwick/internal/catalogue"
	"bailiwick/internal/deployment"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

type deploymentRow struct {
	ID        ident.Deployment `gorm:"primaryKey"`
	Account   ident.Account    `gorm:"column:account_id"`
	Workspace ident.Workspace  `gorm:"column:workspace_id"`
	Name      ident.Model
	Title     string
	Folded    string         // what it is found by: title, name, model and base
	Model     ident.Model    `gorm:"column:model_id"`
	Base      ident.Model    `gorm:"column:base_id"`
	Tuned     ident.Tuned    `gorm:"column:tuned_id"`
	Provider  ident.Provider `gorm:"column:provider_id"`
	Demo      bool
	Engine    string
	Calls     string
	Handle    string
	Capacity  int
	Before    int `gorm:"column:capacity_before"`
	Ready     int
	Requests  int
	Tokens    int
	LimitsBy  string `gorm:"column:limits_set_by"`
	LimitsAt  stamp  `gorm:"column:limits_set_at"`
	State     deployment.State
	Reason    string
	Desired   int64
	Observed  int64
	Price     int64
	Currency  string
	Created   stamp
	CreatedBy ident.User
	Creator   string
	ByKey     ident.Key
	Updated   stamp
	UpSince   stamp
	Booked    stamp
	Version   int64
}

func (deploymentRow) TableName() string { return "deployments" }

func deploymentRowOf(d deployment.Deployment) deploymentRow {
	return deploymentRow{
		ID: d.ID, Account: d.Account, Workspace: d.Workspace, Name: d.Name, Title: d.Title,
		Folded: fold(d.Title + "\n" + string(d.Name) + "\n" + string(d.Model) + "\n" + string(d.Base)),
		Model:  d.Model, Base: d.Base, Tuned: d.Tuned, Provider: d.Provider, Demo: d.Demo, Engine: d.Engine, Calls: d.Calls, Handle: d.Handle,
		Capacity: d.Capacity, Before: d.Before, Ready: d.Ready, Requests: d.Requests, Tokens: d.Tokens,
		LimitsBy: d.LimitsBy, LimitsAt: stampOf(d.LimitsAt),
		State: d.State, Reason: clip(d.Reason, 1000), Desired: d.Desired, Observed: d.Observed, Price: d.Price.Millionths, Currency: d.Price.Currency,
		Created: stampOf(d.CreatedAt), CreatedBy: d.CreatedBy, Creator: d.Creator, ByKey: d.ByKey, Updated: stampOf(d.UpdatedAt),
		UpSince: stampOf(d.UpSince), Booked: stampOf(d.Booked), Version: d.Version,
	}
}

func (r deploymentRow) deployment() deployment.Deployment {
	return deployment.Deployment{
		ID: r.ID, Account: r.Account, Workspace: r.Workspace, Name: r.Name, Title: r.Title, Model: r.Model, Base: r.Base, Tuned: r.Tuned,
		Provider: r.Provider, Demo: r.Demo, Engine: r.Engine, Calls: r.Calls, Handle: r.Handle,
		Capacity: r.Capacity, Before: r.Before, Ready: r.Ready, Requests: r.Requests, Tokens: r.Tokens,
		LimitsBy: r.LimitsBy, LimitsAt: r.LimitsAt.time(),
		State: r.State, Reason: r.Reason, Desired: r.Desired, Observed: r.Observed, Price: deployment.Price{Millionths: r.Price, Currency: r.Currency},
		CreatedAt: r.Created.time(), CreatedBy: r.CreatedBy, Creator: r.Creator, ByKey: r.ByKey, UpdatedAt: r.Updated.time(),
		UpSince: r.UpSince.time(), Booked: r.Booked.time(), Version: r.Version,
	}
}

// fact is the deployment as a model that its workspace may call. It can what its
// base can; what it costs is its hours.
func (r deploymentRow) fact(base catalogue.Model) policy.Model {
	m := base
	m.ID, m.Account, m.Name, m.Offers, m.Version = r.Name, r.Account, r.Title, catalogue.Of(catalogue.Call), r.Version
	m.Limit, m.Prices, m.Note, m.TrainingWays, m.Custom, m.Snapshot = catalogue.Limit{SetBy: r.LimitsBy, SetAt: r.LimitsAt.time()}, nil, "", nil, false, false
	if r.Requests > 0 {
		m.Limit.Requests, m.Limit.RequestPeriod = r.Requests, 60
	}
	if r.Tokens > 0 {
		m.Limit.Usage, m.Limit.UsagePeriod, m.Limit.UsageField = r.Tokens, 60, "total_tokens"
	}
	f := policy.Model{Model: m, Workspace: r.Workspace, Deployment: r.ID, Base: r.Base, Needs: catalogue.Deploy}
	if r.Tuned != "" {
		f.Needs = catalogue.Train
	}
	if r.State.Up() && r.Calls != "" {
		f.Servings = []policy.Serving{{Provider: r.Provider, Name: r.Calls, Order: 1, Weight: 1}}
	}
	return f
}

type deploymentMoveRow struct {
	Account    ident.Account    `gorm:"column:account_id"`
	Deployment ident.Deployment `gorm:"column:deployment_id"`
	Number     int64
	At         stamp
	From       deployment.State `gorm:"column:from_state"`
	To         deployment.State `gorm:"column:to_state"`
	Reason     string
}

func (deploymentMoveRow) TableName() string { return "deployment_moves" }
