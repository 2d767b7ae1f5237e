// Package access says who may do what: the actor of a request, the roles and
// page permissions it has, and the actions these allow. Nothing else grants
// an action.
package access

import (
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
)

// Action is one thing that can be asked for, as "noun:verb". Route lines name
// it and services ask for it again.
type Action string

// The actions. Those under "account" are asked with Require, those under
// "workspace" with RequireIn.
const (
	// Open marks routes that need nobody logged on.
	Open Action = "open"
	// Enter is what anybody who is logged on may do.
	Enter Action = "console:enter"
	// Self is what people do with their own password, second factors and
	// sessions. It is all that somebody with a duty may do.
	Self Action = "self:change"

	// account
	ListWorkspaces  Action = "workspaces:list" // everybody; the list holds what they may enter
	AddWorkspace    Action = "workspaces:add"
	RenameWorkspace Action = "workspaces:rename"
	DeleteWorkspace Action = "workspaces:delete"
	ReadGrants      Action = "grants:read"
	ChangeGrants    Action = "grants:change"
	ReadProviders   Action = "providers:read"
	ChangeProviders Action = "providers:change"
	ReadSettings    Action = "settings:read"
	ChangeSettings  Action = "settings:change"
	ReadUsers       Action = "users:read"
	ChangeUsers     Action = "users:change"
	ReadAudit       Action = "audit:read" // of the whole account
	VerifyAudit     Action = "audit:verify"
	ChangeLimits    Action = "limits:change"
	ChangePrices    Action = "prices:change"
	ReadAdminKeys   Action = "admin-keys:read"
	ChangeAdminKeys Action = "admin-keys:change" // make one's own, revoke
	ReadAllUsage    Action = "account-usage:read"

	// workspace
	EnterWorkspace    Action = "workspace:enter"
	ReadModels        Action = "models:read"
	ReadKeys          Action = "keys:read"
	UsePlayground     Action = "playground:use"
	IssueKeys         Action = "keys:issue"
	ChangeKeys        Action = "keys:change" // disable, enable, delete
	ReadDatasets      Action = "datasets:read"
	ChangeDatasets    Action = "datasets:change" // upload, rename, delete
	ReadTrainings     Action = "trainings:read"  // jobs and what came of them
	ChangeTrainings   Action = "trainings:change"
	ReadDeployments   Action = "deployments:read"
	ChangeDeployments Action = "deployments:change"
	ReadUsage         Action = "usage:read"
	ReadLimits        Action = "limits:read"
	ReadMembers       Action = "members:read"
	ChangeMembers     Action = "members:change"
	ReadTrail         Action = "workspace:read-audit" // the audit lines of the workspace
	ReadID            Action = "workspace:read-id"    // see the workspace's id in Workspace Management
)

// Role is what a user is in the account or in one workspace.
type Role string

// The roles, from most to least.
const (
	Root          Role = "root"          // the account owner
	Super         Role = "super"         // a RAM user with full access
	Administrator Role = "administrator" // of one workspace
	Regular       Role = "regular"       // of one workspace: the pages granted
)

// Page is a console page that a regular user may be granted in one workspace.
type Page string

// The pages of a workspace.
const (
	PagePlayground  Page = "playground"
	PageDatasets    Page = "datasets"
	PageTraining    Page = "training"
	PageDeployments Page = "deployments"
	PageKeys        Page = "keys"
	PageUsage       Page = "usage"
)

// Pages lists every page that can be granted, in the order of the navigation.
var Pages = []Page{PagePlayground, PageDatasets, PageTraining, PageDeployments, PageKeys, PageUsage}

// Membership is what an actor is in one workspace.
type Membership struct {
	Role  Role // Administrator or Regular
	Pages []Page
}

// accountActions are those only root and super administrators may do. Of these,
// rootOnly stay with root.
var (
	accountActions = set(AddWorkspace, RenameWorkspace, DeleteWorkspace, ReadGrants, ChangeGrants,
		ReadProviders, ChangeProviders, ReadSettings, ChangeSettings, ReadUsers, ChangeUsers, ReadAudit, VerifyAudit, ChangeLimits, ChangePrices, ReadAdminKeys, ChangeAdminKeys, ReadAllUsage)
	rootOnly = set(ReadProviders, ChangeProviders)
	// everyMember may do these in a workspace they belong to.
	everyMember = set(EnterWorkspace, ReadModels)
	// byPage are what a granted page allows; an administrator has every page.
	byPage = map[Page]map[Action]bool{
		PagePlayground:  set(UsePlayground),
		PageDatasets:    set(ReadDatasets, ChangeDatasets),
		PageTraining:    set(ReadTrainings, ChangeTrainings),
		PageDeployments: set(ReadDeployments, ChangeDeployments),
		PageKeys:        set(ReadKeys, IssueKeys, ChangeKeys),
		PageUsage:       set(ReadUsage),
	}
	administratorOnly = set(ReadID, ReadMembers, ChangeMembers, ReadTrail, ReadLimits)
)

func set(actions ...Action) map[Action]bool {
	m := make(map[Action]bool, len(actions))
	for _, a := range actions {
		m[a] = true
	}
	return m
}

// Workspaced reports whether an action is asked inside one workspace
// (RequireIn) rather than of the account (Require).
func Workspaced(a Action) bool {
	if everyMember[a] || administratorOnly[a] {
		return true
	}
	for _, actions := range byPage {
		if actions[a] {
			return true
		}
	}
	return false
}

