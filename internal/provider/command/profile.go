package command

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"bailiwick/internal/provider"
)

// or gives the first number that is not zero.
func or[T int | int64 | float64](a, b T) T {
	if a != 0 {
		return a
	}
	return b
}

// values are what arguments can have filled in; empty: not known.
func (r *run) values(resume string) map[string]string {
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	v := map[string]string{
		"{config}": "", "{train}": filepath.Join(r.path, dataHome, "train.jsonl"), "{valid}": "", "{output}": filepath.Join(r.path, r.output()), "{base}": r.Program.Models[r.Base],
		"{from}": "", "{resume}": resume, "{epochs}": number(int64(r.Hyper.Epochs)), "{batch}": number(int64(r.Hyper.BatchSize)), "{rate}": "",
		"{rank}": number(int64(r.Hyper.Rank)), "{max_length}": number(int64(r.Hyper.MaxLength)), "{seed}": number(r.Hyper.Seed), "{method}": string(r.Method), "{adapter}": string(r.Adapter),
	}
	if r.Profile == "llamafactory" {
		v["{config}"] = filepath.Join(r.path, r.place(), "config.yaml")
	}
	if r.Valid.Open != nil {
		v["{valid}"] = filepath.Join(r.path, dataHome, "valid.jsonl")
	}
	if r.From != nil {
		v["{from}"] = r.From.Folder
	}
	if r.Hyper.LearningRate != 0 {
		v["{rate}"] = decimal(r.Hyper.LearningRate)
	}
	return v
}

// decimal writes a number without an exponent: YAML's readers take 5e-05 for a text.
func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// The usual settings of LLaMA-Factory, where nobody chose.
const (
	usualEpochs = 3
	usualBatch  = 2
	usualLength = 2048
	usualRank   = 8
	loraRate    = 1e-4
	fullRate    = 1e-5
	mostPoints  = 400 // of the curve of losses, about
)

// configure writes the files that tell LLaMA-Factory what to do; other programs
// are told by their arguments.
func (r *run) configure(resume string) error {
	if r.Profile != "llamafactory" {
		return nil
	}
	info, err := json.MarshalIndent(r.datasets(), "", "  ")
	if err != nil {
		return err
	}
	if err := r.Folder.WriteFile(dataHome+"/dataset_info.json", info, 0o600); err != nil {
		return err
	}
	text, err := yaml(r.settings(resume))
	if err != nil {
		return err
	}
	return r.Folder.WriteFile(r.place()+"/config.yaml", text, 0o600)
}

// datasets tells LLaMA-Factory what its data looks like.
func (r *run) datasets() map[string]any {
	kind := map[string]any{"formatting": "sharegpt", "columns": map[string]string{"messages": "messages"},
		"tags": map[string]string{"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}}
	switch r.Method {
	case provider.DPO:
		kind["ranking"], kind["columns"] = true, map[string]string{"messages": "messages", "chosen": "chosen", "rejected": "rejected"}
	case provider.CPT:
		kind = map[string]any{"columns": map[string]string{"prompt": "text"}}
	}
	all := map[string]any{}
	for name, d := range map[string]provider.Data{"train": r.TrainSpec.Train, "valid": r.Valid} {
		if d.Open != nil {
			one := maps.Clone(kind)
			one["file_name"] = name + ".jsonl"
			all[name] = one
		}
	}
	return all
}

// settings are LLaMA-Factory's configuration. The operator's own stand over a
// caller's, but for those that say what is read and written.
func (r *run) settings(resume string) map[string]any {
	h := r.Hyper
	s := map[string]any{
		"do_train": true, "finetuning_type": string(r.Adapter), "template": r.Template, "cutoff_len": or(h.MaxLength, usualLength), "overwrite_cache": true,
		"per_device_train_batch_size": or(h.BatchSize, usualBatch), "gradient_accumulation_steps": 1, "learning_rate": or(h.LearningRate, fullRate),
		"num_train_epochs": or(h.Epochs, usualEpochs), "lr_scheduler_type": "cosine", "warmup_ratio": 0.1, "seed": h.Seed, "report_to": "none", "plot_loss": false,
		"save_strategy": "epoch", "logging_steps": max(1, or(h.Epochs, usualEpochs)*r.TrainSpec.Train.Examples/or(h.BatchSize, usualBatch)/mostPoints),
		"stage": map[provider.Method]string{provider.SFT: "sft", provider.DPO: "dpo", provider.CPT: "pt"}[r.Method],
	}
	if r.Adapter == provider.LoRA {
		s["lora_rank"], s["lora_target"], s["learning_rate"] = or(h.Rank, usualRank), "all", or(h.LearningRate, loraRate)
	}
	if r.Valid.Open != nil {
		s["eval_dataset"], s["eval_strategy"], s["per_device_eval_batch_size"] = "valid", "epoch", or(h.BatchSize, usualBatch)
		if _, steps := h.Others["eval_steps"]; steps {
			s["eval_strategy"] = "steps"
		}
	}
	for name, value := range h.Others { // each is one that callers may set
		s[name] = value
	}
	maps.Copy(s, r.Program.Settings)
	s["model_name_or_path"], s["dataset"], s["dataset_dir"] = r.Program.Models[r.Base], "train", filepath.Join(r.path, dataHome)
	s["output_dir"] = filepath.Join(r.path, r.output())
	if resume != "" {
		s["resume_from_checkpoint"] = resume
	}
	if r.From != nil {
		s["adapter_name_or_path"] = r.From.Folder
	}
	return s
}

// yaml writes settings, one a line. What JSON writes YAML reads, but for small numbers.
func yaml(settings map[string]any) ([]byte, error) {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		v := settings[name]
		if raw, ok := v.(json.RawMessage); ok {
			if err := json.Unmarshal(raw, &v); err != nil {
				return nil, err
			}
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		if x, ok := v.(float64); ok {
			text = []byte(decimal(x))
		}
		fmt.Fprintf(&b, "%s: %s\n", name, text)
	}
	return []byte(b.String()), nil
}
