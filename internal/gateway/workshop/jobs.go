package workshop

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/provider"
	"bailiwick/internal/training"
)

// newJob is the body of POST /v1/fine_tuning/jobs.
type newJob struct {
	Model        string            `json:"model"`
	Train        string            `json:"training_file"`
	Valid        *string           `json:"validation_file"`
	Suffix       *string           `json:"suffix"`
	Seed         *int64            `json:"seed"`
	Method       *newMethod        `json:"method"`
	Hyper        *newHyper         `json:"hyperparameters"` // the old way to say it
	Metadata     map[string]string `json:"metadata"`
	Integrations []json.RawMessage `json:"integrations"`
}

type newMethod struct {
	Type       string   `json:"type"`
	Supervised *newKind `json:"supervised"`
	DPO        *newKind `json:"dpo"`
}

type newKind struct {
	Hyper *newHyper `json:"hyperparameters"`
}

// newHyper are the parameters: each a number, or "auto".
type newHyper struct {
	Epochs json.RawMessage `json:"n_epochs"`
	Batch  json.RawMessage `json:"batch_size"`
	Rate   json.RawMessage `json:"learning_rate_multiplier"`
	Beta   json.RawMessage `json:"beta"`
}

// createJob answers POST /v1/fine_tuning/jobs. Its callers have no call to put a
// model up, so that what comes of the job is put up when it has succeeded.
func (w *Workshop) createJob(ctx context.Context, v *Visit) *dialect.Refusal {
	var in newJob
	if r := v.read(&in); r != nil {
		return r
	}
	if in.Model == "" {
		return &dialect.EmptyModel
	}
	if len(in.Integrations) > 0 {
		return dialect.Unknown("integrations")
	}
	if r := w.may(ctx, v, in.Model, catalogue.Train); r != nil {
		return r
	}
	wanted, r := in.wanted()
	if r != nil {
		return r
	}
	j, err := w.Trainings.Create(ctx, v.By, v.Workspace, wanted)
	if err != nil {
		r := explain(err, true, noJob())
		if r.Native.Message == "File not found." {
			r.OpenAI.Message = "There is no such file."
		}
		return r
	}
	return v.answer(jobOf(j))
}

// wanted turns the body into what a training is asked for with.
func (in newJob) wanted() (training.Wanted, *dialect.Refusal) {
	t := training.Wanted{Model: in.Model, Method: provider.SFT, Deploy: true}
	if in.Train == "" {
		return t, invalid("training_file", "Say the training_file: the id of a file that was uploaded.")
	}
	t.Train = []string{in.Train}
	if in.Valid != nil && *in.Valid != "" {
		t.Valid = []string{*in.Valid}
	}
	if in.Suffix != nil {
		t.Suffix = *in.Suffix
	}
	hyper := in.Hyper
	if m := in.Method; m != nil {
		kind := m.Supervised
		switch m.Type {
		case "supervised":
		case "dpo":
			t.Method, kind = provider.DPO, m.DPO
		default:
			return t, invalid("method", "The method is supervised or dpo.")
		}
		if kind != nil && kind.Hyper != nil {
			hyper = kind.Hyper
		}
	}
	if in.Seed != nil {
		t.Hyper.Seed = *in.Seed
	}
	if hyper != nil {
		if err := hyper.read(&t.Hyper); err != nil {
			return t, explain(err, true, noJob())
		}
	}
	return t, in.note(&t)
}

// metadataMost is how many pairs a job's metadata may have.
const metadataMost = 16

// note makes sure that the metadata can be kept, and keeps it.
func (in newJob) note(t *training.Wanted) *dialect.Refusal {
	if len(in.Metadata) > metadataMost {
		return invalid("metadata", fmt.Sprintf("The metadata has at most %d pairs.", metadataMost))
	}
	for k, value := range in.Metadata {
		if len(k) > 64 || len(value) > 512 {
			return invalid("metadata", "A key of the metadata has at most 64 bytes, and its value 512.")
		}
	}
	t.Metadata = in.Metadata
	return nil
}

// read takes the parameters that are not left to the engine.
func (in newHyper) read(h *provider.Hyper) error {
	given := map[string]json.RawMessage{}
	for name, raw := range map[string]json.RawMessage{"n_epochs": in.Epochs, "batch_size": in.Batch} {
		if raw != nil && string(raw) != `"auto"` && string(raw) != "null" {
			given[name] = raw
		}
	}
	read, _, err := readHyper(given)
	if err != nil {
		return err
	}
	read.Seed = h.Seed
	for name, raw := range map[string]json.RawMessage{"learning_rate_multiplier": in.Rate, "beta": in.Beta} {
		if raw == nil || string(raw) == `"auto"` || string(raw) == "null" {
			continue
		}
		n, err := numberOf(name, raw)
		if err == nil && n <= 0 {
			err = fault.Field(name, "%s is greater than 0.", name)
		}
		if err != nil {
			return err
		}
		if read.Others == nil {
			read.Others = map[string]json.RawMessage{}
		}
		read.Others[name] = raw
	}
	*h = read
	return nil
}

