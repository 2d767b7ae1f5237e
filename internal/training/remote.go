package training

import (
	"context"
	"errors"
	"time"

	"bailiwick/internal/provider"
	"bailiwick/internal/work"
)

// remote looks after a job that an engine elsewhere trains: begins it, asks how it
// is, asks for its end.
func (l *Loop) remote(ctx context.Context, h held, j Job, e engine, t provider.RemoteTrainer) (next work.Next, again bool, err error) {
	if j.Handle == "" {
		if j.State == Cancelling && j.Restarts == 0 {
			return work.Next{}, true, l.end(ctx, h, Cancelled, Why{}, nil) // it was never asked to begin
		}
		return l.start(ctx, h, j, e, t)
	}
	limit := or(l.Limit, limitUsual)
	late := l.Now().Sub(j.StartedAt) > limit
	if j.State == Cancelling || late {
		if err := t.Cancel(ctx, j.Handle); err != nil && !errors.Is(err, provider.ErrLost) {
			return work.Next{}, false, err
		}
	}
	if late && j.State != Cancelling {
		return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonTime, "It took longer than a training may."}, nil)
	}
	o, err := t.Observe(ctx, j.Handle, j.Cursor)
	if err != nil {
		if ctx.Err() != nil {
			return work.Next{}, false, err
		}
		return l.failed(ctx, h, j, err)
	}
	note := func(j *Job) News {
		n := l.observe(j, o)
		j.Cursor = or(o.Next, j.Cursor)
		return n
	}
	why := Why{o.Reason, o.Message}
	switch o.Phase {
	case provider.PhaseSucceeded:
		a := provider.Artifact{}
		if o.Result != nil {
			a = *o.Result
		}
		if a, err = l.kept(a); err != nil {
			return l.failed(ctx, h, j, err)
		}
		return work.Next{}, true, l.end(ctx, h, Succeeded, Why{}, &a, note)
	case provider.PhaseFailed:
		why.Reason = or(why.Reason, ReasonEngine)
		return work.Next{}, true, l.end(ctx, h, Failed, why, nil, note)
	case provider.PhaseCancelled:
		if j.State == Cancelling {
			return work.Next{}, true, l.end(ctx, h, Cancelled, why, nil, note)
		}
		return work.Next{}, true, l.cancelledThere(ctx, h, why, note)
	}
	_, err = l.Store.NoteTraining(ctx, h.ws, h.id, h.Lease, func(j *Job) (News, error) { return note(j), nil })
	return work.Next{After: or(l.Tick, tickUsual)}, false, err
}

// cancelledThere is the end of a job that was cancelled with the engine, past us.
func (l *Loop) cancelledThere(ctx context.Context, h held, why Why, note func(*Job) News) error {
	why.Message = or(why.Message, "It was cancelled at the provider.")
	return l.end(ctx, h, Cancelled, why, nil, note)
}

// start has the engine begin. That it may have been asked is written before, so
// that a training whose answer was lost is found again, also to be cancelled.
func (l *Loop) start(ctx context.Context, h held, j Job, e engine, t provider.RemoteTrainer) (next work.Next, again bool, err error) {
	if _, err := l.Store.NoteTraining(ctx, h.ws, h.id, h.Lease, func(j *Job) (News, error) { j.Restarts++; return News{}, nil }); err != nil {
		return work.Next{}, false, err
	}
	root, err := l.folder(h.ws, h.id)
	if err != nil {
		return l.failed(ctx, h, j, err)
	}
	defer root.Close()
	spec := l.spec(&j, e)
	spec.Folder = root
	if err = l.prepare(ctx, root, &j, &spec); err == nil {
		err = l.from(ctx, j, &spec)
	}
	handle := ""
	if err == nil {
		handle, err = t.Start(ctx, spec)
	}
	if err != nil {
		if ctx.Err() != nil {
			return work.Next{}, false, err
		}
		return l.failed(ctx, h, j, err)
	}
	_, err = l.Store.NoteTraining(ctx, h.ws, h.id, h.Lease, func(j *Job) (News, error) { j.Handle = handle; return News{}, nil })
	return work.Next{After: min(or(l.Tick, tickUsual), time.Second)}, false, err
}
