package store

import (
	"context"
	"strconv"
	"strings"

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

// Trail implements account.TrailStore: newest first.
func (s *Store) Trail(ctx context.Context, a ident.Account, f account.TrailFilter) (page []account.TrailLine, next string, err error) {
	where, args, err := trailConditions(a, f)
	if err != nil {
		return nil, "", err
	}
	size := pageSize(f.Limit)
	rows, err := of[trailRow](s.read).
		Raw(trailSelect+where+" ORDER BY e.at DESC, e.seq DESC LIMIT ?", append(args, size+1)...).Find(ctx)
	if err != nil {
		return nil, "", explain(err, "event")
	}
	rows, next = cut(rows, size, func(r trailRow) string { return timeCursor(r.Row.At, strconv.FormatInt(r.Row.Seq, 10)) })
	page = make([]account.TrailLine, len(rows))
	for i, r := range rows {
		page[i] = r.line()
	}
	return page, next, nil
}

// trailConditions puts together constant pieces; every value is an argument.
func trailConditions(a ident.Account, f account.TrailFilter) (where string, args []any, err error) {
	where, args = " WHERE e.account_id = ?", []any{a}
	also := func(condition string, values ...any) { where, args = where+" AND "+condition, append(args, values...) }
	if f.Workspace != "" {
		also("e.workspace_id = ?", f.Workspace)
	}
	if id, err := ident.ParseUser(f.Actor); err == nil {
		also("e.actor_id = ?", id)
	} else if f.Actor != "" {
		also("e.actor_name = ?", clip(f.Actor, 200))
	}
	if noun, all := strings.CutSuffix(f.Action, ":"); all {
		also("e.action >= ? AND e.action < ?", clip(noun, 100)+":", clip(noun, 100)+";") // what follows the colon
	} else if f.Action != "" {
		also("e.action = ?", clip(f.Action, 100))
	}
	if f.Object != "" {
		also("e.object = ?", clip(f.Object, 200))
	}
	if !f.From.IsZero() {
		also("e.at >= ?", stampOf(f.From))
	}
	if !f.To.IsZero() {
		also("e.at < ?", stampOf(f.To))
	}
	if f.Text != "" {
		condition, likes, err := trailText(f.Text)
		if err != nil {
			return "", nil, err
		}
		also(condition, likes...)
	}
	if f.After != "" {
		at, text, err := readTimeCursor(f.After)
		if err != nil {
			return "", nil, err
		}
		seq, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "", nil, badCursor(err)
		}
		also("(e.at, e.seq) < (?, ?)", at, seq)
	}
	return where, args, nil
}

// trailText looks for a text in what a line says. The databases fold the case
// of plain letters alone, so other letters are looked for as they were typed too.
func trailText(search string) (condition string, args []any, err error) {
	folded, err := pattern(search)
	if err != nil {
		return "", nil, err
	}
	const words = "e.summary || ' ' || e.detail || ' ' || e.actor_name || ' ' || e.object || ' ' || e.address || ' ' || e.call_id || ' ' || e.id"
	typed := "%" + likeEscape.Replace(clip(search, 4*searchMax)) + "%"
	return `(LOWER(` + words + `) LIKE ? ESCAPE '\' OR ` + words + ` LIKE ? ESCAPE '\')`, []any{folded, typed}, nil
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
