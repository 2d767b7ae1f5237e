package store

import (
	"context"
	"time"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// postgresPool is how many connections one process holds at most.
const postgresPool = 10

func (s *Store) openPostgres(ctx context.Context, source string) error {
	db, err := gorm.Open(postgres.Open(source), s.gormConfig())
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	s.pools = append(s.pools, pool)
	pool.SetMaxOpenConns(postgresPool)
	pool.SetMaxIdleConns(postgresPool)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	s.write, s.read = db, db
	return pool.PingContext(ctx)
}
