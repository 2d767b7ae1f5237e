package llama

import (
	"bytes"
	"encoding/gob"
	"errors"
	"io"
)

// checkpoint is a trainer between two epochs.
type checkpoint struct {
	Model []byte // as a GGUF file
	Epoch int
	Step  int
	M, V  [][]float32 // what the optimizer remembers
}

// Save writes where the training stands, after a whole epoch.
func (t *Trainer) Save(w io.Writer) error {
	var file bytes.Buffer
	if err := WriteGGUF(&file, t.Model, t.Words, "checkpoint"); err != nil {
		return err
	}
	return gob.NewEncoder(w).Encode(checkpoint{file.Bytes(), t.epoch, t.adam.step, t.adam.m, t.adam.v})
}

var errOther = errors.New("the checkpoint is of another training")

// Resume goes on from a checkpoint, with the same data and options as before; it
// ends with the same model as a training that was never interrupted.
func Resume(r io.Reader, train, valid []Dialogue, o Options) (*Trainer, error) {
	var c checkpoint
	if err := gob.NewDecoder(r).Decode(&c); err != nil {
		return nil, err
	}
	m, words, err := ReadGGUF(c.Model)
	if err != nil {
		return nil, err
	}
	t := NewTrainer(m, words, train, valid, o)
	if len(c.M) != len(m.Tensors) || len(c.V) != len(m.Tensors) || c.Epoch < 0 || c.Epoch > t.Epochs || c.Step != c.Epoch*t.perEpoch() {
		return nil, errOther
	}
	for i, tensor := range m.Tensors {
		if len(c.M[i]) != len(tensor.W) || len(c.V[i]) != len(tensor.W) {
			return nil, errOther
		}
	}
	t.epoch, t.adam = c.Epoch, &adam{c.Step, c.M, c.V}
	return t, nil
}
