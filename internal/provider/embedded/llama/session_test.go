package llama

import (
	"math"
	"testing"
)

func TestASessionSaysWhatThePassOverTheWholeTextSays(t *testing.T) {
	m, err := New(Shape{Vocab: 40, Width: 16, Layers: 2, Heads: 2, Hidden: 24, Context: 16}, 5)
	if err != nil {
		t.Fatal(err)
	}
	s := Sequence{IDs: []int32{3, 1, 4, 1, 5, 9, 2, 6}, Trained: []bool{true, true, true, true, true, true, true, true}}
	tape, text := newTape(m), NewSession(m)
	tape.forward(s)
	for i := range len(s.IDs) - 1 {
		text.Feed(s.IDs[i])
		p := append([]float32(nil), text.Logits...)
		softmax(p)
		for j, v := range p {
			if d := math.Abs(float64(v - tape.logits[i*m.Vocab+j])); d > 1e-5 {
				t.Fatalf("token %d after %d: %v and %v", j, i, v, tape.logits[i*m.Vocab+j])
			}
		}
	}
}
