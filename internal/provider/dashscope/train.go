package dashscope

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

// The collections of the fine-tuning API, below the base URL. Source of the
// shapes: DashScope's API reference for files, fine-tunes and deployments, and
// what its SDK for Python sends.
const (
	filesPath       = "files"
	jobsPath        = "fine-tunes"
	deploymentsPath = "deployments"
)

// usualEpochs are sent where nobody chose: the API wants a number.
const usualEpochs = 3

// trainings are what the API calls each method.
var trainings = map[provider.Method]map[provider.Adapter]string{
	provider.SFT: {provider.Full: "sft", provider.LoRA: "efficient_sft"},
	provider.DPO: {provider.Full: "dpo_full", provider.LoRA: "dpo_lora"},
	provider.CPT: {provider.Full: "cpt"},
}

// Abilities implements provider.Trainer.
func (s *Server) Abilities(ctx context.Context) provider.Abilities {
	there := s.probe.There(ctx, func(ctx context.Context) error {
		var list struct{ Output *struct{} }
		err := s.Ask(ctx, line.Request{Method: http.MethodGet, Path: jobsPath, Query: url.Values{"page_no": {"1"}, "page_size": {"1"}}}, &list)
		if err == nil && list.Output == nil {
			err = &line.Refusal{Status: http.StatusNotFound}
		}
		return err
	})
	if !there {
		return provider.Abilities{}
	}
	both := []provider.Adapter{provider.LoRA, provider.Full}
	return provider.Abilities{Methods: map[provider.Method][]provider.Adapter{provider.SFT: both, provider.DPO: both, provider.CPT: {provider.Full}}, Continue: true, Checkpoints: true,
		Usual: provider.Hyper{Epochs: usualEpochs}}
}

// Check implements provider.Trainer.
func (s *Server) Check(_ context.Context, t provider.TrainSpec) error {
	switch {
	case trainings[t.Method][t.Adapter] == "":
		return fault.Field("method", "DashScope does not train so.")
	case t.From != nil && t.From.Remote == "":
		return fault.Field("model", "DashScope goes on from models that it made itself only.")
	}
	return nil
}

// job is a training as DashScope tells of it.
type job struct {
	ID       string `json:"job_id"`
	Name     string `json:"job_name"`
	Status   string
	Output   string          `json:"finetuned_output"`
	Training []string        `json:"training_file_ids"`
	Valid    []string        `json:"validation_file_ids"`
	Usage    json.RawMessage // tokens, or an object of them
	Code     string
	Message  string
}

