package policy

import (
	"hash/maphash"
	"iter"
	"maps"
)

// parts is how many maps a table is cut into: a change copies only the parts it
// touches, so that its cost hardly grows with the table.
const parts = 1024

var seed = maphash.MakeSeed()

// table is an immutable map. The zero table is empty.
type table[K comparable, V any] struct{ part *[parts]map[K]V }

func (t table[K, V]) get(k K) (V, bool) {
	if t.part == nil {
		var zero V
		return zero, false
	}
	v, ok := t.part[index(k)][k]
	return v, ok
}

func (t table[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if t.part == nil {
			return
		}
		for _, m := range t.part {
			for k, v := range m {
				if !yield(k, v) {
					return
				}
			}
		}
	}
}

func index[K comparable](k K) uint64 { return maphash.Comparable(seed, k) % parts }

// draft is a table being made: each part is copied before its first change.
type draft[K comparable, V any] struct {
	part   *[parts]map[K]V
	copied [parts]bool
}

func (t table[K, V]) draft() *draft[K, V] {
	d := &draft[K, V]{part: new([parts]map[K]V)}
	if t.part != nil {
		*d.part = *t.part
	}
	return d
}

func (d *draft[K, V]) own(k K) map[K]V {
	i := index(k)
	if !d.copied[i] {
		d.copied[i] = true
		if d.part[i] == nil {
			d.part[i] = map[K]V{}
		} else {
			d.part[i] = maps.Clone(d.part[i])
		}
	}
	return d.part[i]
}

// edit gives the table without the gone and with the items, under what entry
// makes of each.
func edit[K comparable, V, T any](t table[K, V], items []T, entry func(*T) (K, V), gone []K) table[K, V] {
	if len(items) == 0 && len(gone) == 0 {
		return t
	}
	d := t.draft()
	for _, k := range gone {
		delete(d.own(k), k)
	}
	for i := range items {
		k, v := entry(&items[i])
		d.own(k)[k] = v
	}
	return table[K, V]{d.part}
}
