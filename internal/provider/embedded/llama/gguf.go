package llama

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"bailiwick/internal/provider/embedded/bpe"
)

// The types of values in a GGUF file.
const (
	ggufU32    = 4
	ggufI32    = 5
	ggufF32    = 6
	ggufBool   = 7
	ggufString = 8
	ggufArray  = 9
	alignment  = 32
)

// ChatTemplate writes a dialogue as encode does.
const ChatTemplate = `{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`

// systemKey is our own: what a dialogue begins with that says nothing of the kind.
// Other engines read it from the chat template.
const systemKey = "bailiwick.system"

// chatTemplate is ChatTemplate, with what a dialogue without a system message begins with.
func chatTemplate(system string) string {
	if system == "" {
		return ChatTemplate
	}
	text := strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(system)
	return `{% if messages[0]['role'] != 'system' %}{{'<|im_start|>system' + '\n' + '` + text + `' + '<|im_end|>' + '\n'}}{% endif %}` + ChatTemplate
}

// WriteGGUF writes a model and its tokenizer as a GGUF file, version 3, which
// llama.cpp and Ollama load.
func WriteGGUF(w io.Writer, m *Model, words *bpe.Tokenizer, name string) error {
	var meta ggufMeta
	meta.text("general.architecture", "llama")
	meta.text("general.name", name)
	meta.u32("general.file_type", 0)
	for _, is := range []struct {
		key string
		n   int
	}{
		{"llama.vocab_size", m.Vocab}, {"llama.context_length", m.Context}, {"llama.embedding_length", m.Width}, {"llama.block_count", m.Layers},
		{"llama.feed_forward_length", m.Hidden}, {"llama.attention.head_count", m.Heads}, {"llama.attention.head_count_kv", m.Heads},
		{"llama.rope.dimension_count", m.Width / m.Heads},
	} {
		meta.u32(is.key, is.n)
	}
	meta.f32("llama.attention.layer_norm_rms_epsilon", epsilon)
	meta.f32("llama.rope.freq_base", ropeBase)
	meta.text("tokenizer.ggml.model", "gpt2")
	meta.text("tokenizer.ggml.pre", "gpt-2")
	meta.texts("tokenizer.ggml.tokens", words.Tokens())
	kinds := make([]int32, words.Size())
	for i := range kinds {
		if kinds[i] = 1; i < 3 {
			kinds[i] = 3
		}
	}
	meta.i32s("tokenizer.ggml.token_type", kinds)
	merges := make([]string, len(words.Merges()))
	for i, pair := range words.Merges() {
		merges[i] = pair[0] + " " + pair[1]
	}
	meta.texts("tokenizer.ggml.merges", merges)
	meta.u32("tokenizer.ggml.bos_token_id", bpe.EndOfText)
	meta.u32("tokenizer.ggml.eos_token_id", bpe.End)
	meta.bool("tokenizer.ggml.add_bos_token", false)
	meta.text("tokenizer.chat_template", chatTemplate(m.System))
	if m.System != "" {
		meta.text(systemKey, m.System)
	}
	return meta.write(w, m.Tensors)
}

// ggufMeta is the head of a file being made.
type ggufMeta struct {
	bytes.Buffer
	keys uint64
}

func (g *ggufMeta) put(v any) { binary.Write(g, binary.LittleEndian, v) }

func (g *ggufMeta) str(s string) {
	g.put(uint64(len(s)))
	g.WriteString(s)
}

func (g *ggufMeta) key(name string, kind uint32) {
	g.keys++
	g.str(name)
	g.put(kind)
}

func (g *ggufMeta) text(name, s string)        { g.key(name, ggufString); g.str(s) }
func (g *ggufMeta) u32(name string, n int)     { g.key(name, ggufU32); g.put(uint32(n)) }
func (g *ggufMeta) f32(name string, v float32) { g.key(name, ggufF32); g.put(v) }
func (g *ggufMeta) bool(name string, v bool)   { g.key(name, ggufBool); g.put(v) }
func (g *ggufMeta) array(name string, kind uint32, n int) {
	g.key(name, ggufArray)
	g.put(kind)
	g.put(uint64(n))
}

