package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	msqlite "modernc.org/sqlite"

	"bailiwick/internal/fault"
)

// sqliteDialector is GORM's, made to understand the errors of modernc's driver.
type sqliteDialector struct{ *sqlite.Dialector }

// Result codes of SQLite, https://www.sqlite.org/rescode.html.
const (
	sqliteBusy               = 5
	sqliteConstraintCheck    = 275
	sqliteConstraintForeign  = 787
	sqliteConstraintPrimary  = 1555
	sqliteConstraintTrigger  = 1811 // ON DELETE RESTRICT and our own RAISE
	sqliteConstraintUnique   = 2067
	postgresLockNotAvailable = "55P03"
	postgresDeadlock         = "40P01"
	postgresSerialization    = "40001"
)

// Translate names the errors that callers can act on; the cause stays for the log.
func (d sqliteDialector) Translate(err error) error {
	var e *msqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case sqliteConstraintPrimary, sqliteConstraintUnique:
		return fmt.Errorf("%w: %w", gorm.ErrDuplicatedKey, err)
	case sqliteConstraintForeign, sqliteConstraintTrigger:
		return fmt.Errorf("%w: %w", gorm.ErrForeignKeyViolated, err)
	case sqliteConstraintCheck:
		return fmt.Errorf("%w: %w", gorm.ErrCheckConstraintViolated, err)
	}
	return err
}

// explain turns the errors a caller can act on into faults: what was not found
// is missing, what is there already is a conflict about the field that has to
// be unique. Faults stay as they are; everything else is ours.
func explain(err error, noun string, unique ...string) error {
	var f *fault.Fault
	switch {
	case err == nil, errors.As(err, &f):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound):
		return fault.NoSuch(noun).Because(err)
	case errors.Is(err, gorm.ErrDuplicatedKey):
		f = fault.New(fault.Conflict, "There is already such a %s.", noun).Because(err)
		if len(unique) > 0 {
			f.Field = unique[0]
		}
		return f
	case locked(err):
		return fault.New(fault.Busy, "The database is busy. Try again in a moment.").Because(err)
	case Unreached(err):
		return fault.New(fault.Unavailable, "The database does not answer at present. Try again in a moment.").Because(err)
	}
	return fmt.Errorf("%s: %w", noun, err)
}

func locked(err error) bool {
	var lite *msqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqliteBusy
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) &&
		(pg.Code == postgresLockNotAvailable || pg.Code == postgresDeadlock || pg.Code == postgresSerialization)
}

// Codes of PostgreSQL that say nothing of what was asked: it has no connection
// left, begins, or ends. https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	postgresTooMany     = "53300"
	postgresConnections = "08"  // the class
	postgresShutdowns   = "57P" // the class
)

// Unreached reports whether an error is about reaching the database and not
// about what was asked: it is gone, begins, or every connection was in use for
// as long as the asker could wait.
func Unreached(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == postgresTooMany || strings.HasPrefix(pg.Code, postgresConnections) || strings.HasPrefix(pg.Code, postgresShutdowns)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.ErrUnexpectedEOF) || isClosed(err)
}

// isClosed reports whether this process closed the database, for which
// database/sql has a text and no name.
func isClosed(err error) bool { return strings.Contains(err.Error(), "sql: database is closed") }

// stale is the conflict of an edit that began from what is no longer there.
func stale(noun string) error {
	return fault.New(fault.Conflict, "Somebody else changed this %s meanwhile. Look at what it is now, then try again.", noun).About("version")
}
