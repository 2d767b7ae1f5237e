package workshop

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
	"bailiwick/internal/training"
)

// tune is the body of POST /api/v1/fine-tunes.
type tune struct {
	Model      string                     `json:"model"`
	Train      []string                   `json:"training_file_ids"`
	Valid      []string                   `json:"validation_file_ids"` // the SDK sends null for none
	Hyper      map[string]json.RawMessage `json:"hyper_parameters"`
	Kind       string                     `json:"training_type"`
	Name       string                     `json:"job_name"`
	ModelName  string                     `json:"model_name"`
	Suffix     string                     `json:"finetuned_output_suffix"`
	Output     string                     `json:"finetuned_output"` // as the SDK calls the suffix
	Priority   json.RawMessage            `json:"priority"`         // there is one queue
	Stream     *bool                      `json:"stream"`           // the SDK may say false
	Datasource json.RawMessage            `json:"datasources"`
}

// may asks the policy whether the workspace may train or deploy a model: one of
// the catalogue, or an own tuned one by the model it goes back to. It is asked
// before anything is looked at, as for calls.
func (w *Workshop) may(ctx context.Context, v *Visit, name string, c catalogue.Capability) *dialect.Refusal {
	id, err := ident.ParseModel(name)
	if err != nil {
		return &dialect.OddModel
	}
	t, err := w.Trainings.ModelByName(ctx, v.By, v.Workspace, id)
	switch {
	case err == nil:
		id, c = t.Base, catalogue.Train // the training right covers deploying what comes of it
	case !fault.Is(err, fault.Missing):
		return explain(err, false, noJob())
	}
	return v.Ask(id, c)
}

// createTune answers POST /api/v1/fine-tunes.
func (w *Workshop) createTune(ctx context.Context, v *Visit) *dialect.Refusal {
	var in tune
	if r := v.read(&in); r != nil {
		return r
	}
	kind, known := kinds[in.Kind]
	switch {
	case in.Model == "":
		return &dialect.EmptyModel
	case !known:
		return invalid("training_type", "The training_type should be one of cpt, sft, efficient_sft, dpo_full, dpo_lora")
	case in.Datasource != nil && string(in.Datasource) != "null":
		return dialect.Unknown("datasources")
	}
	if r := w.may(ctx, v, in.Model, catalogue.Train); r != nil {
		return r
	}
	if len(in.Train) == 0 {
		return missingFiles()
	}
	hyper, split, err := readHyper(in.Hyper)
	if err != nil {
		return explain(err, false, noJob())
	}
	j, err := w.Trainings.Create(ctx, v.By, v.Workspace, training.Wanted{
		Model: in.Model, Method: kind.method, Adapter: kind.adapter, Train: in.Train, Valid: in.Valid, Split: split, Hyper: hyper,
		Name: cmp.Or(in.Name, in.ModelName), Suffix: cmp.Or(in.Suffix, in.Output),
	})
	if err != nil {
		return explain(err, false, noJob())
	}
	return v.output(tuneOf(j))
}

// states are the native words for how far a job is.
var states = map[training.State]string{
	training.Validating: "PENDING", training.Queued: "QUEUING", training.Starting: "QUEUING", training.Running: "RUNNING", training.Exporting: "RUNNING",
	training.Cancelling: "CANCELING", training.Succeeded: "SUCCEEDED", training.Failed: "FAILED", training.Cancelled: "CANCELED",
}

// tuneOf is a job as the native protocol tells it.
func tuneOf(j training.Job) object {
	o := object{
		"job_id": j.ID, "job_name": j.Name, "status": states[j.State], "model": j.Model, "base_model": j.Base,
		"training_file_ids": fileIDs(j.Train), "validation_file_ids": fileIDs(j.Valid), "hyper_parameters": hyperOf(j), "training_type": kindOf(j),
		"create_time": stamp(j.CreatedAt), "workspace_id": j.Workspace, "user_identity": j.Account, "creator": j.Creator, "modifier": j.Creator, "group": "llm",
	}
	if !j.EndedAt.IsZero() {
		o["end_time"] = stamp(j.EndedAt)
	}
	switch j.State {
	case training.Succeeded:
		o["finetuned_output"], o["usage"] = j.Output, j.TrainedTokens
	case training.Cancelled:
		o["usage"] = j.TrainedTokens
	case training.Failed:
		o["code"], o["message"] = cmp.Or(j.Reason, "failed"), j.Message
	}
	return o
}

