package llama

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"strings"

	"bailiwick/internal/provider/embedded/bpe"
)

// Config is what Hugging Face's config.json says of a model.
func Config(m *Model) map[string]any {
	return map[string]any{
		"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "torch_dtype": "float32", "tie_word_embeddings": true,
		"vocab_size": m.Vocab, "hidden_size": m.Width, "intermediate_size": m.Hidden, "num_hidden_layers": m.Layers,
		"num_attention_heads": m.Heads, "num_key_value_heads": m.Heads, "head_dim": m.Width / m.Heads, "max_position_embeddings": m.Context,
		"hidden_act": "silu", "rms_norm_eps": epsilon, "rope_theta": ropeBase, "attention_bias": false, "mlp_bias": false,
		"bos_token_id": bpe.EndOfText, "eos_token_id": bpe.End,
	}
}

// theirs are the names of a layer's tensors in Hugging Face's layout.
var theirs = map[string]string{
	"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
	"ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}

// nameThere gives a tensor's name in Hugging Face's layout.
func nameThere(name string) string {
	switch name {
	case "token_embd.weight":
		return "model.embed_tokens.weight"
	case "output_norm.weight":
		return "model.norm.weight"
	}
	part := strings.Split(name, ".") // blk, number, which, weight
	return "model.layers." + part[1] + "." + theirs[part[2]] + ".weight"
}

// WriteSafetensors writes the weights in Hugging Face's layout of Llama models,
// whose output is tied to the embedding.
func WriteSafetensors(w io.Writer, m *Model) error {
	type entry struct {
		Type    string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	head := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	var data bytes.Buffer
	for _, t := range m.Tensors {
		shape := []int{t.Rows, t.Cols}
		if t.Rows == 1 {
			shape = shape[1:]
		}
		from := data.Len()
		for row := range t.Rows {
			for _, v := range t.W[m.rowThere(t.Name, row)*t.Cols:][:t.Cols] {
				data.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
			}
		}
		head[nameThere(t.Name)] = entry{"F32", shape, [2]int{from, data.Len()}}
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	for _, part := range [][]byte{binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data.Bytes()} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// rowThere gives our row of what is their row: they turn halves of a head, where
// we turn pairs.
func (m *Model) rowThere(name string, row int) int {
	if !strings.HasSuffix(name, "attn_q.weight") && !strings.HasSuffix(name, "attn_k.weight") {
		return row
	}
	size := m.Width / m.Heads
	head, i := row/size*size, row%size
	if i < size/2 {
		return head + 2*i
	}
	return head + 2*(i-size/2) + 1
}
