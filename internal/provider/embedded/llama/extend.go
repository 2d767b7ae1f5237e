package llama

import "bailiwick/internal/provider/embedded/bpe"

// Extend gives a copy of a model that knows more tokens: those that extending its
// tokenizer on the dialogues brings. A new token begins as the mean of the two it
// is made of.
func Extend(m *Model, words *bpe.Tokenizer, dialogues []Dialogue, more int) (*Model, *bpe.Tokenizer, error) {
	var texts []string
	for _, d := range dialogues {
		for _, message := range d {
			texts = append(texts, message.Content)
		}
	}
	wider, err := words.Extend(texts, more)
	if err != nil {
		return nil, nil, err
	}
	shape := m.Shape
	shape.Vocab = wider.Size()
	grown, err := Empty(shape)
	if err != nil {
		return nil, nil, err
	}
	for i := range m.Tensors {
		copy(grown.Tensors[i].W, m.Tensors[i].W)
	}
	w := m.Width
	for id := m.Vocab; id < shape.Vocab; id++ {
		a, b, _ := wider.Parts(int32(id))
		for j := range w {
			grown.embed[id*w+j] = (grown.embed[int(a)*w+j] + grown.embed[int(b)*w+j]) / 2
		}
	}
	return grown, wider, nil
}
