// Package account is about the tenant and the people who log on under it: the
// account owner (root) and the RAM users.
package account

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"bailiwick/internal/access"
	"bailiwick/internal/audit"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Account is a tenant.
type Account struct {
	ID        ident.Account
	Alias     ident.Alias
	Name      string
	Settings  Settings
	CreatedAt time.Time
	Version   int64
}

// Settings are what the owner decides for the whole account.
type Settings struct {
	// NameWorkspace asks calls from sub-workspaces to name their workspace, as
	// the user's document does. Off: the key alone is enough.
	NameWorkspace bool
	// WorkspaceLimit is how many workspaces may be added; the Default Workspace does not count.
	WorkspaceLimit int
	// KeyLimit is how many API keys each workspace may hold.
	KeyLimit int
	// KeyCalls and WorkspaceCalls are how many calls may run at once with one
	// API key and in one workspace; 0: any number.
	KeyCalls       int
	WorkspaceCalls int
	// AuditDays is how long the audit trail is kept, in days; zero: for ever.
	AuditDays int
	// RequireFactor says who must have a second factor: a one-time code or a passkey.
	RequireFactor Circle
	// DatasetFiles, DatasetMegabytes and DatasetFileMegabytes are how many training
	// files each workspace may keep, how much of them, and how large one may be.
	DatasetFiles         int
	DatasetMegabytes     int
	DatasetFileMegabytes int
}

// Circle says for whom a rule holds.
type Circle string

// The circles. Administrators are root, super administrators and whoever
// administers a workspace.
const (
	Nobody         Circle = "nobody"
	Administrators Circle = "administrators"
	Everybody      Circle = "everybody"
)

// Holds reports whether a rule for this circle binds somebody.
func (c Circle) Holds(who access.Actor) bool {
	if c != Administrators || who.Everywhere() {
		return c == Everybody || c == Administrators
	}
	for _, m := range who.In {
		if m.Role == access.Administrator {
			return true
		}
	}
	return false
}

// Defaults are the settings an account begins with.
var Defaults = Settings{NameWorkspace: true, WorkspaceLimit: 10, KeyLimit: 50, KeyCalls: 512, WorkspaceCalls: 2048, AuditDays: 365, RequireFactor: Nobody, DatasetFiles: 100, DatasetMegabytes: 5 << 10, DatasetFileMegabytes: 300}

// What bounds the settings. The trail is kept long enough that nobody can make
// their own deeds vanish by this setting before somebody looks.
const (
	MaxWorkspaceLimit = 100_000
	MaxKeyLimit       = 100_000
	MaxCalls          = 100_000
	MinAuditDays      = 90
	MaxAuditDays      = 3650
	MaxDatasetFiles   = 10_000
	MaxMegabytes      = 1 << 20 // of all training files of a workspace
	MaxFileMegabytes  = 10 << 10
)

// User is a person who logs on under an account.
type User struct {
	ID         ident.User
	Account    ident.Account
	LogOn      ident.LogOn
	Alias      ident.Alias // of the account, where the user was found to log on; else empty
	Name       string      // display name
	Email      string      // empty: not given
	Role       access.Role // Root, Super or Regular
	Password   string      // as secret.HashPassword makes it; empty: none yet, an invitation is out
	MustChange bool        // the password was given by somebody else and must be changed at the next log-on
	CreatedAt  time.Time
	DisabledAt time.Time // zero: may log on
	Generation int64     // grows when the password changes or the user is disabled; ends every session
	Version    int64
	Factor     bool // has a second factor, so that a password alone is no log-on
}

// CheckPassword says what is wrong with a new password of this user. The words
// are further ones that must not be all of it: the account's names.
func (u User) CheckPassword(field string, t secret.Text, words ...string) error {
	return secret.CheckPassword(field, t, append(words, string(u.LogOn), string(u.Alias), u.Name, u.Email)...)
}

// RootLogOn is the log-on name of every account's owner.
const RootLogOn ident.LogOn = "root"

// Opening is a new account with its owner and its Default Workspace, which are
// made together.
type Opening struct {
	Account   Account
	Root      User
	Workspace ident.Workspace
}

