package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"bailiwick/internal/account"
	"bailiwick/internal/ident"
)

var _ account.TrailStore = (*Store)(nil)

// trailRow is a line with the name that its workspace has now.
type trailRow struct {
	Row           eventRow `gorm:"embedded"`
	WorkspaceName string
}

func (r trailRow) line() account.TrailLine {
	return account.TrailLine{Line: r.Row.line(), WorkspaceName: r.WorkspaceName}
}

const trailSelect = `SELECT e.*, COALESCE(w.name, '') AS workspace_name FROM audit_events e
	LEFT JOIN workspaces w ON w.account_id = e.account_id AND w.id = e.workspace_id`

// trailWindow is in how many lines one page looks for what no index finds.
const trailWindow = 10_000

// Trail implements account.TrailStore: newest first. One condition is found by
// an index that holds its lines in their order; the others are looked for in so
// many of these lines, and the next page goes on from there.
func (s *Store) Trail(ctx context.Context, a ident.Account, f account.TrailFilter) (page []account.TrailLine, next string, err error) {
	q, err := s.trailConditions(a, f)
	if err != nil {
		return nil, "", err
	}
	size, beyond := pageSize(f.Limit), ""
	if len(q.rest) > 0 {
		const last = "SELECT e.at, e.seq FROM audit_events e WHERE %s ORDER BY e.at DESC, e.seq DESC LIMIT 1 OFFSET ?"
		found, err := of[place](s.read).Raw(fmt.Sprintf(last, strings.Join(q.found, " AND ")), append(q.args, trailWindow-1)...).Find(ctx)
		if err != nil {
			return nil, "", explain(err, "event")
		}
		for _, p := range found {
			q.find("(e.at, e.seq) >= (?, ?)", p.At, p.Seq)
			beyond = p.cursor()
		}
	}
	rows, err := of[trailRow](s.read).Raw(trailSelect+q.where()+" ORDER BY e.at DESC, e.seq DESC LIMIT ?", append(slices.Concat(q.args, q.restArgs), size+1)...).Find(ctx)
	if err != nil {
		return nil, "", explain(err, "event")
	}
	rows, next = cut(rows, size, func(r trailRow) string { return place{r.Row.At, r.Row.Seq}.cursor() })
	if next == "" {
		next = beyond
	}
	page = make([]account.TrailLine, len(rows))
	for i, r := range rows {
		page[i] = r.line()
	}
	return page, next, nil
}

// place is where a line stands in lists.
type place struct {
	At  stamp
	Seq int64
}

func (p place) cursor() string { return timeCursor(p.At, strconv.FormatInt(p.Seq, 10)) }

// trailQuery holds the conditions that an index finds, and the rest.
type trailQuery struct {
	found, rest    []string
	args, restArgs []any
}

func (q *trailQuery) find(condition string, values ...any) {
	q.found, q.args = append(q.found, condition), append(q.args, values...)
}

func (q *trailQuery) look(condition string, values ...any) {
	q.rest, q.restArgs = append(q.rest, condition), append(q.restArgs, values...)
}

func (q *trailQuery) where() string {
	return " WHERE " + strings.Join(slices.Concat(q.found, q.rest), " AND ")
}

// equal is a condition on a column whose index is chosen if it is the first that
// has one. Of the others the index must not be used: it would hold far more
// lines than are wanted.
func (q *trailQuery) equal(column, value string) {
	switch {
	case value == "":
	case len(q.found) == 1:
		q.find("e."+column+" = ?", value)
	default:
		q.look("e."+column+" || '' = ?", value)
	}
}

// trailConditions puts together constant pieces; every value is an argument. The
// order of the columns is that of how few lines they choose.
func (s *Store) trailConditions(a ident.Account, f account.TrailFilter) (q trailQuery, err error) {
	q.find("e.account_id = ?", a)
	q.equal("object", clip(f.Object, 200))
	q.equal("workspace_id", string(f.Workspace))
	actor, kind := clip(f.Actor, 200), string(f.Kind)
	if strings.HasPrefix(actor, "usr-") {
		q.look("e.actor_id || '' = ?", actor)
	} else {
		q.equal("actor_name", actor)
	}
	if noun, all := strings.CutSuffix(f.Action, ":"); all {
		q.look("e.action || '' >= ? AND e.action || '' < ?", clip(noun, 100)+":", clip(noun, 100)+";") // what follows the colon
	} else {
		q.equal("action", clip(f.Action, 100))
	}
	q.equal("result", string(f.Result))
	if kind != "" {
		q.look("e.actor_kind = ?", kind)
	}
	if !f.From.IsZero() {
		q.find("e.at >= ?", stampOf(f.From))
	}
	if !f.To.IsZero() {
		q.find("e.at < ?", stampOf(f.To))
	}
	if f.Text != "" {
		text, err := s.trailText(f.Text)
		if err != nil {
			return q, err
		}
		q.look(text.text, text.args...)
	}
	if f.After == "" {
		return q, nil
	}
	at, text, err := readTimeCursor(f.After)
	if err != nil {
		return q, err
	}
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return q, badCursor(err)
	}
	q.find("(e.at, e.seq) < (?, ?)", at, seq)
	return q, nil
}

// trailText looks for a text in what a line says. The databases fold the case
// of plain letters alone, so other letters are looked for as they were typed too.
func (s *Store) trailText(search string) (condition part, err error) {
	if utf8.RuneCountInString(search) > searchMax {
		return part{}, tooLong()
	}
	const words = "e.summary || ' ' || e.detail || ' ' || e.changes || ' ' || e.actor_name || ' ' || e.object || ' ' || e.object_name || ' ' || e.address || ' ' || e.call_id || ' ' || e.id"
	typed := clip(search, 4*searchMax)
	folded := fold(typed)
	condition = holding(s.read, "LOWER("+words+")", folded)
	if typed == folded {
		return condition, nil
	}
	return part{text: "("}.and(condition).then(" OR ").and(holding(s.read, words, typed)).then(")"), nil
}

// TrailEvent implements account.TrailStore.
func (s *Store) TrailEvent(ctx context.Context, a ident.Account, ws ident.Workspace, id ident.Event) (account.TrailLine, error) {
	where, args := " WHERE e.account_id = ? AND e.id = ?", []any{a, id}
	if ws != "" {
		where, args = where+" AND e.workspace_id = ?", append(args, ws)
	}
	row, err := of[trailRow](s.read).Raw(trailSelect+where, args...).Take(ctx)
	return row.line(), explain(err, "event")
}
