package llama_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"testing"

	"bailiwick/internal/provider/embedded/llama"
	"bailiwick/internal/provider/embedded/sample"
)

func TestATrainingThatWasInterruptedEndsWithTheSameModel(t *testing.T) {
	o := llama.Options{Epochs: 3, Drop: 0.35, Seed: 3}
	whole := tuned(t, o)
	b := loaded(t)
	train, valid := sample.Taught()[:40], sample.Kept()[:10]
	trainer, err := llama.Tune(b.Model, b.Words, train, valid, o)
	must(t, err)
	for !trainer.Done() {
		must(t, trainer.Next(t.Context(), func(llama.Step) {}))
		var kept bytes.Buffer
		must(t, trainer.Save(&kept))
		data := kept.Bytes()
		trainer, err = llama.Resume(bytes.NewReader(data), train, valid, o)
		must(t, err)
		if _, err := llama.Resume(bytes.NewReader(data), train[:8], valid, o); err == nil {
			t.Error("it went on with other data")
		}
		if _, err := llama.Resume(bytes.NewReader(data[:len(data)/2]), train, valid, o); err == nil {
			t.Error("it went on from half a checkpoint")
		}
	}
	if sum(trainer.Model) != sum(whole.Model) {
		t.Error("the models differ")
	}
}

func TestSafetensorsHaveHuggingFacesLayout(t *testing.T) {
	b := loaded(t)
	var file bytes.Buffer
	must(t, llama.WriteSafetensors(&file, b.Model))
	data := file.Bytes()
	size := binary.LittleEndian.Uint64(data)
	var head map[string]struct {
		Dtype   string
		Shape   []int
		Offsets [2]int `json:"data_offsets"`
	}
	must(t, json.Unmarshal(data[8:8+size], &head))
	var raw map[string]json.RawMessage
	must(t, json.Unmarshal(data[8:8+size], &raw))
	if len(raw) != 21 || size%8 != 0 || len(data) != 8+int(size)+4*b.Parameters() {
		t.Errorf("%d entries, %d bytes", len(raw), len(data))
	}
	q := head["model.layers.1.self_attn.q_proj.weight"]
	if q.Dtype != "F32" || len(q.Shape) != 2 || q.Shape[0] != 64 || q.Offsets[1]-q.Offsets[0] != 4*64*64 {
		t.Errorf("%+v", q)
	}
	// Their row 1 of a head is our row 2.
	row := func(from int) []byte { return data[8+int(size)+from:][:4*64] }
	var ours bytes.Buffer
	for _, tensor := range b.Tensors {
		if tensor.Name == "blk.1.attn_q.weight" {
			binary.Write(&ours, binary.LittleEndian, tensor.W[2*64:3*64])
		}
	}
	if !bytes.Equal(row(q.Offsets[0]+4*64), ours.Bytes()) {
		t.Error("the rows of q are not in the order of halves")
	}
}