// Store is what the service needs of storage. Every change carries the audit
// event that explains it, and both are kept or neither is.
type Store interface {
	// OpenAccount keeps a new account, its owner and its Default Workspace.
	// With onlyFirst it is a conflict if there is any account already.
	OpenAccount(ctx context.Context, o Opening, onlyFirst bool, why audit.Event) error
	Accounts(ctx context.Context) ([]Account, error)
	Account(ctx context.Context, id ident.Account) (Account, error)
	AccountByAlias(ctx context.Context, alias ident.Alias) (Account, error)
	// ChangeSettings is a conflict unless version is the present one.
	ChangeSettings(ctx context.Context, id ident.Account, to Settings, version int64, why audit.Event) error
	InsertUser(ctx context.Context, a ident.Account, u User, why audit.Event) error
	UserByLogOn(ctx context.Context, alias ident.Alias, name ident.LogOn) (User, error)
	// SetPassword ends every session of the user; mustChange asks for another
	// password at the next log-on.
	SetPassword(ctx context.Context, a ident.Account, u ident.User, hash string, mustChange bool, why audit.Event) error
	// Actor gives who a user is now, memberships included; missing when the user is gone or disabled.
	Actor(ctx context.Context, u ident.User) (access.Actor, error)
	// Rehash keeps the same password in another hash, unless it was changed meanwhile.
	Rehash(ctx context.Context, a ident.Account, u ident.User, old, hash string, why audit.Event) error
	// LoggedOn keeps when a user logged on, with the event that says so.
	LoggedOn(ctx context.Context, a ident.Account, u ident.User, at time.Time, why audit.Event) error
	// Note keeps an event that changes nothing, such as a refused log-on.
	Note(ctx context.Context, why audit.Event) error
	SessionStore
}

// Service is what people and the command line can do with accounts and users.
type Service struct {
	Store    Store
	Throttle *Throttle
	Trail    *audit.Recorder // of refused log-ons; nil: they are not written
	Now      func() time.Time
}

// NewAccount is what somebody says to open an account.
type NewAccount struct {
	Name     string // 1–64 characters
	Alias    string
	Password secret.Text // of root
}

// SetUp opens the first account of an empty installation. Whoever calls it has
// shown the one-time set-up link.
func (s *Service) SetUp(ctx context.Context, in NewAccount, address string) (Account, error) {
	return s.open(ctx, in, true, audit.Event{ActorName: "set-up page", Address: address})
}

// Open opens an account from this machine's command line.
func (s *Service) Open(ctx context.Context, in NewAccount) (Account, error) {
	return s.open(ctx, in, false, audit.Event{ActorName: audit.CommandLineName})
}

func (s *Service) open(ctx context.Context, in NewAccount, onlyFirst bool, why audit.Event) (Account, error) {
	name := strings.TrimSpace(in.Name)
	if n := utf8.RuneCountInString(name); n < 1 || n > 64 {
		return Account{}, fault.Field("company", "The company's name has 1–64 characters.")
	}
	alias, err := ident.ParseAlias(in.Alias)
	if err != nil {
		return Account{}, err
	}
	if err := secret.CheckPassword("password", in.Password, string(RootLogOn), string(alias), name); err != nil {
		return Account{}, err
	}
	hash, err := secret.HashPassword(ctx, in.Password)
	if err != nil {
		return Account{}, err
	}
	a := Account{ID: ident.NewAccount(), Alias: alias, Name: name, Settings: Defaults, CreatedAt: s.Now(), Version: 1}
	root := User{ID: ident.NewUser(), Account: a.ID, LogOn: RootLogOn, Name: name, Role: access.Root, Password: hash, CreatedAt: s.Now(), Generation: 1, Version: 1}
	why.ID, why.Account, why.Action, why.Object = ident.NewEvent(), a.ID, "accounts:open", string(a.ID)
	why.Summary, why.ObjectName = "opened account "+string(alias), name
	err = s.Store.OpenAccount(ctx, Opening{Account: a, Root: root, Workspace: ident.NewWorkspace()}, onlyFirst, why)
	if fault.Is(err, fault.Conflict) && !onlyFirst {
		return Account{}, fault.New(fault.Conflict, "There is already an account with the alias %s.", alias).About("alias")
	}
	return a, err
}

// Empty reports whether there is no account yet, so that set-up is due.
func (s *Service) Empty(ctx context.Context) (bool, error) {
	all, err := s.Store.Accounts(ctx)
	return len(all) == 0, err
}

// Current gives the actor's own account. It needs self:change.
func (s *Service) Current(ctx context.Context, by access.Actor) (Account, error) {
	if err := by.Require(access.Self); err != nil {
		return Account{}, err
	}
	return s.Store.Account(ctx, by.Account)
}

// FullName is how a user logs on, such as "alice@acme".
func (s *Service) FullName(ctx context.Context, u User) (string, error) {
	a, err := s.Store.Account(ctx, u.Account)
	return string(u.LogOn) + "@" + string(a.Alias), err
}

