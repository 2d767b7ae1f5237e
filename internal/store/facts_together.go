package store

import (
	"strings"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
)

// loader reads what is wanted. Where that is everything, what a hundred thousand
// things consist of is put together in large pieces: in small ones, each
// collection of garbage would look at every one of them.
type loader struct {
	extent
	names map[string]string // names that are the same are one text in all that is read
	block strings.Builder
}

// block is how many bytes of texts, and pack how many values, stand together.
const (
	block = 16 << 10
	pack  = 256
)

// once gives the first of the texts that are the same.
func once[T ~string](l *loader, s T) T {
	first, known := l.names[string(s)]
	if !known {
		first = string(behind(l, s))
		l.names[first] = first
	}
	return T(first)
}

// behind gives a text that stands behind others.
func behind[T ~string](l *loader, s T) T {
	if l.extent != nil {
		return s
	}
	if l.block.Cap()-l.block.Len() < len(s) {
		l.block = strings.Builder{}
		l.block.Grow(max(block, len(s)))
	}
	at := l.block.Len()
	l.block.WriteString(string(s))
	return T(l.block.String()[at:])
}

// gather puts the lists of all things together.
func gather(f *policy.Facts) {
	grants, limits := packed[policy.Pairs[ident.Model, catalogue.Capabilities]](), packed[policy.Pairs[ident.Model, limit.Setting]]()
	members, servings := packed[[]ident.User](), packed[[]policy.Serving]()
	for i := range f.Workspaces {
		w := &f.Workspaces[i]
		w.Grants, w.Members, w.Limits = grants(w.Grants), members(w.Members), limits(w.Limits)
	}
	for i := range f.Models {
		m := &f.Models[i]
		m.Servings, m.Trainers = servings(m.Servings), servings(m.Trainers)
	}
}

// packed gives what copies lists behind each other.
func packed[L ~[]T, T any]() func(L) L {
	var room L
	return func(list L) L {
		if len(list) == 0 {
			return nil
		}
		if cap(room)-len(room) < len(list) {
			room = make(L, 0, max(pack, len(list)))
		}
		at := len(room)
		room = append(room, list...)
		return room[at:len(room):len(room)]
	}
}
