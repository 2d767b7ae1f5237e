package store

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"bailiwick/internal/fault"
)

// reach bounds what one page of a search reads, however many keys and users
// there are. What is rare is looked up by its fragments, all of it. What is
// frequent fills a page soon when the list itself is walked through; where it
// does not, because what was sought gathers elsewhere, the page is short or even
// empty and its cursor goes on from where the walk ended.
type reach struct {
	sort  int // fragments that are sorted by their items alone
	fetch int // items that are looked at, each
	walk  int // lines of a list whose index holds what is searched
	step  int // lines that are looked at, each
}

var usualReach = reach{sort: 1500, fetch: 500, walk: 4000, step: 1000}

// sought is what is searched for.
type sought struct {
	text    string // folded; empty: nothing
	like    string // the pattern of whatever holds the text
	windows []string
}

// soughtOf reads a search of at most 100 characters. A text that is longer than
// a fragment is looked for by each of its parts, of which one may be rare.
func soughtOf(search string) (sought, error) {
	if utf8.RuneCountInString(search) > searchMax {
		return sought{}, fault.Field("search", "Search for at most %d characters.", searchMax)
	}
	q := sought{text: fold(clip(search, 4*searchMax))}
	q.like = "%" + likeEscape.Replace(q.text) + "%"
	letters := []rune(q.text)
	if len(letters) == 0 {
		return q, nil
	}
	for i := 0; i+fragmentLen < len(letters); i += fragmentLen {
		q.windows = append(q.windows, string(letters[i:i+fragmentLen]))
	}
	q.windows = append(q.windows, string(letters[max(0, len(letters)-fragmentLen):]))
	return q, nil
}

// whole reports whether fragments say all: then what they find needs no look.
func (q sought) whole() bool { return len(q.windows) == 1 }

// everyOne is a limit that nothing reaches: behind it a database finds what is
// rare before it looks at anything else.
const everyOne = 1_000_000

// lastLetter stands behind every character that is one.
const lastLetter = "\U0010FFFF"

// part is a piece of SQL with its arguments.
type part struct {
	text string
	args []any
}

// then adds constant text, and its arguments.
func (p part) then(text string, args ...any) part { return p.and(part{text, args}) }

// and adds another piece.
func (p part) and(more part) part {
	return part{p.text + more.text, append(slices.Clone(p.args), more.args...)}
}

// conditions are put together from constant pieces; every value is an argument.
type conditions struct {
	where []string
	args  []any
}

func (c *conditions) and(condition string, args ...any) {
	c.where, c.args = append(c.where, condition), append(c.args, args...)
}

func (c *conditions) part() part { return part{strings.Join(c.where, " AND "), c.args} }

// shelvesOf finds the shelves of some owners, by a condition on their ids.
func shelvesOf(ctx context.Context, tx *gorm.DB, owners string, args ...any) ([]int64, error) {
	return of[int64](tx).Raw("SELECT number FROM shelves WHERE owner "+owners, args...).Find(ctx)
}

// among gives the query of the items that hold the text, and of which there are
// no more than most fragments; none where every part of the text is more
// frequent. Whatever else may be what was sought comes as queries of more items.
func among(ctx context.Context, tx *gorm.DB, shelves []int64, q sought, most int, marks ...part) (*part, error) {
	for _, window := range q.windows {
		end := window + strings.Repeat(lastLetter, fragmentLen-utf8.RuneCountInString(window))
		items := append([]part{{"SELECT item FROM fragments WHERE shelf IN ? AND fragment BETWEEN ? AND ?", []any{shelves, window, end}}}, marks...)
		if n, err := countOf(ctx, tx, items, most+1); err != nil || n <= most {
			return each(items), err
		}
	}
	return nil, nil
}

// countOf counts what each of the queries finds, up to a limit.
func countOf(ctx context.Context, tx *gorm.DB, all []part, limit int) (int, error) {
	sum := part{text: "SELECT 0"}
	for _, p := range all {
		sum = sum.then(" + (SELECT count(*) FROM (").and(p).then(" LIMIT ?) c)", limit)
	}
	return of[int](tx).Raw(sum.text, sum.args...).Take(ctx)
}

// each is what any of the queries finds, each item once. More conditions and an
// order may follow.
func each(all []part) *part {
	one := part{text: "SELECT DISTINCT item FROM ("}.and(all[0])
	for _, p := range all[1:] {
		one = one.then(" UNION ALL ").and(p)
	}
	one = one.then(") f WHERE 1 = 1")
	return &one
}

// walk looks at the lines of a list in its order, as many as its reach. The
// function read takes the page from so many lines, stops where it is full, and
// says what comes after it then; else the page goes on behind the last line that
// was looked at, if there is one more.
func walk[T any](ctx context.Context, tx *gorm.DB, reach int, list part, cursor func(T) string, read func(limit int) (next string, err error)) (string, error) {
	if next, err := read(reach); err != nil || next != "" {
		return next, err
	}
	last := list.then(" LIMIT 2 OFFSET ?", reach-1)
	rows, err := of[T](tx).Raw(last.text, last.args...).Find(ctx)
	if err != nil || len(rows) < 2 {
		return "", err
	}
	return cursor(rows[0]), nil
}
