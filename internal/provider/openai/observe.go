package openai

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/curve"
	"bailiwick/internal/provider/line"
)

// phase is a status as we call it; empty: a word that we do not know.
func phase(status string) provider.Phase {
	switch status {
	case "validating_files", "queued":
		return provider.PhaseWaiting
	case "running", "paused":
		return provider.PhaseRunning
	case "succeeded":
		return provider.PhaseSucceeded
	case "failed":
		return provider.PhaseFailed
	case "cancelled":
		return provider.PhaseCancelled
	}
	return ""
}

// event is a line of a job's log.
type event struct {
	ID      string
	Created int64 `json:"created_at"`
	Level   string
	Message string
	Type    string
	Data    map[string]any
}

// seen is a cursor: the newest event that was told of, and the last checkpoint.
type seen struct {
	Event string `json:"event,omitempty"`
	At    int64  `json:"at,omitempty"`   // of that event, Unix seconds
	Step  int64  `json:"step,omitempty"` // of the checkpoint
}

// Observe implements provider.RemoteTrainer. The job is asked for before its
// events, so that those of one that is over are all there.
func (p *Platform) Observe(ctx context.Context, handle string, since provider.Cursor) (provider.Observation, error) {
	var from seen
	if since != "" {
		_ = json.Unmarshal([]byte(since), &from) // a cursor of somebody else's begins anew
	}
	j, err := p.job(ctx, handle)
	if err != nil {
		return provider.Observation{}, lost(err)
	}
	events, err := p.events(ctx, handle, from)
	if err != nil {
		return provider.Observation{}, err
	}
	o := provider.Observation{Phase: phase(j.Status)}
	if j.Trained != nil {
		o.TrainedTokens = *j.Trained
	}
	if j.Left != nil && !o.Phase.Over() {
		o.Left = max(time.Until(time.Unix(*j.Left, 0)), 0).Round(time.Second)
	}
	if o.Phase == "" {
		o.Lines = append(o.Lines, provider.Line{At: time.Unix(j.Created, 0), Text: "The provider says that the training is " + line.OneLine(j.Status, 40) + "."})
	}
	for _, e := range events {
		note(&o, e)
		from.Event, from.At = e.ID, e.Created
	}
	if o.Checkpoints, err = p.checkpoints(ctx, handle, &from.Step); err != nil {
		return provider.Observation{}, err
	}
	switch o.Phase {
	case provider.PhaseSucceeded:
		if j.Model == nil || *j.Model == "" {
			return provider.Observation{}, fault.New(fault.Unavailable, "The provider says that it succeeded, and not yet what came of it.")
		}
		o.Result = &provider.Artifact{Remote: *j.Model, Format: provider.FormatRemote, Engine: "OpenAI protocol"}
	case provider.PhaseFailed:
		o.Reason, o.Message = "failed", "The provider gives no reason."
		if j.Error != nil && j.Error.Message != "" {
			o.Reason, o.Message = line.OneLine(j.Error.Code, 80), line.OneLine(j.Error.Message, 500)
		}
	}
	next, err := json.Marshal(from)
	o.Next = provider.Cursor(next)
	return o, err
}

// values are the names of measured values, as the platform has them and as we do.
var values = []struct{ there, here string }{
	{"train_loss", "train_loss"}, {"valid_loss", "valid_loss"}, {"full_valid_loss", "valid_loss"}, {"learning_rate", "learning_rate"},
	{"valid_mean_token_accuracy", "valid_accuracy"}, {"full_valid_mean_token_accuracy", "valid_accuracy"},
}

