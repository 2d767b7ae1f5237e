package policy

import (
	"cmp"
	"maps"
	"slices"
)

// Pairs is a small map that never changes. It holds nothing but its entries, by
// which a hundred thousand of them stay small.
type Pairs[K cmp.Ordered, V any] []Pair[K, V]

// Pair is one entry.
type Pair[K cmp.Ordered, V any] struct {
	Key   K
	Value V
}

// PairsOf makes pairs of a map.
func PairsOf[K cmp.Ordered, V any](m map[K]V) Pairs[K, V] {
	if len(m) == 0 {
		return nil
	}
	p := make(Pairs[K, V], 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		p = append(p, Pair[K, V]{k, m[k]})
	}
	return p
}

// Get gives the value of a key; the zero value where it has none.
func (p Pairs[K, V]) Get(k K) (v V) {
	if i, there := p.find(k); there {
		v = p[i].Value
	}
	return v
}

func (p Pairs[K, V]) find(k K) (int, bool) {
	if len(p) == 1 { // as most are
		return 0, p[0].Key == k
	}
	return slices.BinarySearchFunc(p, k, func(e Pair[K, V], k K) int { return cmp.Compare(e.Key, k) })
}

// With gives pairs in which a key has a value; p stays as it is.
func (p Pairs[K, V]) With(k K, v V) Pairs[K, V] {
	p = slices.Clone(p)
	i, there := slices.BinarySearchFunc(p, k, func(e Pair[K, V], k K) int { return cmp.Compare(e.Key, k) })
	if !there {
		return slices.Insert(p, i, Pair[K, V]{k, v})
	}
	p[i].Value = v
	return p
}
