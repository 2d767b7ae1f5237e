package store

import "context"

// Canary keeps a sealed secret at the first start and gives back the one that
// was kept first. A master key that does not open it is not the one this
// database was made with.
func (s *Store) Canary(ctx context.Context, sealed []byte) (kept []byte, err error) {
	db := s.write.WithContext(ctx)
	if _, err := exec(db, "INSERT INTO installation (id, canary) VALUES (1, ?) ON CONFLICT (id) DO NOTHING", sealed); err != nil {
		return nil, explain(err, "installation")
	}
	err = db.Raw("SELECT canary FROM installation WHERE id = 1").Row().Scan(&kept)
	return kept, explain(err, "installation")
}
