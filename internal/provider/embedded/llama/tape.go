package llama

// tape keeps of one pass forward what the pass backward needs. It is made once
// and used again for every sequence.
type tape struct {
	m       *Model
	layers  []frame
	x       []float32 // what each layer begins with, and after the last
	final   []float32 // the last, normalised
	scale   []float32 // of that normalisation
	rows    []float32 // of final, at the positions whose next token is trained
	logits  []float32 // there
	targets []int32   // there
	at      []int     // those positions
	back    scratch
}

// frame is what one layer keeps.
type frame struct {
	x           []float32 // its input
	n1, r1      []float32
	q, k, v     []float32
	p           []float32 // shares of attention: by head, position, earlier position
	o           []float32
	y           []float32 // after attention
	n2, r2      []float32
	gate, up, h []float32
}

// scratch is what the pass backward works on.
type scratch struct {
	dx, dn, dq, dk, dv, do, dh, dgate, dup, drows, dfinal []float32
}

func newTape(m *Model) *tape {
	wide, tall := m.Context*m.Width, m.Context*m.Hidden
	t := &tape{m: m, final: make([]float32, wide), scale: make([]float32, m.Context), rows: make([]float32, wide), logits: make([]float32, m.Context*m.Vocab)}
	for range m.Layers {
		f := frame{p: make([]float32, m.Heads*m.Context*m.Context), r1: make([]float32, m.Context), r2: make([]float32, m.Context)}
		for _, b := range []*[]float32{&f.x, &f.n1, &f.q, &f.k, &f.v, &f.o, &f.y, &f.n2} {
			*b = make([]float32, wide)
		}
		for _, b := range []*[]float32{&f.gate, &f.up, &f.h} {
			*b = make([]float32, tall)
		}
		t.layers = append(t.layers, f)
	}
	t.x = make([]float32, wide)
	for _, b := range []*[]float32{&t.back.dx, &t.back.dn, &t.back.dq, &t.back.dk, &t.back.dv, &t.back.do, &t.back.drows, &t.back.dfinal} {
		*b = make([]float32, wide)
	}
	for _, b := range []*[]float32{&t.back.dh, &t.back.dgate, &t.back.dup} {
		*b = make([]float32, tall)
	}
	return t
}
