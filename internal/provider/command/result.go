package command

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"

	"bailiwick/internal/provider"
)

// wanted are the patterns of the files that make a model, and its format.
func (r *run) wanted() (format string, patterns []string) {
	switch {
	case r.Profile != "llamafactory":
		return r.Program.Format, r.Program.Files
	case r.Adapter == provider.LoRA:
		return provider.FormatPEFT, []string{"adapter_config.json", "adapter_model.safetensors", "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja"}
	}
	return provider.FormatSafetensors, []string{"config.json", "generation_config.json", "*.safetensors", "*.safetensors.index.json", "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja"}
}

// needed is the pattern of a file without which nothing came of it.
func (r *run) needed() string {
	_, patterns := r.wanted()
	switch {
	case r.Profile != "llamafactory":
		return patterns[0]
	case r.Adapter == provider.LoRA:
		return "adapter_model.safetensors"
	}
	return "*.safetensors"
}

// artifact is what lies in a folder below the job's. Links are no files: they
// could lead elsewhere.
func (r *run) artifact(folder string) (provider.Artifact, bool) {
	format, patterns := r.wanted()
	a := provider.Artifact{Folder: filepath.Join(r.path, filepath.FromSlash(folder)), Format: format, Engine: fmt.Sprintf("%s (%s)", r.Program.Name, r.Profile)}
	entries, err := fs.ReadDir(r.Folder.FS(), folder)
	if err != nil {
		return a, false
	}
	for _, e := range entries {
		if e.Type().IsRegular() && matches(patterns, e.Name()) {
			a.Files = append(a.Files, e.Name())
		}
	}
	return a, slices.ContainsFunc(a.Files, func(name string) bool { return matches([]string{r.needed()}, name) })
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, name); return ok })
}

// collect moves what came of the training below model/, and takes away what was
// of use for going on only. Called again, it finds it there.
func (r *run) collect() (provider.Artifact, error) {
	if err := r.Folder.MkdirAll(modelHome, 0o700); err != nil {
		return provider.Artifact{}, err
	}
	made, _ := r.artifact(r.output())
	for _, name := range made.Files {
		if err := r.Folder.Rename(r.output()+"/"+name, modelHome+"/"+name); err != nil {
			return provider.Artifact{}, err
		}
	}
	a, whole := r.artifact(modelHome)
	if !whole {
		return provider.Artifact{}, &provider.Failure{Reason: "no_model", Message: "The program ended well, and left no " + r.needed() + "."}
	}
	r.Process.end(context.Background(), string(r.Job), 0) // what it started and left behind
	for attempt := 1; attempt <= r.Attempt; attempt++ {
		out := fmt.Sprintf("%s/%d/out", home, attempt)
		for _, c := range r.checkpointsIn(out) {
			for _, name := range []string{"optimizer.pt", "scheduler.pt", "rng_state.pth"} {
				_ = r.Folder.Remove(out + "/" + c.name + "/" + name) // it may not be there
			}
		}
	}
	return a, r.Folder.RemoveAll(dataHome)
}

// newCheckpoints tells of those that can be published. A step is told of once,
// also when an attempt comes to it again.
func (r *run) newCheckpoints(o *provider.Observation) {
	if r.Profile != "llamafactory" {
		return
	}
	found := r.checkpointsIn(r.output())
	slices.SortFunc(found, func(a, b checkpoint) int { return int(a.step - b.step) })
	for _, c := range found {
		if r.Told.Checkpoints[c.name] {
			continue
		}
		if a, whole := r.artifact(r.output() + "/" + c.name); whole {
			r.Told.Checkpoints[c.name] = true
			o.Checkpoints = append(o.Checkpoints, provider.Checkpoint{Name: c.name, Step: c.step, Model: a})
		}
	}
}