// statuses are OpenAI's words for how far a job is.
var statuses = map[training.State]string{
	training.Validating: "validating_files", training.Queued: "queued", training.Starting: "queued", training.Running: "running",
	training.Exporting: "running", training.Cancelling: "running", training.Succeeded: "succeeded", training.Failed: "failed", training.Cancelled: "cancelled",
}

// jobOf is a job as OpenAI's protocol tells it.
func jobOf(j training.Job) object {
	auto := func(n int) any {
		if n == 0 {
			return "auto"
		}
		return n
	}
	hyper := object{"n_epochs": auto(j.Hyper.Epochs), "batch_size": auto(j.Hyper.BatchSize), "learning_rate_multiplier": "auto"}
	if raw, said := j.Hyper.Others["learning_rate_multiplier"]; said {
		hyper["learning_rate_multiplier"] = raw
	}
	method := object{"type": "supervised", "supervised": object{"hyperparameters": hyper}}
	if j.Method == provider.DPO {
		method = object{"type": "dpo", "dpo": object{"hyperparameters": hyper}}
	}
	o := object{
		"id": j.ID, "object": "fine_tuning.job", "created_at": j.CreatedAt.Unix(), "status": statuses[j.State], "model": j.Model,
		"error": nil, "fine_tuned_model": nil, "finished_at": seconds(j.EndedAt), "hyperparameters": hyper, "method": method, "organization_id": j.Account,
		"result_files": []string{}, "seed": j.Hyper.Seed, "trained_tokens": nil, "training_file": first(j.Train), "validation_file": first(j.Valid),
		"integrations": nil, "estimated_finish": nil, "metadata": j.Metadata,
	}
	switch {
	case j.State == training.Succeeded:
		o["fine_tuned_model"] = j.Output
	case j.State == training.Failed:
		o["error"] = object{"code": cmp.Or(j.Reason, "failed"), "message": j.Message, "param": nil}
	case j.Left > 0:
		o["estimated_finish"] = j.UpdatedAt.Add(j.Left).Unix()
	}
	if j.State.Over() {
		o["trained_tokens"] = j.TrainedTokens
	}
	return o
}

// first is the file of a set, which has one in this protocol; nil: it has none.
func first(list []training.Source) any {
	if len(list) == 0 {
		return nil
	}
	return list[0].File
}

// jobList answers GET /v1/fine_tuning/jobs, the newest first.
func (w *Workshop) jobList(ctx context.Context, v *Visit) *dialect.Refusal {
	values, r := v.query(append(marks(v.R.URL.Query()), "after", "limit")...)
	if r != nil {
		return r
	}
	limit, r := number(values, "limit", 20, 1, 100)
	if r != nil {
		return r
	}
	jobs, r := w.jobsAfter(ctx, v, values, limit+1)
	if r != nil {
		return r
	}
	list := make([]object, 0, len(jobs))
	for _, j := range jobs {
		list = append(list, jobOf(j))
	}
	return v.answer(listed(list, limit))
}

// marked is how a query asks for jobs with a pair of metadata.
const marked = "metadata["

// marks are the names of the query that ask for pairs of metadata.
func marks(values url.Values) (names []string) {
	for name := range values {
		if strings.HasPrefix(name, marked) && strings.HasSuffix(name, "]") {
			names = append(names, name)
		}
	}
	return names
}

// jobsAfter gives jobs with some metadata that come after one in the list.
func (w *Workshop) jobsAfter(ctx context.Context, v *Visit, values url.Values, most int) (found []training.Job, r *dialect.Refusal) {
	const step = 200
	after := values.Get("after")
	for skip := 0; ; skip += step {
		jobs, _, _, err := w.Trainings.List(ctx, v.By, v.Workspace, training.Filter{Skip: skip, Limit: step})
		if err != nil {
			return nil, explain(err, true, noJob())
		}
		for _, j := range jobs {
			switch {
			case after != "":
				if string(j.ID) == after {
					after = ""
				}
			case hasMarks(j, values):
				if found = append(found, j); len(found) == most {
					return found, nil
				}
			}
		}
		if len(jobs) < step {
			if after != "" {
				return nil, noJob()
			}
			return found, nil
		}
	}
}

func hasMarks(j training.Job, values url.Values) bool {
	for _, name := range marks(values) {
		if j.Metadata[name[len(marked):len(name)-1]] != values.Get(name) {
			return false
		}
	}
	return true
}

// getJob answers GET /v1/fine_tuning/jobs/{id}.
func (w *Workshop) getJob(ctx context.Context, v *Visit) *dialect.Refusal {
	j, err := w.job(ctx, v)
	if err != nil {
		return explain(err, true, noJob())
	}
	return v.answer(jobOf(j))
}

// cancelJob answers POST /v1/fine_tuning/jobs/{id}/cancel.
func (w *Workshop) cancelJob(ctx context.Context, v *Visit) *dialect.Refusal {
	j, err := w.job(ctx, v)
	if err == nil {
		j, err = w.Trainings.Cancel(ctx, v.By, v.Workspace, j.ID)
	}
	if err != nil {
		return explain(err, true, noJob())
	}
	return v.answer(jobOf(j))
}
