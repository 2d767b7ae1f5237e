package workshop

import (
	"encoding/json"
	"math"
	"strconv"

	"bailiwick/internal/fault"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/provider"
	"bailiwick/internal/training"
)

// kinds are the native words for what is taught and how much of a model changes.
var kinds = map[string]struct {
	method  provider.Method
	adapter provider.Adapter
}{
	"":    {provider.SFT, ""}, // as the engine can best
	"sft": {provider.SFT, provider.Full}, "efficient_sft": {provider.SFT, provider.LoRA}, "cpt": {provider.CPT, provider.Full},
	"dpo_full": {provider.DPO, provider.Full}, "dpo_lora": {provider.DPO, provider.LoRA},
}

// kindOf is the native word for what a job does.
func kindOf(j training.Job) string {
	switch {
	case j.Method == provider.CPT:
		return "cpt"
	case j.Method == provider.DPO && j.Adapter == provider.LoRA:
		return "dpo_lora"
	case j.Method == provider.DPO:
		return "dpo_full"
	case j.Adapter == provider.LoRA:
		return "efficient_sft"
	}
	return "sft"
}

// readHyper reads parameters in the native words; those that only an engine may
// know are left to it. The second number is how many of a hundred examples are
// learnt from; 0: nothing was said.
func readHyper(raw map[string]json.RawMessage) (h provider.Hyper, split int, err error) {
	whole := func(name string, to *int) {
		if text, ok := raw[name]; ok && err == nil {
			n := 0.0
			if n, err = numberOf(name, text); err == nil {
				if *to = int(n); n != math.Trunc(n) || n < 1 || n > 1<<31 {
					err = fault.Field(name, "%s is a whole number from 1 on.", name)
				}
			}
			delete(raw, name)
		}
	}
	whole("n_epochs", &h.Epochs)
	whole("batch_size", &h.BatchSize)
	whole("max_length", &h.MaxLength)
	whole("lora_rank", &h.Rank)
	if text, ok := raw["learning_rate"]; ok && err == nil {
		if h.LearningRate, err = numberOf("learning_rate", text); err == nil && h.LearningRate <= 0 {
			err = fault.Field("learning_rate", "The learning rate is greater than 0, such as \"1.6e-5\".")
		}
		delete(raw, "learning_rate")
	}
	if text, ok := raw["seed"]; ok && err == nil {
		n := 0.0
		n, err = numberOf("seed", text)
		h.Seed = int64(n)
		delete(raw, "seed")
	}
	if text, ok := raw["split"]; ok && err == nil {
		share := 0.0
		if share, err = numberOf("split", text); err == nil && (share <= 0 || share > 1) {
			err = fault.Field("split", "The split is the share of examples that are learnt from, such as 0.8.")
		}
		split = int(math.Round(100 * share))
		delete(raw, "split")
	}
	if len(raw) > 0 {
		h.Others = raw
	}
	return h, split, err
}

// numberOf reads a number, which may be written as a text: the original wants
// the learning rate so.
func numberOf(name string, raw json.RawMessage) (float64, error) {
	text := string(raw)
	if len(text) > 1 && text[0] == '"' {
		if json.Unmarshal(raw, &text) != nil {
			text = ""
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return 0, fault.Field(name, "%s is no number.", name)
	}
	return n, nil
}

// hyperOf tells parameters in the native words.
func hyperOf(j training.Job) object {
	h := object{}
	for name, raw := range j.Hyper.Others {
		h[name] = raw
	}
	for name, n := range map[string]int{"n_epochs": j.Hyper.Epochs, "batch_size": j.Hyper.BatchSize, "max_length": j.Hyper.MaxLength, "lora_rank": j.Hyper.Rank} {
		if n > 0 {
			h[name] = n
		}
	}
	if j.Hyper.LearningRate > 0 {
		h["learning_rate"] = strconv.FormatFloat(j.Hyper.LearningRate, 'g', -1, 64)
	}
	if j.Hyper.Seed > 0 {
		h["seed"] = j.Hyper.Seed
	}
	if len(j.Valid) == 0 {
		h["split"] = float64(j.Split) / 100
	}
	return h
}

// missingFiles is the native answer to a training without data.
func missingFiles() *dialect.Refusal { return invalid("training_file_ids", "Missing training files") }
