package main

import (
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/dashscope"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/ollama"
	"bailiwick/internal/provider/openai"
	"bailiwick/internal/provider/vllm"
)

// kinds are the sorts of providers that this program can speak to, each through
// the guard.
func kinds(c serving, fence *guard.Guard) (map[provider.Kind]provider.Open, error) {
	shared, err := vllm.ParseShared(c.SharedFolder)
	if err != nil {
		return nil, err
	}
	dial := fence.DialContext
	return map[provider.Kind]provider.Open{
		provider.Embedded:  embedded.Open,
		provider.OpenAI:    openai.Kind(dial),
		provider.DashScope: dashscope.Kind(dial),
		provider.Ollama:    ollama.Kind(dial),
		provider.VLLM:      vllm.Kind(dial, shared),
		provider.SGLang:    vllm.SGLang(dial, shared),
	}, nil
}