// ChangeSettings changes what the owner decides. It needs settings:change; a
// version that is not the present one is a conflict.
func (s *Service) ChangeSettings(ctx context.Context, by access.Actor, to Settings, version int64) error {
	if err := by.Require(access.ChangeSettings); err != nil {
		return err
	}
	if to.WorkspaceLimit < 0 || to.WorkspaceLimit > MaxWorkspaceLimit {
		return fault.Field("limit", "The limit is a whole number from 0 to %d.", MaxWorkspaceLimit)
	}
	if to.KeyLimit < 0 || to.KeyLimit > MaxKeyLimit {
		return fault.Field("keys", "The limit is a whole number from 0 to %d.", MaxKeyLimit)
	}
	if to.KeyCalls < 0 || to.KeyCalls > MaxCalls {
		return fault.Field("key_calls", "The number of calls is a whole number from 0 to %d; 0 means any number.", MaxCalls)
	}
	if to.WorkspaceCalls < 0 || to.WorkspaceCalls > MaxCalls {
		return fault.Field("workspace_calls", "The number of calls is a whole number from 0 to %d; 0 means any number.", MaxCalls)
	}
	if to.AuditDays != 0 && (to.AuditDays < MinAuditDays || to.AuditDays > MaxAuditDays) {
		return fault.Field("audit", "The audit trail is kept for %d to %d days, or for ever with 0.", MinAuditDays, MaxAuditDays)
	}
	if to.DatasetFiles < 0 || to.DatasetFiles > MaxDatasetFiles {
		return fault.Field("dataset_files", "The number of training files is a whole number from 0 to %d.", MaxDatasetFiles)
	}
	if to.DatasetMegabytes < 0 || to.DatasetMegabytes > MaxMegabytes {
		return fault.Field("dataset_megabytes", "The size of all training files is a whole number of MB from 0 to %d.", MaxMegabytes)
	}
	if to.DatasetFileMegabytes < 1 || to.DatasetFileMegabytes > MaxFileMegabytes {
		return fault.Field("dataset_file_megabytes", "The size of one training file is a whole number of MB from 1 to %d.", MaxFileMegabytes)
	}
	if to.RequireFactor != "" && to.RequireFactor != Nobody && to.RequireFactor != Administrators && to.RequireFactor != Everybody {
		return fault.Field("factor", "A second factor is required of nobody, administrators or everybody.")
	}
	return s.Store.ChangeSettings(ctx, by.Account, to, version, by.Event(access.ChangeSettings, "", string(by.Account), "changed the account's settings"))
}

// NewUser is what the command line says to add a RAM user.
type NewUser struct {
	LogOn    ident.LogOn
	Name     string
	Role     access.Role // Super or Regular
	Password secret.Text
}

// AddUser adds a RAM user from this machine's command line.
func (s *Service) AddUser(ctx context.Context, a Account, in NewUser) (User, error) {
	if in.Role != access.Super && in.Role != access.Regular {
		return User{}, fault.Field("role", "A RAM user is a super administrator or a regular user.")
	}
	u := newUser(a.ID, in.LogOn, s.Now())
	if err := u.describe(Profile{Name: in.Name}); err != nil {
		return User{}, err
	}
	if err := u.CheckPassword("password", in.Password, string(a.Alias), a.Name); err != nil {
		return User{}, err
	}
	var err error
	if u.Password, err = secret.HashPassword(ctx, in.Password); err != nil {
		return User{}, err
	}
	u.Role = in.Role
	why := LocalEvent(a.ID, "users:add", string(u.ID), "added RAM user "+string(in.LogOn)).Changed("name", "", u.Name).Changed("role", "", string(u.Role))
	err = s.Store.InsertUser(ctx, a.ID, u, why)
	if fault.Is(err, fault.Conflict) {
		return User{}, fault.New(fault.Conflict, "There is already a user %s@%s.", in.LogOn, a.Alias).About("name")
	}
	return u, err
}

// ResetPassword sets a user's password from this machine's command line and
// ends every session of that user.
func (s *Service) ResetPassword(ctx context.Context, u User, to secret.Text) error {
	if err := u.CheckPassword("password", to); err != nil {
		return err
	}
	hash, err := secret.HashPassword(ctx, to)
	if err != nil {
		return err
	}
	return s.Store.SetPassword(ctx, u.Account, u.ID, hash, false, LocalEvent(u.Account, "users:reset-password", string(u.ID), "reset the password of "+string(u.LogOn)))
}

// LocalEvent begins the event of something done at this machine's command line.
func LocalEvent(a ident.Account, action, object, summary string) audit.Event {
	return audit.Event{ID: ident.NewEvent(), Account: a, ActorName: audit.CommandLineName, Action: action, Object: object, Summary: summary}
}
