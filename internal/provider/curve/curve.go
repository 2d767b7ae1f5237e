// Package curve reads what trainers write while they train: lines that tell of a
// step, as JSON, as Python prints a dictionary, or in words.
package curve

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"bailiwick/internal/provider"
)

// Step is what a line tells of one step.
type Step struct {
	Step, Steps int64 // of how many; 0: it does not say
	Epoch       float64
	Points      []provider.Point
}

// names are what values are called: ours, and those of Hugging Face's trainer,
// LLaMA-Factory, OpenAI and DashScope.
var names = map[string]string{
	"step": "step", "steps": "step", "current_steps": "step", "global_step": "step", "total_steps": "steps", "max_steps": "steps", "epoch": "epoch",
	"loss": "train_loss", "train_loss": "train_loss", "training_loss": "train_loss",
	"eval_loss": "valid_loss", "valid_loss": "valid_loss", "validation_loss": "valid_loss",
	"eval_accuracy": "valid_accuracy", "eval_token_acc": "valid_accuracy", "valid_accuracy": "valid_accuracy", "valid_mean_token_accuracy": "valid_accuracy", "validation_token_accuracy": "valid_accuracy",
	"lr": "learning_rate", "learning_rate": "learning_rate",
}

// order is the one in which points are told.
var order = []string{"train_loss", "valid_loss", "valid_accuracy", "learning_rate"}

// Read finds a step in a line; false: it tells of none.
func Read(line string) (Step, bool) {
	if from, to := strings.IndexByte(line, '{'), strings.LastIndexByte(line, '}'); from >= 0 && to > from {
		text := line[from : to+1]
		var values map[string]any
		if json.Unmarshal([]byte(text), &values) != nil {
			_ = json.Unmarshal([]byte(strings.ReplaceAll(text, "'", `"`)), &values) // else there are none
		}
		if s, ok := Of(values); ok {
			return s, true
		}
	}
	return words(line)
}

// Of finds a step in named values. A name that ours has twice counts once, and a
// value that is no number not at all.
func Of(values map[string]any) (s Step, ok bool) {
	found := map[string]float64{}
	if _, sum := values["train_runtime"]; sum { // of the whole training, and of no step
		return s, false
	}
	for name, v := range values {
		if is, known := names[strings.ToLower(name)]; known {
			if x, ok := number(v); ok {
				found[is] = x
			}
		}
	}
	return step(found)
}

func step(found map[string]float64) (s Step, ok bool) {
	at, ok := found["step"]
	if !ok || at < 0 || at > 1<<53 {
		return s, false
	}
	s = Step{Step: int64(at), Steps: int64(found["steps"]), Epoch: found["epoch"]}
	for _, name := range order {
		if x, ok := found[name]; ok {
			s.Points = append(s.Points, provider.Point{Step: s.Step, Name: name, Value: x})
		}
	}
	return s, true
}

// number reads what may be a number, also one that is written as text.
func number(v any) (x float64, ok bool) {
	switch v := v.(type) {
	case float64:
		x = v
	case string:
		var err error
		if x, err = strconv.ParseFloat(v, 64); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	return x, !math.IsNaN(x) && !math.IsInf(x, 0)
}

// The patterns are made when a line is first read: most servers read none.
var (
	pair = pattern(`(?i)\b([a-z][a-z_]*)\s*[:= ]\s*([-+]?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?)(?:\s*/\s*([0-9]+)|\s*(%))?`)
	of   = pattern(`(?i)\bstep\s*[:= ]\s*[0-9]+\s+of\s+([0-9]+)`)
)

func pattern(s string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(s) })
}

// words reads "step 12/120 loss 1.25" and the like: a step, and one value at least.
func words(line string) (Step, bool) {
	line = strings.NewReplacer("training loss", "train_loss", "validation loss", "valid_loss", "Training loss", "train_loss", "Validation loss", "valid_loss", "learning rate", "learning_rate", "token accuracy", "validation_token_accuracy").Replace(line)
	found := map[string]float64{}
	for _, m := range pair().FindAllStringSubmatch(line, -1) {
		is, known := names[strings.ToLower(m[1])]
		x, err := strconv.ParseFloat(m[2], 64)
		if !known || err != nil {
			continue
		}
		if m[4] != "" {
			x /= 100
		}
		if found[is] = x; m[3] != "" && is == "step" {
			found["steps"], _ = strconv.ParseFloat(m[3], 64)
		}
	}
	if m := of().FindStringSubmatch(line); m != nil {
		found["steps"], _ = strconv.ParseFloat(m[1], 64)
	}
	s, ok := step(found)
	return s, ok && len(s.Points) > 0
}
