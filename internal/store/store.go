// Package store keeps everything in a database, SQLite or PostgreSQL. It is the
// one room that knows GORM: no *gorm.DB leaves it, rows are private types, and
// there is one file per aggregate.
//
// A method is a transaction. It is not carried in the context, where a
// goroutine or a forgotten function would escape it. A method that changes
// something takes the audit event that explains the change and keeps both or
// neither. Its first argument after ctx is the owner; what belongs to another
// owner is missing to it.
//
// Changes stand in one line: each first takes the next number of the clock, a
// single row that stays locked until the transaction ends. So the numbers are
// in the order of the commits, on both databases, and a change may read and
// then write without another one coming between.
//
// Times are kept as microseconds since 1970 in UTC, zero for none: they sort,
// compare and divide into days the same way on both databases.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"bailiwick/internal/account"
	"bailiwick/internal/adminkey"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/grant"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/training"
	"bailiwick/internal/usage"
	"bailiwick/internal/workspace"
)

var (
	_ account.Store         = (*Store)(nil)
	_ account.PeopleStore   = (*Store)(nil)
	_ workspace.Store       = (*Store)(nil)
	_ workspace.MemberStore = (*Store)(nil)
	_ catalogue.Store       = (*Store)(nil)
	_ grant.Store           = (*Store)(nil)
	_ apikey.Store          = (*Store)(nil)
	_ limit.Store           = (*Store)(nil)
	_ adminkey.Store        = (*Store)(nil)
	_ dataset.Store         = (*Store)(nil)
	_ provider.Store        = (*Store)(nil)
	_ training.Store        = (*Store)(nil)
	_ training.LoopStore    = (*Store)(nil)
	_ usage.Store           = (*Store)(nil)
	_ usage.Books           = (*Store)(nil)
	_ policy.Source         = (*Store)(nil)
)

// Config says where the database is.
type Config struct {
	// Database is postgres://…, or the path of an SQLite file, which is below
	// Data unless it is absolute. Empty: bailiwick.db below Data.
	Database string
	Data     string // a folder of mode 0700, made if it is not there
	// Server makes sure that no second server opens the same SQLite file.
	// Command-line subcommands leave it off and work beside a server.
	Server bool
	Now    func() time.Time // nil: the system's clock
}

// Store keeps everything.
type Store struct {
	write *gorm.DB // on SQLite a pool of one connection
	read  *gorm.DB // on SQLite a pool that cannot write
	now   func() time.Time
	pools []*sql.DB
	lock  unlocker

	clock              *sql.Stmt // reads the version of what is committed
	words              usageWords
	calls, hours, days bulk
	reach              reach // of a search

	hooks struct {
		sync.RWMutex
		list []func(context.Context)
	}
}

type unlocker interface{ Close() error }

// Open opens the database, makes or migrates its tables and checks that it is
// as safe as it was asked to be. Its errors are for the operator: one line each.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{now: c.Now, reach: usualReach, calls: newCalls(), hours: newSums("usage_hours"), days: newSums("usage_days")}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.open(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, c Config) error {
	if strings.HasPrefix(c.Database, "postgres://") || strings.HasPrefix(c.Database, "postgresql://") {
		if err := s.openPostgres(ctx, c.Database); err != nil {
			return err
		}
	} else if err := s.openSQLite(ctx, c); err != nil {
		return err
	}
	if err := migrate(ctx, s.write); err != nil {
		return err
	}
	pool, err := s.read.DB()
	if err == nil {
		s.clock, err = pool.PrepareContext(ctx, clockSelect)
	}
	return err
}

// Close ends every connection and gives the lock back.
func (s *Store) Close() error {
	errs := []error{s.calls.close(), s.hours.close(), s.days.close()}
	if s.clock != nil {
		errs = append(errs, s.clock.Close())
	}
	for i := len(s.pools) - 1; i >= 0; i-- {
		errs = append(errs, s.pools[i].Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Ping asks whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.read.WithContext(ctx).Exec("SELECT 1").Error
}

// OnChange adds what is called after each committed change of this process,
// before the changing method returns. Its context outlives the request.
func (s *Store) OnChange(hook func(context.Context)) {
	s.hooks.Lock()
	defer s.hooks.Unlock()
	s.hooks.list = append(s.hooks.list, hook)
}

func (s *Store) tellHooks(ctx context.Context) {
	s.hooks.RLock()
	defer s.hooks.RUnlock()
	for _, hook := range s.hooks.list {
		hook(context.WithoutCancel(ctx))
	}
}

// view runs several reads on one moment of the database.
func (s *Store) view(ctx context.Context, do func(tx *gorm.DB) error) error {
	return s.read.WithContext(ctx).Transaction(do, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
}

// gormConfig is the same for every pool. GORM logs nothing itself: its log
// would hold the values of statements.
func (s *Store) gormConfig() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction:   true,
		DisableNestedTransaction: true,
		TranslateError:           true,
		Logger:                   logger.Discard,
		NowFunc:                  func() time.Time { return s.now().UTC().Truncate(time.Microsecond) },
	}
}
