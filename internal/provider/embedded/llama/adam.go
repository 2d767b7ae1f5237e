package llama

import "math"

// The constants of AdamW.
const (
	beta1 = 0.9
	beta2 = 0.99
	tiny  = 1e-8
	decay = 0.01 // of matrices, in units of the learning rate
	clip  = 1.0  // of the gradient's norm
)

// adam is the optimizer and what it remembers.
type adam struct {
	step int
	m, v [][]float32
}

func gradients(m *Model) [][]float32 {
	g := make([][]float32, len(m.Tensors))
	for i, t := range m.Tensors {
		g[i] = make([]float32, len(t.W))
	}
	return g
}

func newAdam(m *Model) *adam { return &adam{m: gradients(m), v: gradients(m)} }

// apply moves the weights by a gradient, which it scales in place.
func (a *adam) apply(m *Model, g [][]float32, rate, scale float64) {
	a.step++
	var norm float64
	for _, t := range g {
		for _, v := range t {
			norm += float64(v) * float64(v)
		}
	}
	if norm = math.Sqrt(norm) * scale; norm > clip {
		scale *= clip / norm
	}
	first, second := 1-math.Pow(beta1, float64(a.step)), 1-math.Pow(beta2, float64(a.step))
	for i, t := range m.Tensors {
		shrink := float32(0)
		if t.Rows > 1 {
			shrink = float32(decay * rate)
		}
		am, av := a.m[i], a.v[i]
		for j, raw := range g[i] {
			d := raw * float32(scale)
			am[j] = beta1*am[j] + (1-beta1)*d
			av[j] = beta2*av[j] + (1-beta2)*d*d
			t.W[j] -= float32(rate)*(am[j]/float32(first))/(float32(math.Sqrt(float64(av[j]/float32(second))))+tiny) + shrink*t.W[j]
		}
	}
}

// pace is the learning rate at a step of all: it warms up, and falls as a cosine
// to a tenth.
func pace(rate float64, step, all int) float64 {
	return rate * min(1, float64(step+1)/10) * (0.1 + 0.45*(1+math.Cos(math.Pi*float64(step)/float64(all))))
}
