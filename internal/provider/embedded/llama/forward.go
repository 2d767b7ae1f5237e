package llama

import "math"

// forward goes through a sequence and keeps on the tape what backward needs.
// It returns the sum of the losses of the trained tokens, and how many they are.
func (t *tape) forward(e Sequence) (loss float64, trained int) {
	m, n, w := t.m, len(e.IDs), t.m.Width
	for i, id := range e.IDs {
		copy(t.x[i*w:(i+1)*w], m.embed[int(id)*w:(int(id)+1)*w])
	}
	for l := range t.layers {
		copy(t.layers[l].x[:n*w], t.x[:n*w])
		t.layer(l, n)
	}
	normalise(t.final, t.x, m.norm, t.scale, n, w)
	t.at, t.targets = t.at[:0], t.targets[:0]
	for i := 0; i+1 < n; i++ {
		if e.Trained[i+1] {
			copy(t.rows[len(t.at)*w:], t.final[i*w:(i+1)*w])
			t.at, t.targets = append(t.at, i), append(t.targets, e.IDs[i+1])
		}
	}
	product(t.logits, t.rows, m.embed, len(t.at), w, m.Vocab)
	for i, target := range t.targets {
		p := t.logits[i*m.Vocab : (i+1)*m.Vocab]
		softmax(p)
		loss -= math.Log(max(float64(p[target]), 1e-30))
	}
	return loss, len(t.at)
}

// layer goes through one layer, from the frame's x to the tape's.
func (t *tape) layer(l, n int) {
	m, f, b := t.m, &t.layers[l], t.m.layers[l]
	w, hidden := m.Width, m.Hidden
	normalise(f.n1, f.x, b.attnNorm, f.r1, n, w)
	product(f.q, f.n1, b.q, n, w, w)
	product(f.k, f.n1, b.k, n, w, w)
	product(f.v, f.n1, b.v, n, w, w)
	m.rotate(f.q, n, 0, 1)
	m.rotate(f.k, n, 0, 1)
	t.attend(f, n)
	product(f.y, f.o, b.out, n, w, w)
	add(f.y[:n*w], f.x)
	normalise(f.n2, f.y, b.ffnNorm, f.r2, n, w)
	product(f.gate, f.n2, b.gate, n, w, hidden)
	product(f.up, f.n2, b.up, n, w, hidden)
	for i, a := range f.gate[:n*hidden] {
		f.h[i] = a * sigmoid(a) * f.up[i]
	}
	product(t.x, f.h, b.down, n, hidden, w)
	add(t.x[:n*w], f.y)
}

func add(to, from []float32) {
	for i := range to {
		to[i] += from[i]
	}
}

// rotate turns the pairs of each head by their position, forth (1) or back (-1);
// the first row stands at position from.
func (m *Model) rotate(x []float32, n, from int, sign float32) {
	pairs := m.Width / m.Heads / 2
	for t := range n {
		cos, sin := m.cos[(from+t)*pairs:(from+t+1)*pairs], m.sin[(from+t)*pairs:(from+t+1)*pairs]
		row := x[t*m.Width : (t+1)*m.Width]
		for at := 0; at < m.Width; at += 2 * pairs {
			head := row[at : at+2*pairs]
			for i := range pairs {
				u, v := head[2*i], head[2*i+1]
				c, s := cos[i], sin[i]*sign
				head[2*i], head[2*i+1] = u*c-v*s, u*s+v*c
			}
		}
	}
}

// attend mixes the values of the positions up to each, head by head.
func (t *tape) attend(f *frame, n int) {
	m, w := t.m, t.m.Width
	size := w / m.Heads
	scale := float32(1 / math.Sqrt(float64(size)))
	clear(f.o[:n*w])
	for h := range m.Heads {
		at := h * size
		for i := range n {
			q := f.q[i*w+at : i*w+at+size]
			p := f.p[(h*m.Context+i)*m.Context:][:i+1]
			for s := range p {
				p[s] = dot(q, f.k[s*w+at:s*w+at+size]) * scale
			}
			softmax(p)
			o := f.o[i*w+at : i*w+at+size]
			for s, share := range p {
				v := f.v[s*w+at : s*w+at+size]
				for j := range o {
					o[j] += share * v[j]
				}
			}
		}
	}
}