// Start implements provider.RemoteTrainer. The job there is called as ours, by
// which one that was begun is found.
func (s *Server) Start(ctx context.Context, t provider.TrainSpec) (string, error) {
	kind := trainings[t.Method][t.Adapter]
	if kind == "" {
		return "", fault.Field("method", "DashScope does not train so.").Because(provider.ErrUnsupported)
	}
	begun := ""
	err := pages(ctx, s, jobsPath, "jobs", func(j job) bool {
		if j.Name == string(t.Job) && line.IsID(j.ID) {
			begun = j.ID
		}
		return begun == ""
	})
	if err != nil || begun != "" {
		return begun, has(err)
	}
	body := map[string]any{"model": t.Base, "training_type": kind, "job_name": t.Job, "hyper_parameters": parameters(t.Hyper)}
	if t.From != nil {
		body["model"] = t.From.Remote
	}
	for field, data := range map[string]provider.Data{"training_file_ids": t.Train, "validation_file_ids": t.Valid} {
		if data.Open == nil {
			continue
		}
		id, err := s.upload(ctx, fmt.Sprintf("bailiwick-%s-%.12s-%s.jsonl", t.Job, data.SHA256, field[:5]), data)
		if err != nil {
			return "", has(err)
		}
		body[field] = []string{id}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	var made struct{ Output job }
	if err := s.Ask(ctx, line.Request{Method: http.MethodPost, Path: jobsPath, Body: text}, &made); err != nil {
		return "", has(err)
	}
	if !line.IsID(made.Output.ID) {
		return "", fault.New(fault.Unavailable, "The provider began a training and gave it no id.")
	}
	return made.Output.ID, nil
}

// parameters are the settings in DashScope's names. The learning rate is a text there.
func parameters(h provider.Hyper) map[string]any {
	all := map[string]any{"n_epochs": usualEpochs}
	for name, v := range maps.All(h.Others) {
		all[name] = v
	}
	for name, n := range map[string]int{"n_epochs": h.Epochs, "batch_size": h.BatchSize, "max_length": h.MaxLength, "lora_rank": h.Rank} {
		if n > 0 {
			all[name] = n
		}
	}
	if h.LearningRate > 0 {
		all["learning_rate"] = strconv.FormatFloat(h.LearningRate, 'g', -1, 64)
	}
	return all
}

// has is unsupported for a provider that lacks the API as a whole.
func has(err error) error {
	if fault.Is(err, fault.Missing) {
		return fault.New(fault.Invalid, "This provider has no fine-tuning API at its address, or not this model.").Because(errors.Join(provider.ErrUnsupported, err))
	}
	return err
}

// upload sends a file, unless it is there.
func (s *Server) upload(ctx context.Context, name string, d provider.Data) (string, error) {
	type file struct {
		ID   string `json:"file_id"`
		Name string
		Size int64
	}
	found := ""
	err := pagesIn(ctx, s, filesPath, "data", "files", func(f file) bool {
		if f.Name == name && f.Size == d.Size && line.IsID(f.ID) {
			found = f.ID
		}
		return found == ""
	})
	if err != nil || found != "" {
		return found, err
	}
	form, err := line.Form([]string{"purpose", "fine-tune", "descriptions", "Training data of Bailiwick"}, "files", name, d.Size, d.Open)
	if err != nil {
		return "", err
	}
	var made struct {
		Data struct {
			Uploaded []file                           `json:"uploaded_files"`
			Not      []struct{ Code, Message string } `json:"failed_uploads"`
		}
	}
	if err := s.Ask(ctx, line.Request{Method: http.MethodPost, Path: filesPath, File: form}, &made); err != nil {
		return "", err
	}
	if len(made.Data.Not) > 0 {
		return "", fault.New(fault.Invalid, "The provider did not take the file: %s", line.OneLine(made.Data.Not[0].Message, 300))
	}
	if len(made.Data.Uploaded) == 0 || !line.IsID(made.Data.Uploaded[0].ID) {
		return "", fault.New(fault.Unavailable, "The provider took a file and gave it no id.")
	}
	return made.Data.Uploaded[0].ID, nil
}

// Cancel implements provider.RemoteTrainer.
func (s *Server) Cancel(ctx context.Context, handle string) error {
	if !line.IsID(handle) {
		return nil
	}
	err := s.Ask(ctx, line.Request{Method: http.MethodPost, Path: jobsPath + "/" + handle + "/cancel", Body: []byte("{}")}, nil)
	if fault.Is(err, fault.Missing) {
		return nil
	}
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Conflict) { // it may be over, or on its way
		if j, asked := s.job(ctx, handle); asked == nil && (phase(j.Status).Over() || j.Status == "CANCELING") {
			return nil
		}
	}
	return err
}

// Forget implements provider.RemoteTrainer: our files are deleted, and the job. A
// job that is not over is not deleted there, which is a fault of kind Invalid.
func (s *Server) Forget(ctx context.Context, handle string) error {
	j, err := s.job(ctx, handle)
	if fault.Is(err, fault.Missing) {
		return nil
	}
	if err != nil {
		return err
	}
	paths := []string{jobsPath + "/" + handle}
	for _, id := range append(j.Training, j.Valid...) {
		if line.IsID(id) {
			paths = append(paths, filesPath+"/"+id)
		}
	}
	for _, path := range paths {
		err := s.Ask(ctx, line.Request{Method: http.MethodDelete, Path: path}, nil)
		if fault.Is(err, fault.Invalid) && path != paths[0] { // so it says of a file that is not there
			continue
		}
		if err != nil && !fault.Is(err, fault.Missing) {
			return err
		}
	}
	return nil
}

func (s *Server) job(ctx context.Context, handle string) (job, error) {
	var got struct{ Output job }
	if !line.IsID(handle) {
		return got.Output, fault.NoSuch("training")
	}
	err := s.Ask(ctx, line.Request{Method: http.MethodGet, Path: jobsPath + "/" + handle}, &got)
	return got.Output, err
}
