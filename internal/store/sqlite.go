package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	_ "modernc.org/sqlite" // the driver "sqlite", without cgo

	"bailiwick/internal/secret"
)

// readers is how many connections read at once beside the one that writes.
const readers = 4

// The data source's parameters in modernc's spelling. What is misspelt is
// ignored without a word, so checkPragmas reads them back. The log is moved into the
// database every 4000 pages, 16 MB: whoever commits then does it, and pages that
// changed often are moved once.
const (
	everyPool  = "?_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=cache_size(-16000)&_pragma=wal_autocheckpoint(4000)&_dqs=0&_defensive=1"
	writerPool = everyPool + "&_pragma=journal_mode(WAL)&_txlock=immediate"
	readerPool = everyPool + "&_query_only=1"
)

func (s *Store) openSQLite(ctx context.Context, c Config) error {
	path, err := sqlitePath(c)
	if err != nil {
		return err
	}
	if err := guardFiles(path); err != nil {
		return err
	}
	if c.Server {
		if s.lock, err = lockFile(path + ".lock"); err != nil {
			return fmt.Errorf("%s is in use by another server (%w)", path, err)
		}
	}
	source := "file:" + (&url.URL{Path: path}).EscapedPath()
	if s.write, err = s.openPool(ctx, source+writerPool, 1, 0); err != nil {
		return err
	}
	s.read, err = s.openPool(ctx, source+readerPool, readers, 1)
	return err
}

func sqlitePath(c Config) (string, error) {
	if strings.Contains(c.Database, "://") {
		return "", errors.New("write the database as postgres://user@host/name or as the path of an SQLite file")
	}
	path := c.Database
	if path == "" {
		path = "bailiwick.db"
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.Data, path)
	}
	return path, nil
}

// guardFiles makes the folder and an empty file, or makes sure that nobody else
// can read those that are there. It never opens an existing file: closing it
// would drop the locks that SQLite holds on it in this process.
func guardFiles(path string) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := ownOnly(folder, "700"); err != nil {
		return err
	}
	err := ownOnly(path, "600")
	if errors.Is(err, fs.ErrNotExist) {
		if err = secret.WriteFile(path, nil); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	return err
}

func ownOnly(path, mode string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o and could be read by others: run chmod %s on it", path, info.Mode().Perm(), mode)
	}
	return nil
}

func (s *Store) openPool(ctx context.Context, source string, connections, queryOnly int) (*gorm.DB, error) {
	pool, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, err
	}
	s.pools = append(s.pools, pool)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	if err := checkPragmas(ctx, pool, queryOnly); err != nil {
		return nil, err
	}
	return gorm.Open(sqliteDialector{&sqlite.Dialector{DriverName: "sqlite", Conn: pool}}, s.gormConfig())
}

// checkPragmas makes sure that the library and the connection are as asked.
func checkPragmas(ctx context.Context, pool *sql.DB, queryOnly int) error {
	var version string
	if err := pool.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	want := map[string]string{
		"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "foreign_keys": "1",
		"query_only": fmt.Sprint(queryOnly), "wal_autocheckpoint": "4000",
	}
	for name, value := range want {
		var got string
		if err := pool.QueryRowContext(ctx, "PRAGMA "+name).Scan(&got); err != nil {
			return err
		}
		if got != value {
			return fmt.Errorf("SQLite has %s = %s where %s was asked; is the file on a network file system?", name, got, value)
		}
	}
	return nil
}

// checkVersion refuses libraries that can lose commits in WAL mode (fixed in
// SQLite 3.51.3).
func checkVersion(version string) error {
	var major, minor, patch int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		return fmt.Errorf("SQLite says its version is %q", version)
	}
	if major*1_000_000+minor*1_000+patch < 3_051_003 {
		return fmt.Errorf("SQLite %s can lose commits; 3.51.3 or newer is needed", version)
	}
	return nil
}
