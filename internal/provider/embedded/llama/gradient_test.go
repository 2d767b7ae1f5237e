package llama

import (
	"math"
	"testing"
)

// Each tensor is moved along its own gradient; the loss must change as the
// gradient says.
func TestEveryGradientIsTheSlopeOfTheLoss(t *testing.T) {
	m, err := New(Shape{Vocab: 40, Width: 16, Layers: 2, Heads: 2, Hidden: 24, Context: 24}, 7)
	if err != nil {
		t.Fatal(err)
	}
	s := Sequence{}
	for i := range 21 {
		s.IDs, s.Trained = append(s.IDs, int32((i*i*7+3*i)%40)), append(s.Trained, i%3 != 0)
	}
	tape := newTape(m)
	tape.forward(s)
	g := gradients(m)
	tape.backward(s, layoutOf(g))
	for i, tensor := range m.Tensors {
		var norm float64
		for _, v := range g[i] {
			norm += float64(v) * float64(v)
		}
		if norm == 0 {
			t.Errorf("%s has no gradient", tensor.Name)
			continue
		}
		step := 5e-4 / math.Sqrt(norm)
		loss := func(sign float64) float64 {
			kept := append([]float32(nil), tensor.W...)
			for j, v := range g[i] {
				tensor.W[j] += float32(sign * step * float64(v))
			}
			l, _ := tape.forward(s)
			copy(tensor.W, kept)
			return l
		}
		slope := (loss(1) - loss(-1)) / (2 * step)
		if ratio := slope / norm; ratio < 0.998 || ratio > 1.002 {
			t.Errorf("%s: the loss changes %.5f times as much as the gradient says", tensor.Name, ratio)
		}
	}
}
