package training

import (
	"context"
	"errors"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/work"
)

var errTime = errors.New("the time of the training is over")

// local trains a job here, from where it stands to its end.
func (l *Loop) local(ctx context.Context, h held, j Job, e engine, t provider.LocalTrainer) (next work.Next, again bool, err error) {
	if l.Slots != nil {
		select {
		case l.Slots <- struct{}{}:
			defer func() { <-l.Slots }()
		default:
			return work.Next{After: time.Second}, false, nil
		}
	}
	if j.Restarts >= restartsMost {
		return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonCrashes, "It was begun again and again and came no further."}, nil)
	}
	_, err = l.Store.NoteTraining(ctx, h.ws, h.id, h.Lease, func(j *Job) (news News, err error) {
		if j.Restarts++; j.State == Running || j.State == Exporting || j.Restarts > 1 {
			news.Entries = []Entry{{At: l.Now(), Text: "Going on from the last checkpoint, if there is one."}}
		}
		return news, nil
	})
	if err != nil {
		return work.Next{}, false, err
	}
	root, err := l.folder(h.ws, h.id)
	if err != nil {
		return l.failed(ctx, h, j, err)
	}
	defer root.Close()
	spec := l.spec(&j, e)
	spec.Folder = root
	if err := l.prepare(ctx, root, &j, &spec); err != nil {
		return l.trained(ctx, ctx, h, j, nil, err)
	}
	if err := l.from(ctx, j, &spec); err != nil {
		return l.failed(ctx, h, j, err)
	}
	limit := l.Limit
	if limit == 0 {
		limit = limitUsual
	}
	timed, cancel := context.WithTimeoutCause(ctx, limit-l.Now().Sub(j.StartedAt), errTime)
	defer cancel()
	run, stop := context.WithCancelCause(timed)
	defer stop(nil)
	r := &reporter{l: l, ctx: ctx, h: h, stop: stop}
	go r.listen(run)
	a, err := t.Train(run, spec, r.tell)
	if err == nil {
		a, err = l.kept(a)
	}
	if r.err != nil {
		return work.Next{}, false, r.err // what it said could not be written
	}
	if err != nil {
		return l.trained(ctx, run, h, j, r, err)
	}
	return work.Next{}, true, l.end(ctx, h, Succeeded, Why{}, &a, r.rest)
}

// trained says what becomes of a job whose training here ended with an error.
func (l *Loop) trained(ctx, run context.Context, h held, j Job, r *reporter, cause error) (next work.Next, again bool, err error) {
	var also []func(*Job) News
	if r != nil {
		also = append(also, r.rest)
	}
	switch why := context.Cause(run); {
	case errors.Is(context.Cause(ctx), work.ErrLost):
		return work.Next{}, false, work.ErrLost
	case ctx.Err() != nil:
		return work.Next{}, false, ctx.Err() // the process stops
	case errors.Is(why, provider.ErrCancel):
		return work.Next{}, true, l.end(ctx, h, Cancelled, Why{}, nil, also...)
	case errors.Is(why, errTime):
		return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonTime, "It took longer than a training may."}, nil, also...)
	}
	return l.failed(ctx, h, j, cause, also...)
}

// from finds the tuned model that a job goes on from.
func (l *Loop) from(ctx context.Context, j Job, spec *provider.TrainSpec) error {
	if j.From == "" {
		return nil
	}
	t, err := l.Tuned(ctx, j.Workspace, j.From)
	if fault.Is(err, fault.Missing) {
		return fault.New(fault.Missing, "The model that it was to go on from was deleted.")
	}
	spec.From = &t.Artifact
	return err
}

// reporter writes down what a local engine says, not too often.
type reporter struct {
	l    *Loop
	ctx  context.Context // of the lease
	h    held
	stop context.CancelCauseFunc

	pending []provider.Observation
	epoch   int
	noted   time.Time
	err     error
}

// tell is what the engine calls. It fails when the lease is lost. What ends an
// epoch is written before it returns, so that an engine which then keeps that it
// got there leaves out nothing when it goes on after a kill.
func (r *reporter) tell(o provider.Observation) error {
	r.pending = append(r.pending, o)
	pause := r.l.Note
	if pause == 0 {
		pause = noteUsual
	}
	if time.Since(r.noted) < pause && o.Phase == "" && o.Epoch <= r.epoch && len(o.Checkpoints) == 0 {
		return nil
	}
	r.noted, r.epoch = time.Now(), o.Epoch
	j, err := r.l.Store.NoteTraining(r.ctx, r.h.ws, r.h.id, r.h.Lease, func(j *Job) (News, error) {
		return r.take(j), nil
	})
	switch {
	case fault.Is(err, fault.Missing):
		r.stop(provider.ErrCancel)
	case err != nil:
		r.err = err
		return err
	case j.State == Cancelling:
		r.stop(provider.ErrCancel)
	}
	r.pending = nil
	return nil
}

// rest is what the engine said since it was last noted.
func (r *reporter) rest(j *Job) News { return r.take(j) }

// take writes what was said into the job.
func (r *reporter) take(j *Job) (news News) {
	for _, o := range r.pending {
		n := r.l.observe(j, o)
		news.Entries, news.Points, news.Checkpoints = append(news.Entries, n.Entries...), append(news.Points, n.Points...), append(news.Checkpoints, n.Checkpoints...)
	}
	return news
}

// listen looks at the job when somebody asked for it meanwhile.
func (r *reporter) listen(run context.Context) {
	for {
		select {
		case <-run.Done():
			return
		case <-r.h.Nudged:
		}
		j, err := r.l.Store.Training(run, r.h.ws, r.h.id)
		if fault.Is(err, fault.Missing) || err == nil && j.State == Cancelling {
			r.stop(provider.ErrCancel)
			return
		}
	}
}

// observe writes one observation into a job, but for its end.
func (l *Loop) observe(j *Job, o provider.Observation) (news News) {
	if o.Step > j.Step || o.Epoch > j.Epoch {
		j.Restarts = 0
	}
	j.Step, j.Steps, j.Epoch = max(j.Step, o.Step), max(j.Steps, o.Steps), max(j.Epoch, o.Epoch)
	j.TrainedTokens = max(j.TrainedTokens, o.TrainedTokens)
	if o.Left > 0 {
		j.Left = o.Left
	}
	to := map[provider.Phase]State{provider.PhaseRunning: Running, provider.PhaseExporting: Exporting}[o.Phase]
	if to != "" && to != j.State && !(to == Running && j.State == Exporting) && j.State != Cancelling {
		if e, err := j.Move(to, l.Now(), Why{}); err == nil {
			news.Entries = append(news.Entries, e)
		}
	}
	for _, line := range o.Lines {
		news.Entries = append(news.Entries, Entry{At: line.At, Text: line.Text})
	}
	news.Points = o.Points
	for _, c := range o.Checkpoints {
		a, err := l.kept(c.Model)
		if err != nil {
			continue
		}
		c.Model = a
		news.Checkpoints = append(news.Checkpoints, Checkpoint{Checkpoint: c, At: l.Now()})
	}
	return news
}
