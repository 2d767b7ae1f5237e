package llama

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ggufReader reads the head of a file. After the first error it reads nothing.
type ggufReader struct {
	data []byte
	at   int
	err  error
}

type tensorInfo struct {
	name     string
	size, at int
}

var errShort = errors.New("it ends too early")

func (r *ggufReader) take(n uint64) []byte {
	if r.err == nil && n > uint64(len(r.data)-r.at) {
		r.err = errShort
	}
	if r.err != nil {
		return nil
	}
	b := r.data[r.at : r.at+int(n)]
	r.at += int(n)
	return b
}

func (r *ggufReader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *ggufReader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *ggufReader) str() string { return string(r.take(r.u64())) }

// most bounds what a file may say that it has.
const most = 1 << 20

func (r *ggufReader) count() int {
	n := r.u64()
	if n > most && r.err == nil {
		r.err = fmt.Errorf("it says that it has %d of something", n)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *ggufReader) head() (values map[string]any, infos []tensorInfo) {
	if string(r.take(4)) != "GGUF" || r.u32() != 3 {
		r.err = errors.Join(r.err, errors.New("it does not begin as one"))
		return nil, nil
	}
	tensors, keys := r.count(), r.count()
	values = map[string]any{}
	for range keys {
		if r.err != nil {
			return nil, nil
		}
		key := r.str()
		values[key] = r.value(r.u32())
	}
	for range tensors {
		if r.err != nil {
			return nil, nil
		}
		t := tensorInfo{name: r.str(), size: 1}
		for range min(r.u32(), 4) {
			if n := r.count(); n == 0 || t.size > most*64/n {
				r.err = errors.Join(r.err, errors.New("a tensor has no size that can be"))
			} else {
				t.size *= n
			}
		}
		if kind := r.u32(); kind != 0 && r.err == nil {
			r.err = fmt.Errorf("tensor %s is not of 32-bit numbers", t.name)
		}
		if at := r.u64(); at <= uint64(len(r.data)) {
			t.at = int(at)
		} else {
			r.err = errors.Join(r.err, errShort)
		}
		infos = append(infos, t)
	}
	return values, infos
}

// value reads one value; of arrays only those of texts are kept.
func (r *ggufReader) value(kind uint32) any {
	switch kind {
	case ggufU32:
		return r.u32()
	case ggufI32, ggufF32:
		return r.take(4)
	case ggufBool:
		return r.take(1)
	case ggufString:
		return r.str()
	case ggufArray:
		of, n := r.u32(), r.count()
		if of == ggufI32 {
			return r.take(uint64(4 * n))
		}
		if of == ggufString {
			var list []string
			for range n {
				if r.err != nil {
					break
				}
				list = append(list, r.str())
			}
			return list
		}
	}
	if r.err == nil {
		r.err = fmt.Errorf("it has a value of kind %d", kind)
	}
	return nil
}
