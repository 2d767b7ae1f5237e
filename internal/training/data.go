package training

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
)

// A job learns from copies of its files below its folder, so that it is gone on
// with from the same examples whatever becomes of the datasets.
const (
	dataFolder = "data"
	trainFile  = "data/train.jsonl"
	validFile  = "data/valid.jsonl"
	readyFile  = "data/ready.json" // there once both are whole
)

// validMost is how many examples are set aside to measure by at most.
const validMost = 1000

// ready says what was copied.
type ready struct{ Train, Valid copied }

type copied struct {
	SHA256   string
	Size     int64
	Examples int
	Tokens   int64
}

func (c copied) data(root *os.Root, name string) provider.Data {
	if c.Examples == 0 {
		return provider.Data{}
	}
	return provider.Data{SHA256: c.SHA256, Size: c.Size, Examples: c.Examples, Tokens: c.Tokens, Open: func() (io.ReadSeekCloser, error) { return root.Open(name) }}
}

// prepare copies the files of a job into its folder, or finds that it was done,
// and opens them in the spec.
func (s *Service) prepare(ctx context.Context, root *os.Root, j *Job, spec *provider.TrainSpec) error {
	var r ready
	text, err := root.ReadFile(readyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if r, err = s.copy(ctx, root, j); err != nil {
			return err
		}
		if text, err = json.Marshal(r); err != nil {
			return err
		}
		err = root.WriteFile(readyFile+".new", text, 0o600)
		if err == nil {
			err = root.Rename(readyFile+".new", readyFile)
		}
	} else if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return err
	}
	spec.Train, spec.Valid = r.Train.data(root, trainFile), r.Valid.data(root, validFile)
	return nil
}

// copy writes what is learnt from and what is measured by.
func (s *Service) copy(ctx context.Context, root *os.Root, j *Job) (r ready, err error) {
	if err := root.MkdirAll(dataFolder, 0o700); err != nil {
		return r, err
	}
	train, err := newOut(root, trainFile)
	if err != nil {
		return r, err
	}
	defer train.Close()
	valid, err := newOut(root, validFile)
	if err != nil {
		return r, err
	}
	defer valid.Close()
	aside := j.aside()
	n := 0
	err = s.lines(ctx, j, j.Train, func(line []byte) error {
		to := train
		if aside[n] {
			to = valid
		}
		n++
		return to.write(line)
	})
	if err == nil {
		err = s.lines(ctx, j, j.Valid, valid.write)
	}
	if err == nil {
		err = errors.Join(train.end(), valid.end())
	}
	tokens := int64(0)
	for _, f := range j.Train {
		tokens += f.Tokens
	}
	if total := train.data.Examples + valid.data.Examples; len(j.Valid) == 0 && total > 0 {
		valid.data.Tokens = tokens * int64(valid.data.Examples) / int64(total)
		tokens -= valid.data.Tokens
	}
	train.data.Tokens = tokens
	return ready{train.data, valid.data}, err
}

// aside draws which examples are measured by where there is no validation set:
// always the same ones for the same seed.
func (j *Job) aside() map[int]bool {
	total := 0
	for _, f := range j.Train {
		total += f.Examples
	}
	if len(j.Valid) > 0 || j.Split >= 100 || total < 2 {
		return nil
	}
	want := min(total-(total*j.Split+50)/100, validMost, total-1)
	drawn := map[int]bool{}
	for _, i := range rand.New(rand.NewPCG(uint64(j.Hyper.Seed), 7)).Perm(total)[:want] {
		drawn[i] = true
	}
	return drawn
}

// lines goes through the examples of files.
func (s *Service) lines(ctx context.Context, j *Job, files []Source, do func([]byte) error) error {
	for _, f := range files {
		_, v, err := s.Data.Source(ctx, j.Workspace, f.File)
		if err != nil {
			return err
		}
		if v.SHA256 != f.SHA256 {
			return fault.New(fault.Conflict, "The file %s is not the one the training was asked for with.", f.Name)
		}
		in, err := s.Data.Open(v)
		if err != nil {
			return err
		}
		err = eachLine(ctx, in, do)
		if err := errors.Join(err, in.Close()); err != nil {
			return err
		}
	}
	return nil
}

func eachLine(ctx context.Context, in io.Reader, do func([]byte) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), 4<<20)
	for lines.Scan() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
			if err := do(line); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}

// out is a file being written, which is in its place once it is whole.
type out struct {
	root *os.Root
	name string
	file *os.File
	buf  *bufio.Writer
	sum  interface{ Sum([]byte) []byte }
	data copied
}

func newOut(root *os.Root, name string) (*out, error) {
	f, err := root.OpenFile(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	return &out{root: root, name: name, file: f, buf: bufio.NewWriter(io.MultiWriter(f, sum)), sum: sum}, nil
}

func (o *out) write(line []byte) error {
	o.data.Examples++
	o.data.Size += int64(len(line)) + 1
	_, err := o.buf.Write(append(line, '\n'))
	return err
}

func (o *out) end() error {
	if err := errors.Join(o.buf.Flush(), o.file.Sync()); err != nil {
		return err
	}
	o.data.SHA256 = hex.EncodeToString(o.sum.Sum(nil))
	return o.root.Rename(path.Clean(o.name+".new"), o.name)
}

func (o *out) Close() error { return o.file.Close() }
