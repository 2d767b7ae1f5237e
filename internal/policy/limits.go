package policy

import "bailiwick/internal/limit"

// Limits are what holds for calls of the model that was decided about: of the
// workspace alone, and shared by all workspaces of the account. Those of a
// deployment are its workspace's.
func (d *Decision) Limits() (own, shared limit.Setting) {
	if d.Model.Private() {
		return limit.SettingOf(d.Model.Limit), limit.Setting{}
	}
	return d.Workspace.Limits.Get(d.Model.ID), limit.SettingOf(d.Model.Limit)
}

// LimitSetter is who set the limit of a kind that holds for such calls.
func (d *Decision) LimitSetter(k limit.Kind) limit.Setter {
	own, shared := d.Limits()
	switch {
	case k == limit.KeyCalls:
		return d.Account.KeyCallsSet
	case k == limit.WorkspaceCalls:
		return d.Account.WorkspaceCallsSet
	case k.OfAccount():
		return shared.Setter()
	}
	return own.Setter()
}
