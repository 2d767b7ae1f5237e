package main

import (
	"fmt"
	"path/filepath"

	"bailiwick/internal/provider"
	trainer "bailiwick/internal/provider/command"
	"bailiwick/internal/provider/dashscope"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/ollama"
	"bailiwick/internal/provider/openai"
	"bailiwick/internal/provider/vllm"
)

// kinds are the sorts of providers that this program can speak to, each through
// the guard.
//
// It also names the programs of this host that train.
func kinds(c serving, fence *guard.Guard) (_ map[provider.Kind]provider.Open, programs []string, err error) {
	shared, err := vllm.ParseShared(c.SharedFolder)
	if err != nil {
		return nil, nil, err
	}
	trainers, err := trainer.Load(c.Trainers)
	if err != nil {
		return nil, nil, fmt.Errorf("--trainers: %w", err)
	}
	dial := fence.DialContext
	return map[provider.Kind]provider.Open{
		provider.Command:   trainer.Kind(trainers),
		provider.Embedded:  embedded.Kind(filepath.Join(c.Data, "engine")),
		provider.OpenAI:    openai.Kind(dial),
		provider.DashScope: dashscope.Kind(dial),
		provider.Ollama:    ollama.Kind(dial),
		provider.VLLM:      vllm.Kind(dial, shared),
		provider.SGLang:    vllm.SGLang(dial, shared),
	}, trainers.Names(), nil
}
