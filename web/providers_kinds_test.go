package web_test

import (
	"context"
	"testing"

	"bailiwick/internal/provider"
)

// able stands in for a server that trains and puts models up.
type able struct{ *remote }

func (able) Abilities(context.Context) provider.Abilities {
	return provider.Abilities{Methods: map[provider.Method][]provider.Adapter{provider.SFT: {provider.LoRA, provider.Full}, provider.DPO: {provider.LoRA}}}
}

func (able) Check(context.Context, provider.TrainSpec) error { return nil }

func (able) Accepts() []string { return []string{"", provider.FormatGGUF, provider.FormatPEFT} }

// workshop is the company with two programs of its host.
func workshop(t *testing.T) *company {
	o := start(t)
	o.config.Providers.Programs = []string{"axolotl", "llama-factory"}
	abled := func(provider.Target) (provider.Server, error) { return able{o.remote}, nil }
	o.config.Providers.Kinds[provider.Command], o.config.Providers.Kinds[provider.Ollama] = abled, abled
	o.serve()
	return o
}

func TestAProgramOfTheHostIsChosenByItsNameAndByNoOther(t *testing.T) {
	o := workshop(t)
	o.get("root", "/account/providers/new").is(200).says("Program axolotl", "Program llama-factory", "Ollama").holds(`value="command:llama-factory"`)
	added := o.post("root", "/account/providers", "name", "Trainer", "kind", "command:llama-factory", "base_url", "").is(303)
	o.get("root", "/account/providers").is(200).says("Trainer", "Program llama-factory", "Trains SFT (LoRA, full), DPO (LoRA)").hides("command:llama-factory", "Answers calls")
	edit := added.header.Get("Location")[:len(added.header.Get("Location"))-len("import")] + "edit"
	page := o.get("root", edit).is(200).says("Program llama-factory").hides("Base URL", "Credential")
	o.post("root", edit, "name", "Renamed", "kind", "command:llama-factory", "version", page.field("version")).is(303)
	o.get("root", "/account/providers").says("Renamed", "Program llama-factory")
	for _, kind := range []string{"command:rm", "command:/bin/sh", "command:", "command", "command:llama-factory/../x"} {
		o.post("root", "/account/providers", "name", "x", "kind", kind, "base_url", "command:rm -rf").is(422).says("Choose one of the programs that the operator of this host declares.")
	}
	o.post("root", "/account/providers", "name", "x", "kind", "command:axolotl", "credential", "sk-canary").is(422).says("A program of this host is given no credential").hides("sk-canary")
	// The address decides nothing for other kinds.
	o.post("root", "/account/providers", "name", "x", "kind", "openai", "base_url", "command:llama-factory").is(422).says("http")
}

func TestTheListSaysWhatEachProviderCan(t *testing.T) {
	o := workshop(t)
	_, err := o.config.Providers.Add(t.Context(), o.root, provider.Form{Name: "Lab", Kind: provider.Ollama, BaseURL: upstream})
	o.must(err)
	o.provider(o.root, "vLLM")
	o.get("root", "/account/providers").is(200).says("Answers calls", "Trains SFT (LoRA, full), DPO (LoRA)", "Deploys models it has, GGUF files, PEFT adapters")
}
