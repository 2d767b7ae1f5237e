package adminapi

import (
	"slices"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/account"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/provider"
)

// Account is the account that the admin key belongs to.
type Account struct {
	ID        string    `json:"id"`
	Alias     string    `json:"alias" doc:"The account's name in log-ons." example:"acme"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Settings  Settings  `json:"settings"`
	Version   int64     `json:"version" doc:"The ETag is this number in quotes."`
}

func (a Account) version() int64 { return a.Version }

// Settings are what the owner decides for the whole account.
type Settings struct {
	NameWorkspace  bool `json:"name_workspace" doc:"Calls from sub-workspaces must name their workspace; false: the key alone is enough."`
	WorkspaceLimit int  `json:"workspace_limit" doc:"How many workspaces may be added."`
	KeyLimit       int  `json:"key_limit" doc:"How many API keys each workspace may hold."`
	KeyCalls       int  `json:"key_calls" doc:"How many calls may run at once with one API key; 0: any number."`
	WorkspaceCalls int  `json:"workspace_calls" doc:"How many calls may run at once in one workspace; 0: any number."`
	AuditDays      int  `json:"audit_days" doc:"How many days the audit trail is kept; 0: for ever."`

	RequireFactor        string `json:"require_factor" enum:"nobody,administrators,everybody" doc:"Who must have a second factor."`
	DatasetFiles         int    `json:"dataset_files" doc:"How many training files each workspace may keep."`
	DatasetMegabytes     int    `json:"dataset_megabytes" doc:"How many MB of training files each workspace may keep."`
	DatasetFileMegabytes int    `json:"dataset_file_megabytes" doc:"How many MB one training file may have."`
}

// SettingsChange is what is said to change settings. What is absent stays.
type SettingsChange struct {
	NameWorkspace  Opt[bool] `json:"name_workspace"`
	WorkspaceLimit Opt[int]  `json:"workspace_limit" doc:"0–100000"`
	KeyLimit       Opt[int]  `json:"key_limit" doc:"0–100000"`
	KeyCalls       Opt[int]  `json:"key_calls" doc:"0–100000; 0: any number."`
	WorkspaceCalls Opt[int]  `json:"workspace_calls" doc:"0–100000; 0: any number."`
	AuditDays      Opt[int]  `json:"audit_days" doc:"90–3650; 0: for ever."`

	RequireFactor        Opt[string] `json:"require_factor" enum:"nobody,administrators,everybody"`
	DatasetFiles         Opt[int]    `json:"dataset_files" doc:"0–10000"`
	DatasetMegabytes     Opt[int]    `json:"dataset_megabytes" doc:"0–1048576"`
	DatasetFileMegabytes Opt[int]    `json:"dataset_file_megabytes" doc:"1–10240"`
}

// Self is who the presented admin key acts for.
type Self struct {
	AdminKey  string    `json:"admin_key" doc:"The key's id."`
	Name      string    `json:"name" doc:"What the key is for."`
	ExpiresAt time.Time `json:"expires_at"`
	User      string    `json:"user" doc:"Its owner."`
	LogOn     string    `json:"logon" example:"root@acme"`
	Role      string    `json:"role" enum:"root,super"`
}

// Model is an entry of the catalogue.
type Model struct {
	ID     string   `json:"id" example:"qwen-turbo"`
	Name   string   `json:"name"`
	Vendor string   `json:"vendor"`
	Offers []string `json:"offers" doc:"What it can be authorized for: call, train, deploy."`
	Custom bool     `json:"custom" doc:"Added by the account."`
}

// Provider is a configured place where models run. Its credential is never shown.
type Provider struct {
	ID            string     `json:"id"`
	Name          string     `json:"name"`
	Kind          string     `json:"kind"`
	BaseURL       string     `json:"base_url"`
	HasCredential bool       `json:"has_credential"`
	Serves        []string   `json:"serves" doc:"Models of the catalogue."`
	CreatedAt     time.Time  `json:"created_at"`
	TestedAt      *time.Time `json:"tested_at" doc:"null: never since the last change."`
	TestError     string     `json:"test_error" doc:"What the last test said; empty: it answered."`
	Version       int64      `json:"version"`
}

// Providers are all of them.
type Providers struct {
	Items []Provider `json:"items"`
}

func accountOperations() []operation {
	const group = "Account"
	return []operation{
		{group: group, id: "getSelf", method: "GET", path: "/self", action: access.Enter, summary: "Read who the admin key acts for", answer: Self{}, run: readSelf},
		{group: group, id: "getAccount", method: "GET", path: "/account", action: access.ReadSettings, summary: "Read the account and its settings", answer: Account{},
			run: func(c *call) (any, error) { return c.account() }},
		{group: group, id: "changeSettings", method: "PATCH", path: "/account/settings", action: access.ChangeSettings, summary: "Change the account's settings",
			body: SettingsChange{}, answer: Account{}, match: true, run: changeSettings},
	}
}

func readSelf(c *call) (any, error) {
	return Self{string(c.key.ID), c.key.Name, c.key.ExpiresAt, string(c.by.User), c.by.FullName(), string(c.by.Role)}, nil
}

func (c *call) account() (any, error) {
	a, err := c.services.Accounts.Current(c.ctx, c.by)
	return Account{
		ID: string(a.ID), Alias: string(a.Alias), Name: a.Name, CreatedAt: a.CreatedAt, Version: a.Version,
		Settings: settingsOf(a.Settings),
	}, err
}

func settingsOf(s account.Settings) Settings {
	return Settings{
		NameWorkspace: s.NameWorkspace, WorkspaceLimit: s.WorkspaceLimit, KeyLimit: s.KeyLimit, KeyCalls: s.KeyCalls, WorkspaceCalls: s.WorkspaceCalls,
		AuditDays: s.AuditDays, RequireFactor: string(s.RequireFactor),
		DatasetFiles: s.DatasetFiles, DatasetMegabytes: s.DatasetMegabytes, DatasetFileMegabytes: s.DatasetFileMegabytes,
	}
}

func changeSettings(c *call) (any, error) {
	var in SettingsChange
	if err := c.read(&in); err != nil {
		return nil, err
	}
	a, err := c.services.Accounts.Current(c.ctx, c.by)
	if err != nil {
		return nil, err
	}
	if err := c.services.Accounts.ChangeSettings(c.ctx, c.by, in.over(a.Settings), c.match); err != nil {
		return nil, err
	}
	return c.account()
}

func (in SettingsChange) over(s account.Settings) account.Settings {
	return account.Settings{
		NameWorkspace: in.NameWorkspace.or(s.NameWorkspace), WorkspaceLimit: in.WorkspaceLimit.or(s.WorkspaceLimit), KeyLimit: in.KeyLimit.or(s.KeyLimit),
		KeyCalls: in.KeyCalls.or(s.KeyCalls), WorkspaceCalls: in.WorkspaceCalls.or(s.WorkspaceCalls), AuditDays: in.AuditDays.or(s.AuditDays),
		RequireFactor: account.Circle(in.RequireFactor.or(string(s.RequireFactor))),
		DatasetFiles:  in.DatasetFiles.or(s.DatasetFiles), DatasetMegabytes: in.DatasetMegabytes.or(s.DatasetMegabytes),
		DatasetFileMegabytes: in.DatasetFileMegabytes.or(s.DatasetFileMegabytes),
	}
}

func modelOperations() []operation {
	return []operation{{group: "Models", id: "listModels", method: "GET", path: "/models", action: access.ReadGrants, summary: "List the models of the catalogue", notes: "By id.",
		paged: true, answer: Page[Model]{}, run: listModels}}
}

// listModels cuts a page from the catalogue, which is whole in memory: its
// cursors are ids.
func listModels(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = 50
	}
	all, err := c.services.Catalogue.List(c.ctx, c.by, "") // whoever may read grants may enter every workspace
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b catalogue.Model) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	from, at := slices.BinarySearchFunc(all, c.text("after"), func(m catalogue.Model, id string) int {
		switch {
		case string(m.ID) < id:
			return -1
		case string(m.ID) > id:
			return 1
		}
		return 0
	})
	if at {
		from++
	}
	page, next := all[from:], ""
	if len(page) > limit {
		page = page[:limit]
		next = string(page[limit-1].ID)
	}
	return pageOf(page, next, nil, modelOf)
}

func modelOf(m catalogue.Model) Model {
	out := Model{ID: string(m.ID), Name: m.Name, Vendor: m.Vendor, Custom: m.Custom}
	for _, c := range catalogue.All {
		if m.Offers.Has(c) {
			out.Offers = append(out.Offers, c.String())
		}
	}
	return out
}

func providerOperations() []operation {
	const group = "Providers"
	return []operation{
		{group: group, id: "listProviders", method: "GET", path: "/providers", action: access.ReadProviders, summary: "List the providers", notes: "Only for the account owner. By name; credentials are never shown.",
			answer: Providers{}, run: listProviders},
		{group: group, id: "getProvider", method: "GET", path: "/providers/{provider}", action: access.ReadProviders, summary: "Read a provider", notes: "Only for the account owner.",
			answer: Provider{}, run: readProvider},
	}
}

func (c *call) providerOf(p provider.Provider) (Provider, error) {
	p, servings, err := c.services.Providers.Find(c.ctx, c.by, p.ID)
	out := Provider{
		ID: string(p.ID), Name: p.Name, Kind: string(p.Kind), BaseURL: p.BaseURL, HasCredential: p.Sealed != nil, CreatedAt: p.CreatedAt,
		TestedAt: when(p.TestedAt), TestError: p.TestError, Version: p.Version,
	}
	for _, s := range servings {
		out.Serves = append(out.Serves, string(s.Model))
	}
	return out, err
}

func listProviders(c *call) (any, error) {
	found, err := c.services.Providers.List(c.ctx, c.by)
	if err != nil {
		return nil, err
	}
	all := Providers{Items: make([]Provider, len(found))}
	for i, p := range found {
		if all.Items[i], err = c.providerOf(p.Provider); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func readProvider(c *call) (any, error) {
	id, err := c.provider()
	if err != nil {
		return nil, err
	}
	return c.providerOf(provider.Provider{ID: id})
}
