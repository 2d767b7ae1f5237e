package store

import (
	"context"
	"sync"

	"gorm.io/gorm"

	"bailiwick/internal/ident"
	"bailiwick/internal/usage"
)

// usageSeries is what many calls have in common; each is kept once.
type usageSeries struct {
	Place        int64
	Key          ident.Key      `gorm:"column:key_id"`
	Member       ident.User     `gorm:"column:member_id"`
	Model        ident.Model    `gorm:"column:model_id"`
	Provider     ident.Provider `gorm:"column:provider_id"`
	Dialect      string
	Stream       bool
	Source       int // its place in usageSources
	Status       int
	Code         string
	Currency     string
	PriceVersion int64
}

type usagePlace struct {
	Account   ident.Account   `gorm:"column:account_id"`
	Workspace ident.Workspace `gorm:"column:workspace_id"`
}

// mostWords bounds how much is remembered; what is more is asked for again.
const mostWords = 100_000

// usageWords remembers what is committed: the numbers of places and series, and
// when keys were last used.
type usageWords struct {
	mu     sync.Mutex
	places map[usagePlace]int64
	series map[usageSeries]int64
	used   map[ident.Key]stamp
}

// wordsUsed are the numbers that one transaction found or gave.
type wordsUsed struct {
	known  *usageWords
	places map[usagePlace]int64
	series map[usageSeries]int64
	used   map[ident.Key]stamp

	last     usageSeries // records of one kind follow each other
	lastSaid int64       // its number; 0: there was none yet
}

func (w *usageWords) begin() *wordsUsed {
	return &wordsUsed{known: w, places: map[usagePlace]int64{}, series: map[usageSeries]int64{}, used: map[ident.Key]stamp{}}
}

// commit remembers what a transaction that was committed learnt.
func (w *usageWords) commit(u *wordsUsed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.places == nil || len(w.places)+len(w.series)+len(w.used) > mostWords {
		w.places, w.series, w.used = map[usagePlace]int64{}, map[usageSeries]int64{}, map[ident.Key]stamp{}
	}
	for k, at := range u.used {
		w.used[k] = at
	}
	for k, id := range u.places {
		w.places[k] = id
	}
	for k, id := range u.series {
		w.series[k] = id
	}
}

func (u *wordsUsed) rows(tx *gorm.DB, records []usage.Record) ([]usageRow, error) {
	rows := make([]usageRow, len(records))
	for i, r := range records {
		place, err := numberOf(u, u.places, placesKnown, usagePlace{ident.Account(clip(string(r.Account), 64)), ident.Workspace(clip(string(r.Workspace), 64))},
			func(p usagePlace) (int64, error) { return placeNumber(tx, p) })
		if err != nil {
			return nil, err
		}
		series, err := u.seriesOf(tx, seriesOf(place, r))
		if err != nil {
			return nil, err
		}
		call := r.Call.Bytes()
		rows[i] = usageRow{
			At: max(0, stampOf(r.At)), Cost: max(0, r.Cost), Place: place, Series: series, Input: small(r.Input), Output: small(r.Output), Cached: small(r.Cached),
			Reasoning: small(r.Reasoning), Duration: micros(r.Duration), FirstByte: micros(r.FirstByte), Call: call[:],
		}
	}
	return rows, nil
}

func (u *wordsUsed) seriesOf(tx *gorm.DB, s usageSeries) (id int64, err error) {
	if u.lastSaid != 0 && s == u.last {
		return u.lastSaid, nil
	}
	if id, err = numberOf(u, u.series, seriesKnown, s, func(s usageSeries) (int64, error) { return seriesNumber(tx, s) }); err == nil {
		u.last, u.lastSaid = s, id
	}
	return id, err
}

func placesKnown(w *usageWords) map[usagePlace]int64  { return w.places }
func seriesKnown(w *usageWords) map[usageSeries]int64 { return w.series }

func numberOf[K comparable](u *wordsUsed, here map[K]int64, known func(*usageWords) map[K]int64, k K, ask func(K) (int64, error)) (int64, error) {
	if id, ok := here[k]; ok {
		return id, nil
	}
	u.known.mu.Lock()
	id, ok := known(u.known)[k]
	u.known.mu.Unlock()
	if ok {
		return id, nil
	}
	id, err := ask(k)
	if err == nil {
		here[k] = id
	}
	return id, err
}

func placeNumber(tx *gorm.DB, p usagePlace) (int64, error) {
	return number(tx, "usage_places", "account_id, workspace_id", p.Account, p.Workspace)
}

func seriesNumber(tx *gorm.DB, s usageSeries) (int64, error) {
	return number(tx, "usage_series", "place, model_id, key_id, member_id, provider_id, dialect, stream, source, status, code, currency, price_version",
		s.Place, s.Model, s.Key, s.Member, s.Provider, s.Dialect, s.Stream, s.Source, s.Status, s.Code, s.Currency, s.PriceVersion)
}

// number finds the number of a row by all its columns, or gives it one.
func number(tx *gorm.DB, table, columns string, values ...any) (id int64, err error) {
	places := tuples(1, len(values))
	find := "SELECT id FROM " + table + " WHERE (" + columns + ") = " + places
	if err := tx.Raw(find, values...).Scan(&id).Error; err != nil || id != 0 {
		return id, err
	}
	if err := tx.Raw("INSERT INTO "+table+" ("+columns+") VALUES "+places+" ON CONFLICT DO NOTHING RETURNING id", values...).Scan(&id).Error; err != nil || id != 0 {
		return id, err
	}
	err = tx.Raw(find, values...).Scan(&id).Error // another process gave it one meanwhile
	return id, err
}

// usagePlaces are the numbers of an account's workspaces, deleted ones too, or
// of one of them.
func (s *Store) usagePlaces(ctx context.Context, a ident.Account, ws ident.Workspace) (ids []int64, err error) {
	tx := s.read.WithContext(ctx)
	if ws == "" {
		err = tx.Raw("SELECT id FROM usage_places WHERE account_id = ? ORDER BY id", a).Scan(&ids).Error
	} else {
		err = tx.Raw("SELECT id FROM usage_places WHERE account_id = ? AND workspace_id = ?", a, ws).Scan(&ids).Error
	}
	return ids, err
}
