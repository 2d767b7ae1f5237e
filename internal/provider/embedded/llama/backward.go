package llama

import "math"

// backward adds to the gradients what the last pass forward means for them.
func (t *tape) backward(e Sequence, g layout) {
	m, n, w, s := t.m, len(e.IDs), t.m.Width, &t.back
	for i, target := range t.targets {
		t.logits[i*m.Vocab+int(target)] -= 1
	}
	clear(s.drows[:len(t.at)*w])
	back(s.drows, g.embed, t.logits, t.rows, m.embed, len(t.at), w, m.Vocab)
	clear(s.dfinal[:n*w])
	for i, at := range t.at {
		copy(s.dfinal[at*w:(at+1)*w], s.drows[i*w:(i+1)*w])
	}
	clear(s.dx[:n*w])
	denormalise(s.dx, g.norm, s.dfinal, t.x, m.norm, t.scale, n, w)
	for l := m.Layers - 1; l >= 0; l-- {
		t.unlayer(l, n, g.layers[l])
	}
	for i, id := range e.IDs {
		add(g.embed[int(id)*w:(int(id)+1)*w], s.dx[i*w:(i+1)*w])
	}
}

// unlayer goes back through one layer; dx comes as its output's and leaves as its
// input's.
func (t *tape) unlayer(l, n int, g block) {
	m, f, b, s := t.m, &t.layers[l], t.m.layers[l], &t.back
	w, hidden := m.Width, m.Hidden
	clear(s.dh[:n*hidden])
	back(s.dh, g.down, s.dx, f.h, b.down, n, hidden, w)
	for i, a := range f.gate[:n*hidden] {
		sig, d := sigmoid(a), s.dh[i]
		s.dup[i] = d * a * sig
		s.dgate[i] = d * f.up[i] * (sig + a*sig*(1-sig))
	}
	clear(s.dn[:n*w])
	back(s.dn, g.gate, s.dgate, f.n2, b.gate, n, w, hidden)
	back(s.dn, g.up, s.dup, f.n2, b.up, n, w, hidden)
	denormalise(s.dx, g.ffnNorm, s.dn, f.y, b.ffnNorm, f.r2, n, w)

	clear(s.do[:n*w])
	back(s.do, g.out, s.dx, f.o, b.out, n, w, w)
	t.unattend(f, n)
	m.rotate(s.dq, n, 0, -1)
	m.rotate(s.dk, n, 0, -1)
	clear(s.dn[:n*w])
	back(s.dn, g.q, s.dq, f.n1, b.q, n, w, w)
	back(s.dn, g.k, s.dk, f.n1, b.k, n, w, w)
	back(s.dn, g.v, s.dv, f.n1, b.v, n, w, w)
	denormalise(s.dx, g.attnNorm, s.dn, f.x, b.attnNorm, f.r1, n, w)
}

// unattend goes back through attention: from do to dq, dk and dv.
func (t *tape) unattend(f *frame, n int) {
	m, w, b := t.m, t.m.Width, &t.back
	size := w / m.Heads
	scale := float32(1 / math.Sqrt(float64(size)))
	clear(b.dq[:n*w])
	clear(b.dk[:n*w])
	clear(b.dv[:n*w])
	dp := make([]float32, n)
	for h := range m.Heads {
		at := h * size
		for i := range n {
			do := b.do[i*w+at : i*w+at+size]
			p := f.p[(h*m.Context+i)*m.Context:][:i+1]
			var mean float32
			for s, share := range p {
				dp[s] = dot(do, f.v[s*w+at:s*w+at+size])
				mean += share * dp[s]
				dv := b.dv[s*w+at : s*w+at+size]
				for j := range dv {
					dv[j] += share * do[j]
				}
			}
			q, dq := f.q[i*w+at:i*w+at+size], b.dq[i*w+at:i*w+at+size]
			for s, share := range p {
				ds := share * (dp[s] - mean) * scale
				k, dk := f.k[s*w+at:s*w+at+size], b.dk[s*w+at:s*w+at+size]
				for j := range dq {
					dq[j] += ds * k[j]
					dk[j] += ds * q[j]
				}
			}
		}
	}
}
