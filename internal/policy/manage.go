package policy

// Manages reports whether a key may change what workspaces may do: one of root
// or of a super administrator, in the Default Workspace.
func (s *Snapshot) Manages(k *Key) bool {
	home := s.homeOf(k)
	return home != nil && s.manages(k, home)
}

func (s *Snapshot) manages(k *Key, home *Workspace) bool {
	owner := s.ownerOf(k)
	return owner != nil && owner.Everywhere && home.Default
}
