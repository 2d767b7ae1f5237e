package dashscope

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/curve"
	"bailiwick/internal/provider/line"
)

// phase is a status as we call it; empty: a word that we do not know.
func phase(status string) provider.Phase {
	switch strings.ToUpper(status) {
	case "PENDING", "QUEUING", "SUSPENDED":
		return provider.PhaseWaiting
	case "RUNNING", "CANCELING":
		return provider.PhaseRunning
	case "SUCCEEDED":
		return provider.PhaseSucceeded
	case "FAILED":
		return provider.PhaseFailed
	case "CANCELED", "CANCELLED":
		return provider.PhaseCancelled
	}
	return ""
}

// seen is a cursor: how many lines of the log were read, the last of them, and
// the last checkpoint.
type seen struct {
	Lines int    `json:"lines,omitempty"`
	Last  string `json:"last,omitempty"` // a digest of the line
	Step  int64  `json:"step,omitempty"` // of the checkpoint
}

// logPage is how many lines of a log are asked for at once, and logPages how often
// in one observation: what is left comes with the next.
const (
	logPage  = 1000
	logPages = 20
)

// Observe implements provider.RemoteTrainer. The API has no measured values but
// those that stand in the log. The job is asked for before its log, so that the
// log of one that is over is all there.
func (s *Server) Observe(ctx context.Context, handle string, since provider.Cursor) (provider.Observation, error) {
	var from seen
	if since != "" {
		_ = json.Unmarshal([]byte(since), &from) // a cursor of somebody else's begins anew
	}
	j, err := s.job(ctx, handle)
	if fault.Is(err, fault.Missing) {
		err = errors.Join(provider.ErrLost, err)
	}
	if err != nil {
		return provider.Observation{}, err
	}
	o := provider.Observation{Phase: phase(j.Status), TrainedTokens: tokens(j.Usage)}
	whole, err := s.log(ctx, handle, &from, &o)
	if err == nil {
		o.Checkpoints, err = s.checkpoints(ctx, handle, &from.Step)
	}
	if err != nil {
		return provider.Observation{}, err
	}
	if o.Phase.Over() && !whole {
		o.Phase = provider.PhaseRunning // until its log was read
	}
	switch o.Phase {
	case "":
		o.Lines = append(o.Lines, provider.Line{At: time.Now(), Text: "The provider says that the training is " + line.OneLine(j.Status, 40) + "."})
	case provider.PhaseSucceeded:
		if j.Output == "" {
			return provider.Observation{}, fault.New(fault.Unavailable, "The provider says that it succeeded, and not yet what came of it.")
		}
		o.Result = artifact(j.Output)
	case provider.PhaseFailed:
		o.Reason, o.Message = "failed", "The provider gives no reason."
		if j.Message != "" {
			o.Reason, o.Message = line.OneLine(j.Code, 80), line.OneLine(j.Message, 500)
		}
	}
	next, err := json.Marshal(from)
	o.Next = provider.Cursor(next)
	return o, err
}

func artifact(name string) *provider.Artifact {
	return &provider.Artifact{Remote: name, Format: provider.FormatRemote, Engine: "DashScope protocol"}
}

// tokens reads how many were trained: a number, or an object that has it.
func tokens(usage json.RawMessage) int64 {
	var n int64
	if json.Unmarshal(usage, &n) == nil {
		return n
	}
	var named map[string]json.RawMessage
	if json.Unmarshal(usage, &named) == nil {
		for _, name := range []string{"total_tokens", "tokens", "token"} {
			if json.Unmarshal(named[name], &n) == nil {
				return n
			}
		}
	}
	return 0
}

// log reads on in a training's log, and reports whether it read all there is.
// Whether its lines are counted from 0 or from 1 is told in both ways: where they
// are from 1 the last line that was read comes again.
func (s *Server) log(ctx context.Context, handle string, from *seen, o *provider.Observation) (whole bool, err error) {
	for range logPages {
		var page struct{ Output struct{ Logs []string } }
		q := url.Values{"offset": {strconv.Itoa(from.Lines)}, "line": {strconv.Itoa(logPage)}}
		err := s.Ask(ctx, line.Request{Method: http.MethodGet, Path: jobsPath + "/" + handle + "/logs", Query: q}, &page)
		if fault.Is(err, fault.Missing) || fault.Is(err, fault.Invalid) { // there is none yet
			return true, nil
		}
		if err != nil {
			return false, err
		}
		lines := page.Output.Logs
		if from.Lines > 0 && len(lines) > 0 && digest(lines[0]) == from.Last {
			lines = lines[1:]
		}
		for _, text := range lines {
			note(o, text)
			from.Last = digest(text)
		}
		if from.Lines += len(lines); len(page.Output.Logs) < logPage {
			return true, nil
		}
	}
	return false, nil
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// note tells of one line; one that tells of a step becomes points too.
func note(o *provider.Observation, text string) {
	if step, ok := curve.Read(text); ok {
		o.Step, o.Steps, o.Epoch = max(o.Step, step.Step), max(o.Steps, step.Steps), max(o.Epoch, int(step.Epoch))
		o.Points = append(o.Points, step.Points...)
	}
	if text = line.OneLine(text, 500); text != "" {
		o.Lines = append(o.Lines, provider.Line{At: time.Now(), Text: text})
	}
}

// checkpoints gives those that can be called and whose steps are later than one,
// which becomes the last's.
func (s *Server) checkpoints(ctx context.Context, handle string, after *int64) (list []provider.Checkpoint, err error) {
	type checkpoint struct {
		Name   string `json:"checkpoint"`
		Model  string `json:"model_name"`
		Status string
		Step   int64
		Epoch  float64
	}
	var got struct{ Output []checkpoint }
	err = s.Ask(ctx, line.Request{Method: http.MethodGet, Path: jobsPath + "/" + handle + "/checkpoints"}, &got)
	if fault.Is(err, fault.Missing) || fault.Is(err, fault.Invalid) { // there are none
		return nil, nil
	}
	most := *after
	for _, c := range got.Output {
		if c.Step > *after && c.Status == "SUCCEEDED" && c.Model != "" {
			list = append(list, provider.Checkpoint{Name: c.Name, Step: c.Step, Epoch: int(c.Epoch), Model: *artifact(c.Model)})
			most = max(most, c.Step)
		}
	}
	*after = most
	slices.SortFunc(list, func(a, b provider.Checkpoint) int { return int(a.Step - b.Step) })
	return list, err
}