// Known reports whether an action is one of those above. A route that names
// another one does not start.
func Known(a Action) bool {
	return a == Open || a == Enter || a == Self || a == ListWorkspaces || accountActions[a] || Workspaced(a)
}

// Duty is what a person has to do before anything else is allowed.
type Duty string

// The duties.
const (
	NoDuty         Duty = ""
	ChangePassword Duty = "change-password" // it was given by somebody else
	AddFactor      Duty = "add-factor"      // the account requires a second factor
)

// Actor is who asks, for one request. The zero Actor may do nothing.
type Actor struct {
	Account ident.Account
	Alias   ident.Alias
	User    ident.User
	LogOn   ident.LogOn // "root" or the RAM user's name
	Name    string      // the display name
	Role    Role        // Root, Super, or Regular for every other RAM user
	In      map[ident.Workspace]Membership
	Duty    Duty      // what has to be done before anything else
	Key     ident.Key // of the program that acts for the user; empty: the user does it
	Factor  bool      // has a second factor

	Address string     // where the request came from, without port
	Call    ident.Call // the request's id
}

// programPages are what programs do with a key, beside calling models.
var programPages = []Page{PageDatasets, PageTraining, PageDeployments}

// Program gives the actor that a key is: it acts for its owner in one workspace,
// where it may keep files, train and deploy whatever pages the owner was granted
// there, and nothing else anywhere. That the owner belongs to the workspace was
// decided before.
func Program(owner Actor, key ident.Key, ws ident.Workspace) Actor {
	owner.Key, owner.Role, owner.Duty = key, Regular, NoDuty
	owner.In = map[ident.Workspace]Membership{ws: {Role: Regular, Pages: programPages}}
	return owner
}

// Everywhere reports whether the actor may enter every workspace of the account.
func (a Actor) Everywhere() bool { return a.Role == Root || a.Role == Super }

// FullName is how the actor logs on, such as "alice@acme".
func (a Actor) FullName() string { return string(a.LogOn) + "@" + string(a.Alias) }

// May reports whether the actor may do an account-level action.
func (a Actor) May(do Action) bool {
	switch {
	case a.User == "":
		return do == Open
	case do == Open, do == Self:
		return true
	case a.Duty != NoDuty:
		return false
	case do == Enter, do == ListWorkspaces:
		return true
	case rootOnly[do]:
		return a.Role == Root
	case accountActions[do]:
		return a.Everywhere()
	}
	return false
}

// MayIn reports whether the actor may do an action in a workspace of its own
// account. The caller has made sure that the workspace is of that account.
func (a Actor) MayIn(ws ident.Workspace, do Action) bool {
	if a.User == "" || a.Duty != NoDuty || !Workspaced(do) {
		return false
	}
	if a.Everywhere() {
		return true
	}
	m, member := a.In[ws]
	if !member {
		return false
	}
	if everyMember[do] || m.Role == Administrator {
		return true
	}
	for _, p := range m.Pages {
		if byPage[p][do] {
			return true
		}
	}
	return false
}

// Require refuses what the actor may not do in the account.
func (a Actor) Require(do Action) error {
	switch {
	case a.May(do):
		return nil
	case a.User == "":
		return fault.New(fault.Unauthenticated, "Log on first.")
	case a.Duty != NoDuty:
		return a.Duty.fault()
	case rootOnly[do]:
		return fault.New(fault.Forbidden, "Only the account owner (root) may do this.")
	}
	return fault.New(fault.Forbidden, "Only the account owner (root) or a super administrator may do this.")
}

// RequireIn refuses what the actor may not do in one workspace. For somebody
// who does not belong to it the workspace is missing.
func (a Actor) RequireIn(ws ident.Workspace, do Action) error {
	if a.MayIn(ws, do) {
		return nil
	}
	if a.User == "" {
		return fault.New(fault.Unauthenticated, "Log on first.")
	}
	if a.Duty != NoDuty {
		return a.Duty.fault()
	}
	if !a.MayIn(ws, EnterWorkspace) {
		return fault.NoSuch("workspace")
	}
	return fault.New(fault.Forbidden, "You may not open this page. An administrator of this workspace can grant it.")
}

func (d Duty) fault() error {
	if d == AddFactor {
		return fault.New(fault.Forbidden, "This account requires a second factor. Add yours first.")
	}
	return fault.New(fault.Forbidden, "Change your password first.")
}

// Event begins the audit line of something this actor does.
func (a Actor) Event(do Action, ws ident.Workspace, object, summary string) audit.Event {
	e := audit.Event{
		ID: ident.NewEvent(), Account: a.Account, Workspace: ws,
		Actor: a.User, ActorKind: a.kind(), ActorName: a.FullName(), Address: a.Address, Call: a.Call,
		Action: string(do), Object: object, Summary: summary,
	}
	if a.Key != "" {
		e.Actor, e.ActorName = ident.User(a.Key), e.ActorName+" (API key)"
		e = e.With("owner", string(a.User))
	}
	return e
}

func (a Actor) kind() audit.Kind {
	if a.Key != "" {
		return audit.Key
	}
	if a.Role == Root {
		return audit.Root
	}
	return audit.User
}

// Refused begins the audit line of something this actor asked for and was told
// to have no leave for, or that it is missing. It is for the Recorder.
func (a Actor) Refused(do Action, ws ident.Workspace, object, reason string) audit.Event {
	return a.Event(do, ws, object, "was refused "+string(do)).Ended(audit.Refused, reason)
}
