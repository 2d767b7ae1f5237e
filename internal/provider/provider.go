// Package provider is about the configured places where models run, and the
// interface every kind of them answers to. One folder per kind lies below.
package provider

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Kind is what protocol a provider speaks.
type Kind string

// The kinds. OpenAI is anything that speaks the OpenAI protocol: vLLM, Ollama,
// llama.cpp, SGLang, OpenAI itself, the compatible mode of DashScope. Ollama, VLLM
// and SGLang speak it too, and are kinds of their own for what they can beside it.
const (
	Embedded  Kind = "embedded"
	OpenAI    Kind = "openai"
	DashScope Kind = "dashscope" // DashScope's native protocol
	Ollama    Kind = "ollama"
	VLLM      Kind = "vllm"
	SGLang    Kind = "sglang"
	Command   Kind = "command" // a program of this host that trains
)

// CommandScheme begins the address of a provider of kind Command; the program's
// name follows.
const CommandScheme = "command:"

// Provider is a configured place where models run.
type Provider struct {
	ID        ident.Provider
	Account   ident.Account
	Name      string
	Kind      Kind
	BaseURL   string // canonical, without a slash at its end; empty for Embedded; "command:NAME" for Command
	Sealed    []byte // the credential as secret.Sealer seals it for Place; nil: none
	CreatedAt time.Time
	TestedAt  time.Time // zero: never tested since the last change
	TestError string    // what the last test said; empty: it answered
	Version   int64
}

// Place is what a provider's sealed credential is bound to: its row, its account
// and its address, so that it can be opened for nothing else.
func (p Provider) Place() string {
	return "provider|" + string(p.Account) + "|" + string(p.ID) + "|" + p.BaseURL
}

// Serving says that a provider serves a model of the catalogue, and under what name there.
type Serving struct {
	Provider ident.Provider
	Model    ident.Model
	Name     string // at the provider
	Order    int    // 1–9: places of the least order are tried first
	Weight   int    // 1–100: the share of the calls among places of one order
}

// The bounds of order and weight; 0 stands for the least order and for weight 1.
const (
	OrderMax  = 9
	WeightMax = 100
)

// Listed is a provider as lists show it.
type Listed struct {
	Provider
	Serves int // models
}

// Target is a provider ready to be spoken to.
type Target struct {
	BaseURL    string
	Credential secret.Text
}

// Open makes the server of one kind for a target. It is called once per
// provider and version, and the server is used by many calls at once.
type Open func(Target) (Server, error)

// Server is a place where models run, as the gateway sees it. Its language is
// the OpenAI protocol: kinds that speak another one translate.
type Server interface {
	// Call sends one request and returns the answer as it begins; the caller
	// closes its body. An answer of any status is no error; an error means that
	// there was none, as a fault of kind Unavailable whose message is safe to show.
	Call(ctx context.Context, r Request) (*Answer, error)
	// Has reports whether it offers a path, as far as is known: one that it was
	// found not to have is asked again after a while.
	Has(path string) bool
	// Models lists the names of the models it says it has.
	Models(ctx context.Context) ([]string, error)
}

// Caching is a server that may know the mark cache_control in the parts of a
// content, which says that what was said up to there is worth keeping in a cache.
// Others are not sent it: some refuse what they do not know.
type Caching interface{ Caches() bool }

// Request is one call to a provider.
type Request struct {
	Path   string // below the base URL, such as "chat/completions"
	Body   []byte // JSON in the OpenAI protocol; model is the name at the provider. Nobody looks at it once the answer's body is closed
	Stream bool   // the answer is server-sent events
	Call   ident.Call
}

// Answer is what a provider answers: JSON, or server-sent events that end with
// "data: [DONE]".
type Answer struct {
	Status int
	Header http.Header
	Length int64 // of the body, in bytes; -1: not said
	Body   io.ReadCloser
	// LeftOut names members of the request that the provider's protocol has no word
	// for and that change no answer.
	LeftOut []string
}

// Why a provider did not answer, as the cause of the fault that Call returns.
var (
	// ErrUnreached means that nothing of the call was sent: another provider may be asked.
	ErrUnreached = errors.New("the provider was not reached")
	// ErrSlow means that the answer did not begin in time.
	ErrSlow = errors.New("the provider did not answer in time")
)
