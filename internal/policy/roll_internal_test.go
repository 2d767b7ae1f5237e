package policy

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"testing"

	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

type named struct {
	name ident.User
	said int
}

func nameOfNamed(n *named) ident.User { return n.name }

func (r *roll[K, V]) gathered(name func(*V) K) map[K]V {
	all := map[K]V{}
	for v := range r.all() {
		all[name(v)] = *v
	}
	return all
}

// Rolls that come of each other by random changes hold what maps hold that are
// changed the same way, and the older ones stay as they were.
func TestARollHoldsWhatAMapDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	name := func() ident.User { return ident.User(fmt.Sprint("usr-", r.IntN(3000))) }
	var now roll[ident.User, named]
	want := map[ident.User]named{}
	type past struct {
		roll roll[ident.User, named]
		want map[ident.User]named
	}
	var pasts []past
	for round := range 400 {
		var things []named
		var gone []ident.User
		for range []int{1, 5, 300}[r.IntN(3)] { // some changes are large
			things = append(things, named{name(), round})
		}
		for range r.IntN(2 + 400*r.IntN(2)) {
			gone = append(gone, name())
		}
		now = now.with(things, gone, nameOfNamed)
		for _, k := range gone {
			delete(want, k)
		}
		for _, v := range things {
			want[v.name] = v
		}
		for range 50 {
			k := name()
			v, is := want[k]
			if got := now.get(k, nameOfNamed); (got != nil) != is || is && *got != v {
				t.Fatalf("round %d: %s is %v and not %v", round, k, got, v)
			}
		}
		if round%20 == 0 {
			pasts = append(pasts, past{now, maps.Clone(want)})
		}
	}
	for i, p := range append(pasts, past{now, want}) {
		if got := p.roll.gathered(nameOfNamed); !maps.Equal(got, p.want) {
			t.Errorf("past %d holds %d, and held %d", i, len(got), len(p.want))
		}
	}
	if most := 3000 + perPage; len(now.pages)*perPage > most {
		t.Errorf("numbers are not given again: %d pages for at most 3000 things", len(now.pages))
	}
}

// A number that is another's by now is no way to what had it.
func TestANumberThatIsAnothersNamesNothing(t *testing.T) {
	var r roll[ident.User, named]
	r = r.with([]named{{"usr-a", 1}}, nil, nameOfNamed)
	n := r.number("usr-a", nameOfNamed)
	r = r.with(nil, []ident.User{"usr-a"}, nameOfNamed).with([]named{{"usr-b", 2}}, nil, nameOfNamed)
	if r.number("usr-b", nameOfNamed) != n {
		t.Fatal("the number was not given again")
	}
	if r.near(n, "usr-a", nameOfNamed) != nil {
		t.Error("what is gone was found")
	}
	for _, at := range []uint32{0, n, n + 1, 1 << 30} {
		if v := r.near(at, "usr-b", nameOfNamed); v == nil || v.said != 2 {
			t.Errorf("by %d: %v", at, v)
		}
	}
}

// A hundred thousand keys must leave a server small.
func TestAKeyTakesLessThan200Bytes(t *testing.T) {
	const n = 100_000
	f := Facts{Version: 1, Keys: make([]Key, n)}
	for i := range f.Keys {
		k := &f.Keys[i]
		k.Account, k.Workspace, k.Owner = "acc-1", "llm-1", "usr-1"
		binary.BigEndian.PutUint64(k.Digest[:], uint64(i)+1)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range f.Keys {
		f.Keys[i].ID = ident.Key(fmt.Sprintf("key-%016d", i)) // the texts count
	}
	s := (&Snapshot{}).With(f)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if took := (after.HeapAlloc - before.HeapAlloc) / n; took > 200 {
		t.Errorf("a key takes %d bytes", took)
	} else {
		t.Logf("a key takes %d bytes", took)
	}
	if s.KeyBy(f.Keys[n-1].Digest).ID != f.Keys[n-1].ID || s.Key("key-0000000000000007").Digest != f.Keys[7].Digest || s.KeyBy(secret.Digest{1, 2, 3}) != nil {
		t.Error("keys are not found by what they are found by")
	}
}
