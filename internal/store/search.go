package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"
)

// reach bounds what one page of a search reads, however many keys and users
// there are. What is rare is looked up by its fragments, all of it. What is
// frequent fills a page soon when the list itself is walked through; where it
// does not, because what was sought gathers elsewhere, the page is short or even
// empty and its cursor goes on from where the walk ended.
type reach struct {
	sort  int // fragments that are sorted by their items alone
	fetch int // items that are looked at, each
	some  int // lines of a list whose index holds what is searched, if there is anything in them
	walk  int // lines of it else
	step  int // lines that are looked at, each
}

var usualReach = reach{sort: 1200, fetch: 500, some: 1500, walk: 4000, step: 1000}

// sought is what is searched for.
type sought struct {
	text    string // folded; empty: nothing
	windows []string
}

// soughtOf reads a search of at most 100 characters. A text that is longer than
// a fragment is looked for by each of its parts, of which one may be rare.
func soughtOf(search string) (sought, error) {
	if utf8.RuneCountInString(search) > searchMax {
		return sought{}, tooLong()
	}
	q := sought{text: fold(clip(search, 4*searchMax))}
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

// limit adds how many lines there are at most. It is no argument: SQLite would
// make its plan twice, once before it knows how many and once after.
func (p part) limit(n int) part { return p.then(" LIMIT " + strconv.Itoa(n)) }

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

// rest is what follows other conditions.
func (c *conditions) rest() part {
	if len(c.where) == 0 {
		return part{}
	}
	return part{text: " AND "}.and(c.part())
}

// holding says of a column that the text is in it, letter by letter. Both databases
// find that sooner than what is LIKE a pattern.
func holding(tx *gorm.DB, column, text string) part {
	in := "instr"
	if postgresql(tx) {
		in = "strpos"
	}
	return part{in + "(" + column + ", ?) > 0", []any{text}}
}

// among gives the query of the items of these owners that hold the text, of which every part of
// it finds no more than most; none where each part of the text is more frequent.
// Whatever else may be what was sought comes as queries of more items.
func among(ctx context.Context, tx *gorm.DB, owners part, q sought, most int, marks ...part) (*part, error) {
	on, shelves := "IN ", part{text: "(SELECT number FROM shelves WHERE owner IN ("}.and(owners).then("))")
	if postgresql(tx) {
		on, shelves = "= ANY ", part{text: "(ARRAY"}.and(shelves).then(")") // it would join the tables
	}
	for _, window := range q.windows {
		end := window + strings.Repeat(lastLetter, fragmentLen-utf8.RuneCountInString(window))
		items := append([]part{part{text: "SELECT item FROM fragments WHERE shelf " + on}.and(shelves).then(" AND fragment BETWEEN ? AND ?", window, end)}, marks...)
		if more, err := exceed(ctx, tx, items, most); err != nil || !more {
			return together(items), err
		}
	}
	return nil, nil
}

// exceed reports whether one of the queries finds more items than most.
func exceed(ctx context.Context, tx *gorm.DB, all []part, most int) (bool, error) {
	sum := part{text: "SELECT 0"}
	for _, p := range all {
		sum = sum.then(" + coalesce((").and(p).limit(1).then(" OFFSET ?), 0)", most) // numbers begin at 1
	}
	n, err := of[int](tx).Raw(sum.text, sum.args...).Take(ctx)
	return n > 0, err
}

// together is what the queries find; what several find comes several times.
func together(all []part) *part {
	one := all[0]
	for _, p := range all[1:] {
		one = one.then(" UNION ALL ").and(p)
	}
	return &one
}

// byNumber is the rows of a table that have these numbers, under a name of one
// letter and with what is joined to them: what follows FROM, to which conditions
// may be added. It is written so that nothing but the numbers chooses the rows.
func byNumber(tx *gorm.DB, table, name, joined string, items part) part {
	if postgresql(tx) {
		return part{text: "(SELECT t.* FROM (SELECT DISTINCT item FROM ("}.and(items).
			then(") i) i JOIN " + table + " t ON t.number = i.item").limit(everyOne).then(") " + name + joined + " WHERE 1 = 1")
	}
	return part{text: table + " " + name + joined + " WHERE " + name + ".number IN ("}.and(items).then(")")
}

// walked takes the numbers of those lines of a list that hold the text, from so
// many of its lines. Both databases pass them on in the order in which they read
// them; to ask for it again would make them read all before they give the first.
func walked(holds part, name, more string, list part, reach int) part {
	return part{text: "SELECT " + name + ".number FROM (SELECT CASE WHEN "}.and(holds).then(" THEN " + name + ".number END AS number" + more).and(list).
		limit(reach).then(") " + name + " WHERE " + name + ".number IS NOT NULL")
}

// walk looks at the lines of a list in its order, as many as its reach. The
// function read takes the page from so many lines, stops where it is full, and
// says what comes after it then; else the page goes on behind the last line that
// was looked at, if there is one more.
func walk[T any](ctx context.Context, tx *gorm.DB, reach int, list part, cursor func(T) string, read func(limit int) (next string, err error)) (string, error) {
	if next, err := read(reach); err != nil || next != "" {
		return next, err
	}
	last := list.limit(2).then(" OFFSET ?", reach-1)
	rows, err := of[T](tx).Raw(last.text, last.args...).Find(ctx)
	if err != nil || len(rows) < 2 {
		return "", err
	}
	return cursor(rows[0]), nil
}
