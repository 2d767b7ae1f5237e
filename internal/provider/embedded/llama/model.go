// Package llama is the model of the built-in engine: a small decoder of the
// Llama architecture, in Go alone. It is trained and it generates here, and its
// files load in the engines that people run. It repeats what it was taught, also
// when it is asked in other words; it composes nothing new.
package llama

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
)

// Shape is how large a model is.
type Shape struct {
	Vocab   int // tokens
	Width   int // of a token's vector
	Layers  int
	Heads   int // of attention; Width is a multiple of twice that
	Hidden  int // width of the feed-forward layer
	Context int // tokens
}

// Small is the shape of the model that is built in, but for its vocabulary.
var Small = Shape{Vocab: 512, Width: 64, Layers: 2, Heads: 4, Hidden: 176, Context: 256}

const (
	epsilon  = 1e-5  // of normalisation
	ropeBase = 10000 // of positions
)

// Tensor is a matrix, row by row; a vector is one of one row.
type Tensor struct {
	Name string // as GGUF has it
	Rows int
	Cols int
	W    []float32
}

// Model is a shape with its weights. Calls that only read may share it.
type Model struct {
	Shape
	Tensors []Tensor // in the order of GGUF files
	System  string   // what dialogues begin with that say nothing of the kind; empty: nothing
	layout
	cos, sin []float32 // by position and pair
}

// layout names the weights; gradients have the same.
type layout struct {
	embed  []float32 // of the output too
	layers []block
	norm   []float32
}

type block struct {
	attnNorm, q, k, v, out  []float32
	ffnNorm, gate, up, down []float32
}

// names are the tensors of a layer in their order.
var names = [...]string{"attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"}

// Empty makes a model whose weights are zero. A shape that cannot be is an error.
func Empty(s Shape) (*Model, error) {
	switch {
	case s.Vocab < 1 || s.Vocab > 1<<20, s.Layers < 1 || s.Layers > 64, s.Heads < 1 || s.Hidden < 1 || s.Hidden > 1<<16,
		s.Context < 2 || s.Context > 1<<16, s.Width < 1 || s.Width > 1<<14 || s.Width%(2*s.Heads) != 0:
		return nil, fmt.Errorf("no model has the shape %+v", s)
	}
	m := &Model{Shape: s}
	add := func(name string, rows, cols int) {
		m.Tensors = append(m.Tensors, Tensor{name, rows, cols, make([]float32, rows*cols)})
	}
	add("token_embd.weight", s.Vocab, s.Width)
	for n := range s.Layers {
		for i, size := range [...][2]int{
			{1, s.Width}, {s.Width, s.Width}, {s.Width, s.Width}, {s.Width, s.Width}, {s.Width, s.Width},
			{1, s.Width}, {s.Hidden, s.Width}, {s.Hidden, s.Width}, {s.Width, s.Hidden},
		} {
			add("blk."+strconv.Itoa(n)+"."+names[i]+".weight", size[0], size[1])
		}
	}
	add("output_norm.weight", 1, s.Width)
	weights := make([][]float32, len(m.Tensors))
	for i := range m.Tensors {
		weights[i] = m.Tensors[i].W
	}
	m.layout = layoutOf(weights)
	m.turn()
	return m, nil
}

// layoutOf names weights, or gradients, that are in the order of the tensors.
func layoutOf(w [][]float32) layout {
	l := layout{embed: w[0], norm: w[len(w)-1]}
	for i := 1; i+len(names) < len(w); i += len(names) {
		l.layers = append(l.layers, block{w[i], w[i+1], w[i+2], w[i+3], w[i+4], w[i+5], w[i+6], w[i+7], w[i+8]})
	}
	return l
}

// turn tables the rotations of positions.
func (m *Model) turn() {
	pairs := m.Width / m.Heads / 2
	m.cos, m.sin = make([]float32, m.Context*pairs), make([]float32, m.Context*pairs)
	for t := range m.Context {
		for i := range pairs {
			angle := float64(t) * math.Pow(ropeBase, -float64(2*i)/float64(2*pairs))
			m.cos[t*pairs+i], m.sin[t*pairs+i] = float32(math.Cos(angle)), float32(math.Sin(angle))
		}
	}
}

// New makes a model with the weights that training begins with.
func New(s Shape, seed uint64) (*Model, error) {
	m, err := Empty(s)
	if err != nil {
		return nil, err
	}
	chance := rand.New(rand.NewPCG(seed, 1))
	normal := func(w []float32, deviation float64) {
		for i := range w {
			w[i] = float32(chance.NormFloat64() * deviation)
		}
	}
	one := func(w []float32) {
		for i := range w {
			w[i] = 1
		}
	}
	wide := 1 / math.Sqrt(float64(s.Width))
	deep := wide / math.Sqrt(float64(2*s.Layers))
	normal(m.embed, 0.08)
	for _, b := range m.layers {
		one(b.attnNorm)
		normal(b.q, wide)
		normal(b.k, wide)
		normal(b.v, wide)
		normal(b.out, deep)
		one(b.ffnNorm)
		normal(b.gate, wide)
		normal(b.up, wide)
		normal(b.down, deep)
	}
	one(m.norm)
	return m, nil
}

// Parameters counts the weights.
func (m *Model) Parameters() (n int) {
	for _, t := range m.Tensors {
		n += len(t.W)
	}
	return n
}

// Clone copies a model with its weights.
func (m *Model) Clone() *Model {
	c, _ := Empty(m.Shape) // the shape was one before
	for i := range m.Tensors {
		copy(c.Tensors[i].W, m.Tensors[i].W)
	}
	return c
}