// note tells of one event. A value that is measured twice in a step is the
// platform's last word of it.
func note(o *provider.Observation, e event) {
	if step, ok := e.Data["step"].(float64); ok {
		o.Step = max(o.Step, int64(step))
		if of, ok := e.Data["total_steps"].(float64); ok {
			o.Steps = int64(of)
		}
		found := map[string]float64{}
		for _, v := range values {
			if x, ok := e.Data[v.there].(float64); ok {
				found[v.here] = x
			}
		}
		for _, name := range []string{"train_loss", "valid_loss", "valid_accuracy", "learning_rate"} {
			if x, ok := found[name]; ok {
				o.Points = append(o.Points, provider.Point{Step: int64(step), Name: name, Value: x})
			}
		}
		if len(found) > 0 {
			return
		}
	}
	if s, ok := curve.Read(e.Message); ok { // a platform that measures in words
		o.Step, o.Steps, o.Epoch = max(o.Step, s.Step), max(o.Steps, s.Steps), max(o.Epoch, int(s.Epoch))
		o.Points = append(o.Points, s.Points...)
	}
	text := line.OneLine(e.Message, 500)
	if e.Level != "" && e.Level != "info" {
		text = e.Level + ": " + text
	}
	o.Lines = append(o.Lines, provider.Line{At: time.Unix(e.Created, 0), Text: text})
}

// events gives what is new in a job's log, oldest first. The platform lists the
// newest first, so that pages are read until what is known comes; one that lists
// the oldest first is understood too.
func (p *Platform) events(ctx context.Context, handle string, from seen) ([]event, error) {
	path, err := at(jobsPath, handle, "events")
	if err != nil {
		return nil, err
	}
	var all []event
	known := -1
	err = pages(ctx, p, path, url.Values{}, func(e event) (string, bool) {
		if e.ID == from.Event && from.Event != "" {
			known = len(all)
		}
		all = append(all, e)
		return e.ID, known < 0 || direction(all) >= 0
	})
	if err != nil {
		return nil, lost(err)
	}
	down := direction(all) <= 0 // the platform's custom, where nothing tells it
	switch {
	case known >= 0 && down:
		all = all[:known]
	case known >= 0:
		all = all[known+1:]
	case from.Event != "": // what we know is not kept any more
		all = slices.DeleteFunc(all, func(e event) bool { return e.Created <= from.At })
	}
	if down {
		slices.Reverse(all)
	}
	return all, nil
}

// direction tells in which order events come: below 0 the newest first, above it
// the oldest, 0 when neither their times nor their steps tell it.
func direction(all []event) int {
	if len(all) < 2 {
		return 0
	}
	if by := cmp.Compare(all[len(all)-1].Created, all[0].Created); by != 0 {
		return by
	}
	var steps []float64
	for _, e := range all {
		if s, ok := e.Data["step"].(float64); ok {
			steps = append(steps, s)
		}
	}
	if len(steps) < 2 {
		return 0
	}
	return cmp.Compare(steps[len(steps)-1], steps[0])
}

// checkpoints gives those of later steps than one, which becomes the last's. A
// platform that has none of that is not asked again for a while.
func (p *Platform) checkpoints(ctx context.Context, handle string, after *int64) (list []provider.Checkpoint, err error) {
	path, err := at(jobsPath, handle, "checkpoints")
	if err != nil || !p.Has("checkpoints") {
		return nil, err
	}
	type checkpoint struct {
		ID, Model string
		Named     string `json:"fine_tuned_model_checkpoint"`
		Step      int64  `json:"step_number"`
	}
	most := *after
	err = pages(ctx, p, path, url.Values{}, func(c checkpoint) (string, bool) {
		if c.Step > *after && c.Named != "" {
			list = append(list, provider.Checkpoint{Name: fmt.Sprintf("checkpoint-%d", c.Step), Step: c.Step, Model: provider.Artifact{Remote: c.Named, Format: provider.FormatRemote, Engine: "OpenAI protocol"}})
			most = max(most, c.Step)
		}
		return c.ID, true
	})
	if fault.Is(err, fault.Missing) {
		p.note("checkpoints", 404)
		return nil, nil
	}
	*after = most
	slices.SortFunc(list, func(a, b provider.Checkpoint) int { return int(a.Step - b.Step) })
	return list, err
}
