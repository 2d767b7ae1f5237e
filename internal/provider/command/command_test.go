package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/command"
	"bailiwick/internal/provider/providertest"
)

// program declares the stand-in, with an environment of its own.
func program(t *testing.T, profile string, environment ...string) *command.Server {
	t.Helper()
	s, err := declare(profile, environment...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func declare(profile string, environment ...string) (*command.Server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	declared := map[string]any{
		"name": "stand-in", "profile": profile, "argv": []string{self, "train", "{config}"}, "models": map[string]string{"qwen-turbo": "/models/qwen"},
		"environment": append([]string{"STANDIN=" + profile, "STANDIN_PAUSE=15ms"}, environment...), "template": "qwen",
	}
	if profile != "llamafactory" {
		declared["argv"] = []string{self, "--output_dir={output}", "--resume_from_checkpoint={resume}", "--rate={rate}"}
		declared["format"], declared["files"] = "gguf", []string{"*.gguf"}
	}
	if profile == "regex" {
		declared["pattern"] = `^iteration (?P<step>\d+) of (?P<steps>\d+) has loss (?P<train_loss>\S+)$`
	}
	text, err := json.Marshal(map[string]any{"trainers": []any{declared}})
	if err != nil {
		return nil, err
	}
	programs, err := command.Parse(text)
	if err != nil {
		return nil, err
	}
	s, err := command.Kind(programs)(provider.Target{BaseURL: "command:stand-in"})
	if err != nil {
		return nil, err
	}
	server := s.(*command.Server)
	server.Poll, server.Grace = 20*time.Millisecond, 300*time.Millisecond
	return server, nil
}

// running reports whether some process has a job's name in its environment.
func running(s provider.TrainSpec) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range files {
		text, _ := os.ReadFile(f)
		if strings.Contains("\x00"+string(text), "\x00BAILIWICK_TRAINING="+string(s.Job)+"\x00") {
			return true
		}
	}
	return false
}

func TestAStandInForATrainerKeepsTheContractWithEveryProfile(t *testing.T) {
	for profile, format := range map[string]string{"llamafactory": provider.FormatPEFT, "hf_trainer_state": provider.FormatGGUF, "regex": provider.FormatGGUF} {
		t.Run(profile, func(t *testing.T) {
			providertest.TrainsLocal(t, providertest.Local{
				Open: func(t *testing.T) provider.LocalTrainer { return program(t, profile) }, Base: "qwen-turbo", Adapter: provider.LoRA,
				Format: format, Losses: standinSteps, Runs: running,
			})
		})
	}
}

func TestAStandInIsToldInLlamaFactorysWordsWhatToDo(t *testing.T) {
	s, spec := program(t, "llamafactory"), providertest.Spec(t, "qwen-turbo", provider.LoRA)
	spec.Hyper = provider.Hyper{Epochs: 4, LearningRate: 2e-5, Others: map[string]json.RawMessage{"warmup_ratio": json.RawMessage("0.05"), "lr_scheduler_type": json.RawMessage(`"linear"`)}}
	if err := s.Check(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	var checkpoints []string
	var last provider.Observation
	if _, err := s.Train(t.Context(), spec, func(o provider.Observation) error {
		for _, c := range o.Checkpoints {
			checkpoints = append(checkpoints, fmt.Sprint(c.Name, c.Step, c.Model.Format, c.Model.Files))
		}
		if o.Step > 0 {
			last = o
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(checkpoints); got != "[checkpoint-44peft[adapter_config.json adapter_model.safetensors] checkpoint-88peft[adapter_config.json adapter_model.safetensors] checkpoint-1212peft[adapter_config.json adapter_model.safetensors]]" {
		t.Errorf("checkpoints %s", got)
	}
	if last.Step != standinSteps || last.Steps != standinSteps || last.TrainedTokens != 1200 || last.Left != 7*time.Second {
		t.Errorf("at last %+v", last)
	}
	text, err := spec.Folder.ReadFile("run/1/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`stage: "sft"`, `finetuning_type: "lora"`, `learning_rate: 0.00002`, `num_train_epochs: 4`, `warmup_ratio: 0.05`, `lr_scheduler_type: "linear"`, `model_name_or_path: "/models/qwen"`, `dataset: "train"`, `eval_dataset: "valid"`, `template: "qwen"`, `do_train: true`} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("the configuration lacks %s:\n%s", line, text)
		}
	}
	if _, err := spec.Folder.Stat("run/data/train.jsonl"); err == nil {
		t.Error("the data is still there")
	}
	if _, err := spec.Folder.Stat("run/1/out/checkpoint-4/optimizer.pt"); err == nil {
		t.Error("what is of use for going on only is still there")
	}
}

func TestSec_AProgramSeesNothingOfOursButItsJob(t *testing.T) {
	t.Setenv("BAILIWICK_MASTER_KEY", "canary")
	t.Setenv("HTTPS_PROXY", "http://canary")
	t.Setenv("SOME_SECRET", "canary")
	t.Setenv("GIVEN", "given")
	secret, err := os.Open("/etc/hostname") // a file of ours
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	inherited, err := syscall.Dup(int(secret.Fd())) // as one that we were started with
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	spec := providertest.Spec(t, "qwen-turbo", provider.LoRA)
	if _, err := program(t, "llamafactory", "STANDIN_DOES=look", "GIVEN", "NOT_SET").Train(t.Context(), spec, func(provider.Observation) error { return nil }); err != nil {
		t.Fatal(err)
	}
	text, err := spec.Folder.ReadFile("run/1/seen.json")
	if err != nil {
		t.Fatal(err)
	}
	var seen struct {
		Environment, Files []string
		Folder             string
		Session            bool
		Umask              int
	}
	if err := json.Unmarshal(text, &seen); err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{"PATH": true, "LANG": true, "PYTHONUNBUFFERED": true, "HOME": true, "TMPDIR": true, "BAILIWICK_TRAINING": true, "STANDIN": true, "STANDIN_PAUSE": true, "STANDIN_DOES": true, "GIVEN": true, "PWD": true, "SHLVL": true, "_": true, "OLDPWD": true}
	for _, entry := range seen.Environment {
		name, value, _ := strings.Cut(entry, "=")
		if !allowed[name] || strings.Contains(value, "canary") || name == "GIVEN" && value != "given" {
			t.Errorf("it sees %s", entry)
		}
	}
	for _, f := range seen.Files {
		number, _, _ := strings.Cut(f, " ")
		if number != "0" && number != "1" && number != "2" && !strings.Contains(f, "/sys/fs/cgroup/") { // which Go opens for itself
			t.Errorf("it has the file %s", f)
		}
	}
	if !seen.Session || seen.Umask != 0o077 || !strings.HasSuffix(seen.Folder, "/run/1") {
		t.Errorf("%+v", seen)
	}
}

func TestAProgramThatFailsIsToldOfWithoutSecretsAndPaths(t *testing.T) {
	t.Setenv("HF_TOKEN", "hf_canary_token")
	spec := providertest.Spec(t, "qwen-turbo", provider.LoRA)
	var said []string
	_, err := program(t, "llamafactory", "STANDIN_DOES=fail", "HF_TOKEN").Train(t.Context(), spec, func(o provider.Observation) error {
		for _, l := range o.Lines {
			said = append(said, l.Text)
		}
		return nil
	})
	var failed *provider.Failure
	if !errors.As(err, &failed) || failed.Reason != "exit_status" || !strings.Contains(failed.Message, "status 3. RuntimeError: CUDA out of memory, says [redacted] in …/run/1") {
		t.Errorf("%v", err)
	}
	if all := strings.Join(said, "\n"); !strings.Contains(all, "CUDA") || strings.Contains(all, "canary") || strings.Contains(all, spec.Folder.Name()) {
		t.Errorf("it said %s", all)
	}
	for does, reason := range map[string]string{"nothing": "no_model"} {
		_, err := program(t, "llamafactory", "STANDIN_DOES="+does).Train(t.Context(), providertest.Spec(t, "qwen-turbo", provider.LoRA), func(provider.Observation) error { return nil })
		if !errors.As(err, &failed) || failed.Reason != reason {
			t.Errorf("%s: %v", does, err)
		}
	}
}

func TestAProgramThatWillNotEndIsMadeTo(t *testing.T) {
	for _, does := range []string{"ignore,sleep", "fork,sleep", "sleep"} {
		spec := providertest.Spec(t, "qwen-turbo", provider.LoRA)
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(300*time.Millisecond, func() { cancel(provider.ErrCancel) })
		began := time.Now()
		_, err := program(t, "llamafactory", "STANDIN_DOES="+does).Train(ctx, spec, func(provider.Observation) error { return nil })
		if !errors.Is(err, provider.ErrCancel) || running(spec) || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %v after %s, and it runs: %t", does, err, time.Since(began), running(spec))
		}
	}
}

func TestATrainingHasAnEndInTime(t *testing.T) {
	s, spec := program(t, "llamafactory", "STANDIN_DOES=sleep"), providertest.Spec(t, "qwen-turbo", provider.LoRA)
	s.Limit = command.Duration(200 * time.Millisecond)
	var failed *provider.Failure
	if _, err := s.Train(t.Context(), spec, func(provider.Observation) error { return nil }); !errors.As(err, &failed) || failed.Reason != "time_limit" || running(spec) {
		t.Errorf("%v", err)
	}
}

func TestWhatAProgramSaysDoesNotFillTheDisk(t *testing.T) {
	spec := providertest.Spec(t, "qwen-turbo", provider.LoRA)
	most, lines := int64(0), 0
	if _, err := program(t, "llamafactory", "STANDIN_DOES=chatter", "STANDIN_PAUSE=60ms").Train(t.Context(), spec, func(o provider.Observation) error {
		if info, err := spec.Folder.Stat("run/1/output.log"); err == nil {
			most = max(most, info.Size())
		}
		lines = max(lines, len(o.Lines))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if info, err := spec.Folder.Stat("run/1/output.log"); err != nil || info.Size() > 16<<20 || lines > 200 {
		t.Errorf("in the end %d bytes, at most %d, and %d lines at once: %v", info.Size(), most, lines, err)
	}
}

func TestOnlyWhatIsDeclaredCanBeChosen(t *testing.T) {
	s := program(t, "llamafactory")
	for name, raw := range map[string]string{"output_dir": `"/etc"`, "deepspeed": `"x.json"`, "lr_scheduler_type": `"evil"`, "warmup_ratio": `2`, "weight_decay": `"0.1; rm"`, "model_name_or_path": `"x"`} {
		spec := providertest.Spec(t, "qwen-turbo", provider.LoRA)
		spec.Hyper.Others = map[string]json.RawMessage{name: json.RawMessage(raw)}
		if _, ok := fault.On(s.Check(t.Context(), spec), "hyper_parameters"); !ok {
			t.Errorf("%s is taken", name)
		}
	}
	for _, address := range []string{"command:other", "command:", "", "stand-in/../x", "command:stand-in "} {
		if _, err := command.Kind(command.Programs{"stand-in": s.Program})(provider.Target{BaseURL: address}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%q is opened: %v", address, err)
		}
	}
}
