package command

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
)

// Kind opens the programs of this host as providers.
func Kind(programs Programs) provider.Open {
	return func(t provider.Target) (provider.Server, error) {
		p := programs[strings.TrimPrefix(t.BaseURL, provider.CommandScheme)]
		if p == nil {
			return nil, fault.New(fault.Unavailable, "The operator of this host does not declare this program any more.")
		}
		return &Server{Program: p, Poll: time.Second, Grace: 15 * time.Second}, nil
	}
}

// Server implements provider.Server and provider.LocalTrainer.
type Server struct {
	*Program
	Poll  time.Duration // between two looks at what a program does
	Grace time.Duration // for a program to end by itself when it is told to
}

// Call implements provider.Server: programs that train answer no calls.
func (s *Server) Call(context.Context, provider.Request) (*provider.Answer, error) {
	return nil, fault.New(fault.Unavailable, "This provider trains models and answers no calls.").Because(provider.ErrUnreached)
}

// Has implements provider.Server.
func (s *Server) Has(string) bool { return false }

// Models implements provider.Server.
func (s *Server) Models(context.Context) (names []string, err error) {
	for name := range s.Program.Models {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// Abilities implements provider.Trainer.
func (s *Server) Abilities(context.Context) provider.Abilities {
	if s.Profile == "llamafactory" {
		return provider.Abilities{
			Methods: s.Methods, Continue: true, Checkpoints: true, Formats: []string{provider.FormatPEFT, provider.FormatSafetensors},
			Usual: provider.Hyper{Epochs: usualEpochs, BatchSize: usualBatch, LearningRate: loraRate, MaxLength: usualLength, Rank: usualRank},
		}
	}
	return provider.Abilities{Methods: s.Methods, Continue: s.takes("{from}"), Formats: []string{s.Format}}
}

// takes reports whether an argument has something filled in.
func (s *Server) takes(what string) bool {
	return slices.ContainsFunc(s.Argv, func(arg string) bool { return strings.Contains(arg, what) })
}

// Check implements provider.Trainer.
func (s *Server) Check(ctx context.Context, t provider.TrainSpec) error {
	switch can := s.Abilities(ctx); {
	case s.Program.Models[t.Base] == "":
		return fault.Field("model", "The program has no base model of the name %s.", t.Base)
	case !can.Can(t.Method, t.Adapter):
		return fault.Field("method", "This program does not train so.")
	case t.From != nil && (!can.Continue || t.From.Folder == "" || t.From.Format != provider.FormatPEFT || t.Adapter != provider.LoRA):
		return fault.Field("model", "This program goes on from adapters that lie on this host only, and as adapters.")
	}
	for name, value := range t.Hyper.Others {
		if s.Profile != "llamafactory" || !known(name, value) {
			return fault.Field("hyper_parameters", "The program takes no such value of %.40q.", name)
		}
	}
	return nil
}

// words that a parameter of LLaMA-Factory can have; others are numbers.
var words = map[string][]string{
	"lr_scheduler_type": {"linear", "polynomial", "cosine", "cosine_with_restarts", "constant", "constant_with_warmup", "inverse_sqrt", "reduce_lr_on_plateau"},
	"save_strategy":     {"epoch", "steps"},
}

// numbers are the parameters that callers may set, and their bounds.
var numbers = map[string][2]float64{
	"warmup_ratio": {0, 1}, "weight_decay": {0, 1}, "eval_steps": {1, 1e6}, "logging_steps": {1, 1e4}, "save_steps": {1, 1e6}, "save_total_limit": {1, 100},
	"lora_alpha": {1, 4096}, "lora_dropout": {0, 1},
}

// known reports whether a parameter is one that callers may set so. What is not
// listed could name files, or other programs.
func known(name string, value json.RawMessage) bool {
	if list, ok := words[name]; ok {
		var word string
		return json.Unmarshal(value, &word) == nil && slices.Contains(list, word)
	}
	bounds, ok := numbers[name]
	var x float64
	return ok && json.Unmarshal(value, &x) == nil && x >= bounds[0] && x <= bounds[1]
}
