package llama

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Session is one text being written. It remembers keys and values of what came
// before, so that each token costs the same.
type Session struct {
	m      *Model
	pos    int
	k, v   [][]float32 // by layer: a row a position
	buf    [9][]float32
	p      []float32
	Logits []float32 // what may come next, after Feed
}

// NewSession begins a text.
func NewSession(m *Model) *Session {
	s := &Session{m: m, p: make([]float32, m.Context), Logits: make([]float32, m.Vocab)}
	for range m.Layers {
		s.k, s.v = append(s.k, make([]float32, m.Context*m.Width)), append(s.v, make([]float32, m.Context*m.Width))
	}
	for i := range s.buf {
		s.buf[i] = make([]float32, max(m.Width, m.Hidden))
	}
	return s
}

// Full reports whether the context has no room for another token.
func (s *Session) Full() bool { return s.pos >= s.m.Context }

// Feed adds a token to the text and works out what may come next.
func (s *Session) Feed(id int32) {
	m, w, hidden := s.m, s.m.Width, s.m.Hidden
	x, n, q, o, y, gate, up := s.buf[0][:w], s.buf[1][:w], s.buf[2][:w], s.buf[3][:w], s.buf[4][:w], s.buf[5][:hidden], s.buf[6][:hidden]
	scale := s.buf[7][:1]
	copy(x, m.embed[int(id)*w:(int(id)+1)*w])
	for l, b := range m.layers {
		k, v := s.k[l][s.pos*w:(s.pos+1)*w], s.v[l][s.pos*w:(s.pos+1)*w]
		normalise(n, x, b.attnNorm, scale, 1, w)
		product(q, n, b.q, 1, w, w)
		product(k, n, b.k, 1, w, w)
		product(v, n, b.v, 1, w, w)
		m.rotate(q, 1, s.pos, 1)
		m.rotate(k, 1, s.pos, 1)
		s.attend(o, q, s.k[l], s.v[l])
		product(y, o, b.out, 1, w, w)
		add(x, y)
		normalise(n, x, b.ffnNorm, scale, 1, w)
		product(gate, n, b.gate, 1, w, hidden)
		product(up, n, b.up, 1, w, hidden)
		for i, a := range gate {
			gate[i] = a * sigmoid(a) * up[i]
		}
		product(y, gate, b.down, 1, hidden, w)
		add(x, y)
	}
	normalise(n, x, m.norm, scale, 1, w)
	product(s.Logits, n, m.embed, 1, w, m.Vocab)
	s.pos++
}

func (s *Session) attend(o, q, k, v []float32) {
	w := s.m.Width
	size := w / s.m.Heads
	scale := float32(1 / math.Sqrt(float64(size)))
	clear(o)
	for at := 0; at < w; at += size {
		p := s.p[:s.pos+1]
		for i := range p {
			p[i] = dot(q[at:at+size], k[i*w+at:i*w+at+size]) * scale
		}
		softmax(p)
		for i, share := range p {
			for j := range size {
				o[at+j] += share * v[i*w+at+j]
			}
		}
	}
}

// Sampling is how the next token is chosen.
type Sampling struct {
	Temperature float64 // 0: always the likeliest
	TopP        float64 // only the likeliest that have this share together; 0: all
	Chance      *rand.Rand
}

// Pick chooses the next token, and says how likely the model thought it.
func (s *Session) Pick(how Sampling) (id int32, likely float64) {
	p := slices.Clone(s.Logits)
	softmax(p)
	best := 0
	for i, v := range p {
		if v > p[best] {
			best = i
		}
	}
	if how.Temperature <= 0 || how.Chance == nil {
		return int32(best), float64(p[best])
	}
	hot := make([]float32, len(p))
	for i, v := range s.Logits {
		hot[i] = v / float32(how.Temperature)
	}
	softmax(hot)
	chosen := draw(hot, how)
	return int32(chosen), float64(p[chosen])
}

// draw picks one by its share, among the likeliest.
func draw(p []float32, how Sampling) int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(p[b], p[a]), cmp.Compare(a, b)) })
	top, sum := float32(how.TopP), float32(0)
	n := 0
	for n < len(order) && (n == 0 || top <= 0 || sum < top) {
		sum += p[order[n]]
		n++
	}
	at := float32(how.Chance.Float64()) * sum
	for _, i := range order[:n] {
		if at -= p[i]; at < 0 {
			return i
		}
	}
	return order[0]
}
