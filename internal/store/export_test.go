package store

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Exec runs a statement behind the store's back.
func (s *Store) Exec(statement string, args ...any) error {
	return s.write.Exec(statement, args...).Error
}

// Strings reads the first column of a query.
func (s *Store) Strings(query string, args ...any) (column []string, err error) {
	err = s.write.Raw(query, args...).Scan(&column).Error
	return column, err
}

// Number reads one number.
func (s *Store) Number(query string, args ...any) (n int, err error) {
	err = s.write.Raw(query, args...).Scan(&n).Error
	return n, err
}

// Postgres reports which database it is.
func (s *Store) Postgres() bool { return postgresql(s.write) }

// Plan explains a statement as the database would run it if it avoided reading
// whole tables and sorting wherever it can.
func (s *Store) Plan(statement string) (lines []string, err error) {
	if !s.Postgres() {
		statement = strings.ReplaceAll(statement, `"`, "'") // how GORM's log writes texts
		rows, err := s.read.Raw("EXPLAIN QUERY PLAN " + statement).Rows()
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				return nil, err
			}
			lines = append(lines, detail)
		}
		return lines, rows.Err()
	}
	tx := s.write.Begin()
	defer tx.Rollback()
	for _, set := range []string{"enable_seqscan", "enable_sort", "enable_incremental_sort", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"} {
		if err := tx.Exec("SET LOCAL " + set + " = off").Error; err != nil {
			return nil, err
		}
	}
	// GORM's log writes bytes as text where they look like it; the plan does not care.
	statement = strings.Map(func(r rune) rune {
		if r == '\\' || r > unicode.MaxASCII {
			return 'x'
		}
		return r
	}, statement)
	err = tx.Raw("EXPLAIN " + statement).Scan(&lines).Error
	return lines, err
}

// Reads gives the statements that were read with while do ran.
func (s *Store) Reads(do func()) []string {
	heard := &listener{Interface: logger.Discard}
	before := s.read.Logger
	s.read.Logger = heard
	defer func() { s.read.Logger = before }()
	do()
	return heard.statements
}

type listener struct {
	logger.Interface
	mu         sync.Mutex
	statements []string
}

func (l *listener) Trace(_ context.Context, _ time.Time, statement func() (string, int64), _ error) {
	text, _ := statement()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.statements = append(l.statements, text)
}

// Unchain makes the events again what they were before they were chained.
func (s *Store) Unchain() error {
	return s.write.Transaction(func(tx *gorm.DB) error {
		old := func(part string) string {
			for _, text := range beginTables {
				if strings.Contains(text, part) {
					return text
				}
			}
			return ""
		}
		statements := []string{
			"ALTER TABLE audit_events RENAME TO audit_events_chained", old("CREATE TABLE audit_events"),
			`INSERT INTO audit_events (seq, id, at, account_id, workspace_id, actor_id, actor_name, address, call_id, action, object, summary, detail)
				SELECT tick, id, at, account_id, workspace_id, actor_id, actor_name, address, call_id, action, object, summary, detail FROM audit_events_chained`,
			"DROP TABLE audit_events_chained", "DROP TABLE audit_heads", "DELETE FROM migrations WHERE id LIKE '%audit_chain' OR id LIKE '%_trail'",
			"DROP TABLE audit_anchors", "ALTER TABLE accounts DROP COLUMN audit_days",
			old("CREATE INDEX audit_events_by_account"), old("CREATE INDEX audit_events_by_workspace"),
		}
		if err := run(tx, statements); err != nil {
			return err
		}
		if postgresql(tx) {
			return run(tx, append([]string{"DROP FUNCTION audit_events_let_go"}, beginTriggersPostgres[1:]...))
		}
		return run(tx, beginTriggersSQLite)
	})
}

// SetReach makes searches reach less far.
func (s *Store) SetReach(sort, fetch, walk, step int) {
	s.reach = reach{sort: sort, fetch: fetch, some: walk / 2, walk: walk, step: step}
}

// Visits is how many rows a statement reads, as PostgreSQL counts them. It reads
// a small table whole where that is cheaper, which is not meant here.
func (s *Store) Visits(statement string) (rows int, plan string, err error) {
	var lines []string
	tx := s.write.Begin()
	defer tx.Rollback()
	for _, set := range []string{"enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"} {
		if err := tx.Exec("SET LOCAL " + set + " = off").Error; err != nil {
			return 0, "", err
		}
	}
	err = tx.Raw("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + statement).Scan(&lines).Error
	for _, line := range lines {
		if found := scans.FindStringSubmatch(line); found != nil {
			n, _ := strconv.Atoi(found[1])
			times, _ := strconv.Atoi(found[2])
			rows += n * times
		}
		if found := passed.FindStringSubmatch(line); found != nil {
			n, _ := strconv.Atoi(found[1])
			rows += n
		}
	}
	return rows, strings.Join(lines, "\n"), err
}

var (
	scans  = regexp.MustCompile(`Scan.*\(actual rows=(\d+) loops=(\d+)\)`)
	passed = regexp.MustCompile(`Rows Removed by (?:Filter|Index Recheck): (\d+)`)
)

// UnsetLimits takes the notes on who set limits away again, so that the next who
// opens the database fills them.
func (s *Store) UnsetLimits() error {
	var statements []string
	for _, added := range limitSetterStatements {
		if column, found := strings.CutPrefix(added, "ALTER TABLE "); found {
			table, column, _ := strings.Cut(column, " ADD COLUMN ")
			statements = append(statements, "ALTER TABLE "+table+" DROP COLUMN "+strings.Fields(column)[0])
		}
	}
	return s.write.Transaction(func(tx *gorm.DB) error {
		return run(tx, append(statements, "DELETE FROM migrations WHERE id LIKE '%_limit_setters'"))
	})
}

// Unsearch takes the numbers, the fragments and the notes on stranded keys away
// again, so that the next who opens the database fills them.
func (s *Store) Unsearch() error {
	statements := []string{"DROP TABLE fragments", "DROP TABLE shelves", "DROP INDEX keys_by_number", "DROP INDEX users_by_number", "DROP INDEX users_in_order", "DROP INDEX keys_by_hint"}
	for _, of := range []string{"account", "workspace"} {
		for _, only := range []string{"", "_disabled", "_stranded"} {
			statements = append(statements, "DROP INDEX keys_of_"+of+only)
		}
		statements = append(statements, "CREATE INDEX keys_of_"+of+" ON keys ("+of+"_id)", "CREATE INDEX keys_of_"+of+"_disabled ON keys ("+of+"_id) WHERE disabled <> 0")
	}
	return s.write.Transaction(func(tx *gorm.DB) error {
		return run(tx, append(statements, "DROP INDEX users_disabled", "ALTER TABLE keys DROP COLUMN number", "ALTER TABLE users DROP COLUMN number", "ALTER TABLE keys DROP COLUMN stranded",
			"DELETE FROM migrations WHERE id LIKE '%_fragments' OR id LIKE '%_owners' OR id LIKE '%_search'"))
	})
}
