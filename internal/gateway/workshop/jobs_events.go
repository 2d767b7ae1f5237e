package workshop

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
	"bailiwick/internal/training"
)

// jobEvents answers GET /v1/fine_tuning/jobs/{id}/events, the newest first: the
// lines of the log.
func (w *Workshop) jobEvents(ctx context.Context, v *Visit) *dialect.Refusal {
	values, r := v.query("after", "limit")
	if r != nil {
		return r
	}
	limit, r := number(values, "limit", 20, 1, 100)
	if r != nil {
		return r
	}
	j, err := w.job(ctx, v)
	if err != nil {
		return explain(err, true, noJob())
	}
	_, last, err := w.Trainings.Log(ctx, v.By, v.Workspace, j.ID, 1, 1)
	if err != nil {
		return explain(err, true, noJob())
	}
	if after := values.Get("after"); after != "" {
		if last, err = lineNumber(j.ID, after); err != nil {
			return invalid("after", "There is no such event of this job.")
		}
		last--
	}
	from := max(last-int64(limit), 0) // one further than is shown
	entries, _, err := w.Trainings.Log(ctx, v.By, v.Workspace, j.ID, max(from, 1), int(last-max(from, 1))+1)
	if err != nil {
		return explain(err, true, noJob())
	}
	slices.Reverse(entries)
	list := make([]object, 0, len(entries))
	for _, e := range entries {
		level := "info"
		if e.State == training.Failed {
			level = "error"
		}
		list = append(list, object{
			"id": fmt.Sprintf("ftevent-%s-%d", j.ID, e.Number), "object": "fine_tuning.job.event", "created_at": e.At.Unix(),
			"level": level, "message": e.Text, "type": "message", "data": object{},
		})
	}
	return v.answer(listed(list, limit))
}

// lineNumber is the line that an event's id names.
func lineNumber(id ident.Training, event string) (int64, error) {
	prefix := fmt.Sprintf("ftevent-%s-", id)
	if len(event) <= len(prefix) || event[:len(prefix)] != prefix {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseInt(event[len(prefix):], 10, 64)
	if err == nil && n < 1 {
		err = strconv.ErrRange
	}
	return n, err
}

// jobCheckpoints answers GET /v1/fine_tuning/jobs/{id}/checkpoints, the newest first.
func (w *Workshop) jobCheckpoints(ctx context.Context, v *Visit) *dialect.Refusal {
	values, r := v.query("after", "limit")
	if r != nil {
		return r
	}
	limit, r := number(values, "limit", 10, 1, 100)
	if r != nil {
		return r
	}
	j, err := w.job(ctx, v)
	if err != nil {
		return explain(err, true, noJob())
	}
	all, err := w.Trainings.Checkpoints(ctx, v.By, v.Workspace, j.ID)
	if err != nil {
		return explain(err, true, noJob())
	}
	curves, err := w.Trainings.Curves(ctx, v.By, v.Workspace, j.ID)
	if err != nil {
		return explain(err, true, noJob())
	}
	slices.Reverse(all)
	list, found := []object{}, values.Get("after") == ""
	for _, c := range all {
		id := fmt.Sprintf("ftckpt-%s-%d", j.ID, c.Step)
		if found {
			list = append(list, checkpointOf(id, j, c, curves))
		}
		found = found || id == values.Get("after")
	}
	if !found {
		return invalid("after", "There is no such checkpoint of this job.")
	}
	return v.answer(listed(list[:min(len(list), limit+1)], limit))
}

func checkpointOf(id string, j training.Job, c training.Checkpoint, curves []training.Curve) object {
	metrics := object{"step": c.Step}
	for _, curve := range curves {
		for _, p := range curve.Points {
			if p.Step <= c.Step { // the last one before it
				metrics[curve.Name] = p.Value
			}
		}
	}
	return object{
		"id": id, "object": "fine_tuning.job.checkpoint", "created_at": c.At.Unix(), "fine_tuning_job_id": j.ID, "step_number": c.Step,
		"fine_tuned_model_checkpoint": cmp.Or(string(c.Published), fmt.Sprintf("%s:%s", j.ID, c.Name)), "metrics": metrics,
	}
}
