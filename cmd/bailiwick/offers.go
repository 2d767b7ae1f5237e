package main

import (
	"context"
	"net"
	"os"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/web"
)

// localOllama is where a local Ollama listens unless told otherwise.
const localOllama = "127.0.0.1:11434"

// offers looks for providers that are at hand: credentials in the environment,
// and an Ollama on this machine. The account owner may accept or dismiss them.
func (p *Program) offers() func(ident.Account) []web.Offer {
	var found []web.Offer
	for _, known := range []struct{ id, name, variable, base string }{
		{"dashscope", "DashScope", "DASHSCOPE_API_KEY", "https://dashscope.aliyuncs.com/compatible-mode/v1"},
		{"openai", "OpenAI", "OPENAI_API_KEY", "https://api.openai.com/v1"},
	} {
		if key := os.Getenv(known.variable); key != "" {
			found = append(found, web.Offer{ID: known.id, Text: known.variable + " is set in the environment",
				Form: provider.Form{Name: known.name, Kind: provider.OpenAI, BaseURL: known.base, Credential: secret.NewText(key)}})
		}
	}
	if answers(localOllama) {
		found = append(found, web.Offer{ID: "ollama", Text: "Answers at " + localOllama,
			Form: provider.Form{Name: "Ollama on this machine", Kind: provider.Ollama, BaseURL: "http://" + localOllama + "/v1"}})
	}
	return func(account ident.Account) []web.Offer {
		there, err := p.store.Providers(context.Background(), account)
		if err != nil {
			return nil // the page shows the error of its own list
		}
		var open []web.Offer
		for _, o := range found {
			if !configured(there, o.Form.BaseURL) {
				open = append(open, o)
			}
		}
		return open
	}
}

func configured(there []provider.Listed, base string) bool {
	for _, p := range there {
		if p.BaseURL == base {
			return true
		}
	}
	return false
}

// answers reports whether something listens at an address of this machine.
func answers(address string) bool {
	c, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
