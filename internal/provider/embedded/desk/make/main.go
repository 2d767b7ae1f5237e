// Command make trains the model that the built-in engine begins with, from the
// corpus beside it, and writes it to the file that is named. The same program
// makes the same file on the same kind of processor.
package main

import (
	"context"
	"fmt"
	"os"

	"bailiwick/internal/provider/embedded/bpe"
	"bailiwick/internal/provider/embedded/desk"
	"bailiwick/internal/provider/embedded/llama"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string) error {
	all := desk.Dialogues(1400, 1)
	train, valid := all[:1350], all[1350:]
	var texts []string
	for _, d := range train {
		for _, m := range d {
			texts = append(texts, m.Role+"\n", m.Content)
		}
	}
	bytes, err := bpe.New(nil)
	if err != nil {
		return err
	}
	words, err := bytes.Extend(texts, llama.Small.Vocab-bytes.Size())
	if err != nil {
		return err
	}
	shape := llama.Small
	shape.Vocab = words.Size()
	m, err := llama.New(shape, 1)
	if err != nil {
		return err
	}
	t := llama.NewTrainer(m, words, train, valid, llama.Options{Epochs: 4, Batch: 16, Rate: 3e-3, Seed: 1})
	for !t.Done() {
		if err := t.Next(context.Background(), func(s llama.Step) {
			if s.Step%20 == 0 {
				fmt.Printf("step %d of %d: loss %.3f\n", s.Step, s.Of, s.Loss)
			}
		}); err != nil {
			return err
		}
		score, err := t.Evaluate(context.Background())
		if err != nil {
			return err
		}
		fmt.Printf("epoch %d: loss %.3f, perplexity %.2f, %.3f bits per byte\n", t.Epoch(), score.Loss, score.Perplexity(), score.BitsPerByte)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := llama.WriteGGUF(f, m, words, desk.Name); err != nil {
		return err
	}
	return f.Close()
}
