package policy

import (
	"hash/maphash"
	"iter"
	"slices"
)

// roll is an immutable collection of things, by name and by number. A thing
// keeps its number while it is there; later the number may be another's. What
// knows a number finds the thing without looking for its name. The zero roll is
// empty, and no thing has the number 0.
type roll[K comparable, V any] struct {
	names index
	pages []*[perPage]V
	next  uint32   // the first number that was never given
	free  []uint32 // numbers whose things are gone
}

// perPage is how many things are copied when one of them changes. So many keys
// fill what Go hands out in one piece, nearly.
const perPage = 56

// at gives what has a number; of a number that nothing has, something without a name.
func (r *roll[K, V]) at(n uint32) *V { return &r.pages[n/perPage][n%perPage] }

// number finds a thing by its name; 0: there is none.
func (r *roll[K, V]) number(k K, name func(*V) K) uint32 {
	return r.names.find(hashOf(k), func(n uint32) bool { return name(r.at(n)) == k })
}

// get finds a thing by its name; nil: there is none.
func (r *roll[K, V]) get(k K, name func(*V) K) *V {
	if n := r.number(k, name); n != 0 {
		return r.at(n)
	}
	return nil
}

// near is get, where it is likely that the thing still has the number it had.
func (r *roll[K, V]) near(n uint32, k K, name func(*V) K) *V {
	if n != 0 && n < r.next {
		if v := r.at(n); name(v) == k {
			return v
		}
	}
	return r.get(k, name)
}

// all goes through the things, in no order.
func (r *roll[K, V]) all() iter.Seq[*V] {
	return func(yield func(*V) bool) {
		for n := range r.names.all() {
			if !yield(r.at(n)) {
				return
			}
		}
	}
}

// with gives the roll without those that are gone, and with the others.
func (r roll[K, V]) with(things []V, gone []K, name func(*V) K) roll[K, V] {
	if len(things) == 0 && len(gone) == 0 {
		return r
	}
	d := r.draft(len(things))
	for _, k := range gone {
		d.remove(k, name)
	}
	for i := range things {
		d.put(&things[i], name)
	}
	return d.done()
}

// rollDraft is a roll being made. What it shares with the roll that it comes
// from is copied before its first change.
type rollDraft[K comparable, V any] struct {
	roll[K, V]
	names *indexDraft
	old   []*[perPage]V
}

func (r roll[K, V]) draft(more int) *rollDraft[K, V] {
	d := &rollDraft[K, V]{roll: r, names: r.names.draft(more), old: r.pages}
	d.pages = slices.Clone(r.pages)
	d.next = max(1, r.next)
	return d
}

func (d *rollDraft[K, V]) done() roll[K, V] {
	d.roll.names = d.names.index
	return d.roll
}

func (d *rollDraft[K, V]) number(k K, name func(*V) K) uint32 {
	return d.names.find(hashOf(k), func(n uint32) bool { return name(d.at(n)) == k })
}

// put adds a thing, or takes it for the one of its name. It gives its number.
func (d *rollDraft[K, V]) put(v *V, name func(*V) K) uint32 {
	k := name(v)
	n := d.number(k, name)
	if n == 0 {
		n = d.take()
		d.names.insert(hashOf(k), n)
	}
	*d.own(n) = *v
	return n
}

// take gives a number that is free.
func (d *rollDraft[K, V]) take() uint32 {
	if last := len(d.free) - 1; last >= 0 {
		n := d.free[last]
		d.free = d.free[:last]
		return n
	}
	n := d.next
	if d.next++; int(n/perPage) == len(d.pages) {
		d.pages = append(d.pages, new([perPage]V))
	}
	return n
}

func (d *rollDraft[K, V]) remove(k K, name func(*V) K) {
	n := d.number(k, name)
	if n == 0 {
		return
	}
	d.names.remove(hashOf(k), n)
	var nothing V
	*d.own(n) = nothing
	d.free = append(slices.Clip(d.free), n)
}

func (d *rollDraft[K, V]) own(n uint32) *V {
	i := int(n / perPage)
	if i < len(d.old) && d.pages[i] == d.old[i] {
		page := *d.pages[i]
		d.pages[i] = &page
	}
	return d.at(n)
}

var seed = maphash.MakeSeed()

func hashOf[K comparable](k K) uint32 { return uint32(maphash.Comparable(seed, k) >> 32) }
