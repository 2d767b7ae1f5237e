package policy

import (
	"iter"
	"slices"
)

// index finds numbers by hashes. It is cut into parts, of which a change copies
// those that it touches. A slot of a part holds a hash and a number; what is
// sought stands at the slot that its hash names, or soon behind it.
type index struct{ parts []*part }

const (
	slots = 127 // with the count a whole kibibyte
	// mostUsed is how many slots of a part may be in use; some stay empty, so that
	// every search ends.
	mostUsed = 120
	// usual is how many are in use on average where parts are made ahead.
	usual = 80
)

type part struct {
	slot [slots]uint64 // the hash and the number; 0: empty
	used int
}

func (x index) partOf(hash uint32) int { return int(uint64(hash) * uint64(len(x.parts)) >> 32) }

// find gives the number under a hash that is the one; 0: there is none.
func (x index) find(hash uint32, is func(n uint32) bool) uint32 {
	if len(x.parts) == 0 {
		return 0
	}
	p := x.parts[x.partOf(hash)]
	for i := hash % slots; p.slot[i] != 0; i = (i + 1) % slots {
		if s := p.slot[i]; uint32(s>>32) == hash && is(uint32(s)) {
			return uint32(s)
		}
	}
	return 0
}

// all gives every number, in no order.
func (x index) all() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, p := range x.parts {
			for _, s := range p.slot {
				if s != 0 && !yield(uint32(s)) {
					return
				}
			}
		}
	}
}

// indexDraft is an index being made.
type indexDraft struct {
	index
	old []*part
}

// draft begins a change by which the index may grow.
func (x index) draft(more int) *indexDraft {
	d := &indexDraft{index{slices.Clone(x.parts)}, x.parts}
	used := more
	for _, p := range x.parts {
		used += p.used
	}
	if used > usual*len(x.parts) && more > 1 {
		d.spread(used/usual + 1)
	}
	return d
}

// spread makes so many parts of what there is.
func (d *indexDraft) spread(parts int) {
	was := d.parts
	d.parts, d.old = make([]*part, parts), nil
	for i := range d.parts {
		d.parts[i] = &part{}
	}
	for _, p := range was {
		for _, s := range p.slot {
			if s != 0 {
				d.insert(uint32(s>>32), uint32(s))
			}
		}
	}
}

func (d *indexDraft) own(hash uint32) *part {
	i := d.partOf(hash)
	if i < len(d.old) && d.parts[i] == d.old[i] {
		p := *d.parts[i]
		d.parts[i] = &p
	}
	return d.parts[i]
}

func (d *indexDraft) insert(hash, n uint32) {
	for len(d.parts) == 0 || d.parts[d.partOf(hash)].used == mostUsed {
		d.spread(len(d.parts)*5/4 + 1)
	}
	p := d.own(hash)
	i := hash % slots
	for p.slot[i] != 0 {
		i = (i + 1) % slots
	}
	p.slot[i] = uint64(hash)<<32 | uint64(n)
	p.used++
}

// remove empties the slot of a number and moves those behind it forward that
// are not at their own.
func (d *indexDraft) remove(hash, n uint32) {
	p := d.own(hash)
	i := hash % slots
	for p.slot[i] != uint64(hash)<<32|uint64(n) {
		if p.slot[i] == 0 {
			return
		}
		i = (i + 1) % slots
	}
	p.used--
	p.slot[i] = 0
	for j := (i + 1) % slots; p.slot[j] != 0; j = (j + 1) % slots {
		at := uint32(p.slot[j]>>32) % slots
		if (j-at)%slots >= (j-i)%slots {
			p.slot[i], p.slot[j] = p.slot[j], 0
			i = j
		}
	}
}