func fileIDs(list []training.Source) []ident.File {
	ids := make([]ident.File, 0, len(list))
	for _, s := range list {
		ids = append(ids, s.File)
	}
	return ids
}

// listTunes answers GET /api/v1/fine-tunes. The original's command line says
// page beside page_no.
func (w *Workshop) listTunes(ctx context.Context, v *Visit) *dialect.Refusal {
	values, r := v.query("page_no", "page_size", "model", "page")
	if r != nil {
		return r
	}
	p, r := pageOf(values, 10, 100)
	if r != nil {
		return r
	}
	jobs, _, total, err := w.Trainings.List(ctx, v.By, v.Workspace, training.Filter{Model: ident.Model(values.Get("model")), Skip: p.skip(), Limit: p.size})
	if err != nil {
		return explain(err, false, noJob())
	}
	list := make([]object, 0, len(jobs))
	for _, j := range jobs {
		list = append(list, tuneOf(j))
	}
	return v.output(object{"page_no": p.number, "page_size": p.size, "total": total, "jobs": list})
}

// job finds the job that the path names.
func (w *Workshop) job(ctx context.Context, v *Visit) (training.Job, error) {
	id, err := ident.ParseTraining(v.names[0])
	if err != nil {
		return training.Job{}, err
	}
	return w.Trainings.Find(ctx, v.By, v.Workspace, id)
}

// tellTune answers GET /api/v1/fine-tunes/{id}.
func (w *Workshop) tellTune(ctx context.Context, v *Visit) *dialect.Refusal {
	j, err := w.job(ctx, v)
	if err != nil {
		return explain(err, false, noJob())
	}
	return v.output(tuneOf(j))
}

// cancelTune answers POST /api/v1/fine-tunes/{id}/cancel.
func (w *Workshop) cancelTune(ctx context.Context, v *Visit) *dialect.Refusal {
	j, err := w.job(ctx, v)
	if err == nil {
		_, err = w.Trainings.Cancel(ctx, v.By, v.Workspace, j.ID)
	}
	return v.doneTune(err)
}

// dropTune answers DELETE /api/v1/fine-tunes/{id}.
func (w *Workshop) dropTune(ctx context.Context, v *Visit) *dialect.Refusal {
	j, err := w.job(ctx, v)
	if err == nil {
		err = w.Trainings.Delete(ctx, v.By, v.Workspace, j.ID)
	}
	return v.doneTune(err)
}

func (v *Visit) doneTune(err error) *dialect.Refusal {
	if err != nil {
		return explain(err, false, noJob())
	}
	return v.output(object{"status": "success"})
}

// tuneCheckpoints answers GET /api/v1/fine-tunes/{id}/checkpoints: the one list
// that has no pages.
func (w *Workshop) tuneCheckpoints(ctx context.Context, v *Visit) *dialect.Refusal {
	j, err := w.job(ctx, v)
	if err != nil {
		return explain(err, false, noJob())
	}
	all, err := w.Trainings.Checkpoints(ctx, v.By, v.Workspace, j.ID)
	if err != nil {
		return explain(err, false, noJob())
	}
	list := make([]object, 0, len(all))
	for _, c := range all {
		status := "PENDING"
		if c.Published != "" {
			status = "SUCCEEDED"
		}
		list = append(list, object{
			"job_id": j.ID, "checkpoint": c.Name, "full_name": fmt.Sprintf("%s:%s", j.ID, c.Name), "model_name": c.Published, "model_display_name": c.Published,
			"status": status, "step": c.Step, "epoch": c.Epoch, "create_time": stamp(c.At), "expire_time": nil,
		})
	}
	return v.output(list)
}

// exportTune answers GET /api/v1/fine-tunes/{id}/export/{checkpoint}, which
// publishes a checkpoint as a model of its own. A get that changes something is
// the original's.
func (w *Workshop) exportTune(ctx context.Context, v *Visit) *dialect.Refusal {
	values, r := v.query("model_name")
	if r != nil {
		return r
	}
	j, err := w.job(ctx, v)
	if err != nil {
		return explain(err, false, noJob())
	}
	if r := v.Ask(j.Base, catalogue.Train); r != nil {
		return r
	}
	if _, err := w.Trainings.Publish(ctx, v.By, v.Workspace, j.ID, v.names[1], values.Get("model_name")); err != nil {
		return explain(err, false, noJob())
	}
	return v.output(true)
}
