package store

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"gorm.io/gorm"
)

// pieces are how many rows one statement takes: each call of the database costs
// something, and so does preparing a statement anew for every number of rows. The
// largest takes a third of a millisecond, for which nobody else gets a processor
// that is the only one.
var pieces = [...]int{64, 16, 4, 1}

// bulk puts many rows into a table, with statements that are prepared once.
// GORM would build each anew, which costs more than carrying it out.
type bulk struct {
	columns int
	text    func(tuples string) string // the statement, with the rows' placeholders in their place

	mu    sync.Mutex
	ready [len(pieces)]*sql.Stmt
}

// prepare makes the statements, if they are not there yet. It is called outside
// of transactions: SQLite has one connection that writes.
func (b *bulk) prepare(ctx context.Context, db *gorm.DB) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	pool, err := db.DB()
	if err != nil {
		return err
	}
	for i, n := range pieces {
		if b.ready[i] != nil {
			continue
		}
		text := b.text(tuples(n, b.columns))
		if postgresql(db) {
			text = b.text(numbered(n, b.columns))
		} else {
			// Whoever fails here fails the whole transaction, so that SQLite need not be able
			// to take back a part of one statement, which costs as much as the rows do.
			text = strings.Replace(text, "INSERT INTO", "INSERT OR FAIL INTO", 1)
		}
		if b.ready[i], err = pool.PrepareContext(ctx, text); err != nil {
			b.ready[i] = nil
			return err
		}
	}
	return nil
}

// insert puts rows into the table, whose values row appends, and says how many
// of them it took. Others get their turn between two pieces: on one processor
// nobody shall wait for all of it.
func (b *bulk) insert(tx *gorm.DB, rows int, row func(args []any, i int) []any) (taken int64, err error) {
	plain, ok := tx.Statement.ConnPool.(*sql.Tx)
	if !ok {
		return 0, errors.New("rows are put into tables within transactions only")
	}
	ctx := tx.Statement.Context
	if !postgresql(tx) {
		ctx = context.WithoutCancel(ctx) // else the driver watches it with a goroutine for every statement, none of which waits for anybody
	}
	args := make([]any, 0, min(rows, pieces[0])*b.columns)
	for i := 0; i < rows; {
		size := 0
		for pieces[size] > rows-i {
			size++
		}
		args = args[:0]
		for end := i + pieces[size]; i < end; i++ {
			args = row(args, i)
		}
		done, err := plain.StmtContext(ctx, b.ready[size]).ExecContext(ctx, args...)
		if err != nil {
			return taken, err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return taken, err
		}
		taken += n
		runtime.Gosched()
	}
	return taken, nil
}

// close lets go of the statements.
func (b *bulk) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for i, s := range b.ready {
		if s != nil {
			errs = append(errs, s.Close())
			b.ready[i] = nil
		}
	}
	return errors.Join(errs...)
}

// numbered is tuples in PostgreSQL's spelling.
func numbered(rows, columns int) string {
	text := make([]byte, 0, rows*columns*6)
	for n := range rows * columns {
		switch {
		case n == 0:
			text = append(text, "($"...)
		case n%columns == 0:
			text = append(text, "),($"...)
		default:
			text = append(text, ",$"...)
		}
		text = strconv.AppendInt(text, int64(n+1), 10)
	}
	return string(append(text, ')'))
}