func (g *ggufMeta) texts(name string, list []string) {
	g.array(name, ggufString, len(list))
	for _, s := range list {
		g.str(s)
	}
}

func (g *ggufMeta) i32s(name string, list []int32) {
	g.array(name, ggufI32, len(list))
	g.put(list)
}

func padded(n int) int { return (n + alignment - 1) / alignment * alignment }

// write puts the head, the table of tensors and their data into a file.
func (g *ggufMeta) write(w io.Writer, tensors []Tensor) error {
	var head ggufMeta
	head.WriteString("GGUF")
	head.put(uint32(3))
	head.put(uint64(len(tensors)))
	head.put(g.keys)
	head.Write(g.Bytes())
	at := 0
	for _, t := range tensors {
		head.str(t.Name)
		if t.Rows == 1 {
			head.put(uint32(1))
			head.put(uint64(t.Cols))
		} else {
			head.put(uint32(2))
			head.put([]uint64{uint64(t.Cols), uint64(t.Rows)})
		}
		head.put(uint32(0)) // F32
		head.put(uint64(at))
		at += padded(4 * len(t.W))
	}
	head.Write(make([]byte, padded(head.Len())-head.Len()))
	if _, err := w.Write(head.Bytes()); err != nil {
		return err
	}
	for _, t := range tensors {
		data := make([]byte, 0, padded(4*len(t.W)))
		for _, v := range t.W {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		if _, err := w.Write(data[:cap(data)]); err != nil {
			return err
		}
	}
	return nil
}

// ReadGGUF reads a file that WriteGGUF wrote; one that is damaged, or of another
// architecture, is an error.
func ReadGGUF(data []byte) (*Model, *bpe.Tokenizer, error) {
	r := &ggufReader{data: data}
	values, infos := r.head()
	if r.err != nil {
		return nil, nil, fmt.Errorf("not a GGUF file of ours: %w", r.err)
	}
	num := func(key string) int { n, _ := values[key].(uint32); return int(n) }
	shape := Shape{
		Vocab: num("llama.vocab_size"), Width: num("llama.embedding_length"), Layers: num("llama.block_count"),
		Heads: num("llama.attention.head_count"), Hidden: num("llama.feed_forward_length"), Context: num("llama.context_length"),
	}
	spelt, _ := values["tokenizer.ggml.merges"].([]string)
	merges := make([]bpe.Merge, len(spelt))
	for i, s := range spelt {
		a, b, _ := strings.Cut(s, " ")
		merges[i] = bpe.Merge{a, b}
	}
	words, err := bpe.New(merges)
	if err != nil {
		return nil, nil, err
	}
	if words.Size() != shape.Vocab {
		return nil, nil, fmt.Errorf("a tokenizer of %d tokens and a model of %d", words.Size(), shape.Vocab)
	}
	if need := shape.Vocab * shape.Width * 4; need > len(data) {
		return nil, nil, fmt.Errorf("the file is shorter than a model of its shape")
	}
	m, err := Empty(shape)
	if err != nil {
		return nil, nil, err
	}
	m.System, _ = values[systemKey].(string)
	start := padded(r.at)
	for i, t := range m.Tensors {
		if i >= len(infos) || infos[i].name != t.Name || infos[i].size != len(t.W) {
			return nil, nil, fmt.Errorf("the file has no tensor %s of %d", t.Name, len(t.W))
		}
		from := start + infos[i].at
		if from < start || from+4*len(t.W) > len(data) {
			return nil, nil, fmt.Errorf("the file ends within %s", t.Name)
		}
		for j := range t.W {
			t.W[j] = math.Float32frombits(binary.LittleEndian.Uint32(data[from+4*j:]))
		}
	}
	return m, words, nil
}
