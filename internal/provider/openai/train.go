package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/line"
)

// mark is the key, in the metadata of a job there, of the training that it is for.
const mark = "bailiwick_job"

// job is a training as the platform tells of it.
type job struct {
	ID       string
	Status   string
	Created  int64    `json:"created_at"`
	Model    *string  `json:"fine_tuned_model"`
	Training string   `json:"training_file"`
	Valid    *string  `json:"validation_file"`
	Trained  *int64   `json:"trained_tokens"`
	Left     *int64   `json:"estimated_finish"` // Unix seconds
	Results  []string `json:"result_files"`
	Metadata map[string]string
	Error    *struct{ Code, Message string }
}

// Start implements provider.RemoteTrainer. The platform has no keys against doing
// things twice: what was begun for the same training is looked for first, the
// files by their names and the job by its metadata.
func (p *Platform) Start(ctx context.Context, s provider.TrainSpec) (string, error) {
	begun, err := p.find(ctx, string(s.Job))
	if err != nil || begun != "" {
		return begun, has(err)
	}
	body := map[string]any{"model": s.Base, "metadata": map[string]string{mark: string(s.Job)}, "method": method(s.Hyper)}
	if s.From != nil {
		body["model"] = s.From.Remote
	}
	if s.Hyper.Seed != 0 {
		body["seed"] = s.Hyper.Seed % (1 << 31)
	}
	for field, data := range map[string]provider.Data{"training_file": s.Train, "validation_file": s.Valid} {
		if data.Open == nil {
			continue
		}
		if body[field], err = p.upload(ctx, fmt.Sprintf("bailiwick-%s-%.12s-%s.jsonl", s.Job, data.SHA256, field[:5]), data); err != nil {
			return "", has(err)
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	var made job
	if err := p.Ask(ctx, line.Request{Method: http.MethodPost, Path: jobsPath, Body: text}, &made); err != nil {
		return "", has(err)
	}
	if !line.IsID(made.ID) {
		return "", fault.New(fault.Unavailable, "The provider began a training and gave it no id.")
	}
	return made.ID, nil
}

// method is how it is trained; what is left to the platform is "auto".
func method(h provider.Hyper) map[string]any {
	hyper := map[string]any{"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
	if h.Epochs > 0 {
		hyper["n_epochs"] = h.Epochs
	}
	if h.BatchSize > 0 {
		hyper["batch_size"] = h.BatchSize
	}
	if m, ok := h.Others["learning_rate_multiplier"]; ok {
		hyper["learning_rate_multiplier"] = m
	}
	return map[string]any{"type": "supervised", "supervised": map[string]any{"hyperparameters": hyper}}
}

// pageSize is how much of a list is asked for at once, and mostPages how often.
const (
	pageSize  = 100
	mostPages = 100
)

// find gives the id of the job that was begun for a training; empty: none was. A
// platform that does not filter by metadata sends its whole list, newest first.
func (p *Platform) find(ctx context.Context, training string) (string, error) {
	found := ""
	q := url.Values{"metadata[" + mark + "]": {training}}
	err := pages(ctx, p, jobsPath, q, func(j job) (string, bool) {
		if j.Metadata[mark] == training && line.IsID(j.ID) {
			found = j.ID
		}
		return j.ID, found == ""
	})
	return found, err
}

// upload sends a file, unless it is there.
func (p *Platform) upload(ctx context.Context, name string, d provider.Data) (string, error) {
	type file struct {
		ID, Filename, Status string
		Bytes                int64
	}
	found := ""
	err := pages(ctx, p, filesPath, url.Values{"purpose": {"fine-tune"}}, func(f file) (string, bool) {
		if f.Filename == name && f.Bytes == d.Size && f.Status != "error" {
			found = f.ID
		}
		return f.ID, found == ""
	})
	if err != nil || found != "" {
		return found, err
	}
	form, err := line.Form([]string{"purpose", "fine-tune"}, "file", name, d.Size, d.Open)
	if err != nil {
		return "", err
	}
	var made file
	if err := p.Ask(ctx, line.Request{Method: http.MethodPost, Path: filesPath, File: form}, &made); err != nil {
		return "", err
	}
	if !line.IsID(made.ID) {
		return "", fault.New(fault.Unavailable, "The provider took a file and gave it no id.")
	}
	return made.ID, nil
}

// pages goes through a list, from its beginning, until each has enough. It gives
// every item's id, by which the next page is asked for.
func pages[T any](ctx context.Context, p *Platform, path string, q url.Values, each func(T) (id string, more bool)) error {
	q.Set("limit", strconv.Itoa(pageSize))
	for range mostPages {
		var page struct {
			Data []T
			More bool `json:"has_more"`
		}
		if err := p.Ask(ctx, line.Request{Method: http.MethodGet, Path: path, Query: q}, &page); err != nil {
			return err
		}
		last, more := "", page.More && len(page.Data) > 0
		for _, item := range page.Data {
			id, goOn := each(item)
			if last = id; !goOn {
				return nil
			}
		}
		if !more || last == "" || last == q.Get("after") {
			return nil
		}
		q.Set("after", last)
	}
	return fault.New(fault.Unavailable, "The provider's list of %s has no end.", path)
}

// Cancel implements provider.RemoteTrainer.
func (p *Platform) Cancel(ctx context.Context, handle string) error {
	path, err := at(jobsPath, handle, "cancel")
	if err != nil {
		return nil
	}
	err = p.Ask(ctx, line.Request{Method: http.MethodPost, Path: path, Body: []byte("{}")}, nil)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Conflict) { // it may be over
		if j, asked := p.job(ctx, handle); asked == nil && phase(j.Status).Over() {
			return nil
		}
	}
	if fault.Is(err, fault.Missing) {
		return nil
	}
	return err
}

// Forget implements provider.RemoteTrainer: our files are deleted. The platform
// keeps the job itself.
func (p *Platform) Forget(ctx context.Context, handle string) error {
	j, err := p.job(ctx, handle)
	if fault.Is(err, fault.Missing) {
		return nil
	}
	if err != nil {
		return err
	}
	files := append([]string{j.Training}, j.Results...)
	if j.Valid != nil {
		files = append(files, *j.Valid)
	}
	for _, id := range files {
		if path, none := at(filesPath, id); none == nil {
			if err := p.Ask(ctx, line.Request{Method: http.MethodDelete, Path: path}, nil); err != nil && !fault.Is(err, fault.Missing) {
				return err
			}
		}
	}
	return nil
}

func (p *Platform) job(ctx context.Context, handle string) (j job, err error) {
	path, err := at(jobsPath, handle)
	if err != nil {
		return j, fault.New(fault.Missing, "There is no such training.").Because(err)
	}
	return j, p.Ask(ctx, line.Request{Method: http.MethodGet, Path: path}, &j)
}
