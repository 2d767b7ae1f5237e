package policy

// Manages reports whether a key may change what workspaces may do: one of root
// or of a super administrator, in the Default Workspace.
func (s *Snapshot) Manages(k *Key) bool {
	home, known := s.workspaces.get(k.Workspace)
	return known && s.manages(k, home)
}

func (s *Snapshot) manages(k *Key, home *Workspace) bool {
	owner, ok := s.users.get(k.Owner)
	return ok && owner.Everywhere && home.Default
}
