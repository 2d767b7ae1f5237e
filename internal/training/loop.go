package training

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/work"
)

// Loop moves jobs. Its Do is what a work.Runner of kind Work does; it may run in
// several processes that share the store and the data folder.
type Loop struct {
	*Service
	Store LoopStore
	// Deploy puts a model up that its job is to be put up; told again, it changes
	// nothing. Nil: nobody does.
	Deploy func(ctx context.Context, j Job, t Tuned) error
	// Slots bounds how many jobs this process trains itself at once; nil: any number.
	Slots chan struct{}
	Limit time.Duration // of a training from its start, by the clock; 0: a day
	Tick  time.Duration // between two looks at an engine elsewhere; 0: 2 s
	Note  time.Duration // between two notes of what a local engine says; 0: half a second
}

// The bounds of patience.
const (
	attemptsMost = 3             // times that an engine loses a job
	restartsMost = 20            // times that a job is gone on with and does not come further
	waitMost     = 2 * time.Hour // for an engine that trains so
	limitUsual   = 24 * time.Hour
	tickUsual    = 2 * time.Second
	noteUsual    = 500 * time.Millisecond
)

// held is a job under its lease.
type held struct {
	*work.Held
	ws ident.Workspace
	id ident.Training
}

// Do brings a job as far as it comes now.
func (l *Loop) Do(ctx context.Context, w *work.Held) (work.Next, error) {
	ws, id, _ := strings.Cut(w.Ref, "/")
	h := held{w, ident.Workspace(ws), ident.Training(id)}
	for {
		j, err := l.Store.Training(ctx, h.ws, h.id)
		if fault.Is(err, fault.Missing) {
			return work.Next{Done: true}, nil
		}
		if err != nil {
			return work.Next{}, err
		}
		next, again, err := l.step(ctx, h, j)
		if err != nil || !again {
			return next, err
		}
	}
}

// step does what the job's state asks for. Again: the job moved, look at it anew.
func (l *Loop) step(ctx context.Context, h held, j Job) (next work.Next, again bool, err error) {
	switch j.State {
	case Validating:
		return l.validate(ctx, h, j)
	case Queued:
		return l.begin(ctx, h, j)
	case Succeeded, Failed, Cancelled:
		return work.Next{Done: true}, false, l.settleUp(ctx, h, j)
	}
	e, err := l.engine(ctx, &j)
	if err != nil {
		if j.State == Cancelling && j.Handle == "" {
			return work.Next{}, true, l.end(ctx, h, Cancelled, Why{}, nil)
		}
		if l.Now().Sub(j.UpdatedAt) > waitMost {
			return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonNoEngine, fault.Show(err)}, nil)
		}
		return work.Next{After: 30 * time.Second}, false, nil
	}
	switch t := e.trainer.(type) {
	case provider.LocalTrainer:
		if j.State == Cancelling { // nobody works on it: its lease is ours
			return work.Next{}, true, l.end(ctx, h, Cancelled, Why{}, nil)
		}
		return l.local(ctx, h, j, e, t)
	case provider.RemoteTrainer:
		return l.remote(ctx, h, j, e, t)
	}
	return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonNoEngine, "This provider does not train any more."}, nil)
}

// validate makes sure that the files are those the training was asked for with.
func (l *Loop) validate(ctx context.Context, h held, j Job) (next work.Next, again bool, err error) {
	for _, f := range slices.Concat(j.Train, j.Valid) {
		_, v, err := l.Data.Source(ctx, h.ws, f.File)
		switch {
		case fault.Is(err, fault.Missing):
			return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonData, f.Name + " was deleted."}, nil)
		case err != nil:
			return work.Next{}, false, err
		case v.SHA256 != f.SHA256:
			return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonData, f.Name + " is not what it was."}, nil)
		}
	}
	return work.Next{}, true, l.move(ctx, h, Queued, Why{}, nil)
}

// begin starts a job whose turn it is, if its workspace may train the model now.
func (l *Loop) begin(ctx context.Context, h held, j Job) (next work.Next, again bool, err error) {
	if err := l.World.Refresh(ctx); err != nil {
		return work.Next{}, false, err
	}
	if !l.World.Holds(j.Workspace, j.Base, catalogue.Train) {
		return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonRevoked, "The workspace is not authorized to train " + string(j.Base) + " any more."}, nil)
	}
	j.Provider = "" // it may be another one than last time
	e, err := l.engine(ctx, &j)
	if err != nil {
		if l.Now().Sub(j.UpdatedAt) > waitMost {
			return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonNoEngine, fault.Show(err)}, nil)
		}
		return work.Next{After: 30 * time.Second}, false, nil
	}
	if _, local := e.trainer.(provider.LocalTrainer); local && l.Slots != nil && len(l.Slots) == cap(l.Slots) {
		return work.Next{After: time.Second}, false, nil // others train here
	}
	return work.Next{}, true, l.move(ctx, h, Starting, Why{}, func(now *Job) {
		now.Provider, now.Engine, now.Demo, now.Adapter = e.place.Provider.ID, e.place.Provider.Name, e.abilities.Demo, j.Adapter
		now.Price, now.Restarts = l.price(now, e), 0
	})
}

// settleUp does what is left once a job is over.
func (l *Loop) settleUp(ctx context.Context, h held, j Job) error {
	if j.State == Succeeded && j.Deploy && l.Deploy != nil {
		t, err := l.Tuned(ctx, h.ws, j.Result)
		if err == nil {
			err = l.Deploy(ctx, j, t)
		}
		if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Busy) || fault.Is(err, fault.Internal) {
			return err
		}
		text := "Put up for calls as " + string(j.Output) + "."
		if err != nil {
			text = "It could not be put up for calls: " + fault.Show(err)
		}
		if err := l.say(ctx, h, text); err != nil {
			return err
		}
	}
	e, err := l.engine(ctx, &j)
	switch t := e.trainer.(type) {
	case provider.RemoteTrainer:
		if err == nil && j.Handle != "" {
			if err := t.Forget(ctx, j.Handle); err != nil {
				slog.Warn("an engine keeps what it was told to forget", "training", j.ID, "err", err)
			}
		}
	case provider.Stopper:
		if err := l.stop(ctx, h, t); err != nil {
			return err
		}
	}
	return l.clean(h.ws, h.id)
}

// stop ends what still works for a job that is over: its program may have been
// left to itself when the process that looked after it died.
func (l *Loop) stop(ctx context.Context, h held, t provider.Stopper) error {
	root, err := l.folder(h.ws, h.id)
	if err != nil {
		return err
	}
	defer root.Close()
	return t.Stop(ctx, provider.TrainSpec{Job: h.id, Workspace: h.ws, Folder: root})
}

// move makes one move, under the lease.
func (l *Loop) move(ctx context.Context, h held, to State, why Why, also func(*Job)) error {
	_, err := l.Store.NoteTraining(ctx, h.ws, h.id, h.Lease, func(j *Job) (News, error) {
		e, err := j.Move(to, l.Now(), why)
		if err == nil && also != nil {
			also(j)
		}
		return News{Entries: []Entry{e}}, err
	})
	return moved(err)
}

// moved passes over a move that is not possible any more: somebody else made
// another one, which the next look finds.
func moved(err error) error {
	if _, raced := fault.On(err, "state"); raced {
		return nil
	}
	return err
}

// say writes a line into the log.
func (l *Loop) say(ctx context.Context, h held, text string) error {
	_, err := l.Store.NoteTraining(ctx, h.ws, h.id, h.Lease, func(*Job) (News, error) {
		return News{Entries: []Entry{{At: l.Now(), Text: text}}}, nil
	})
	return err
}

// end makes the last move, with the model that came of the job if one did.
func (l *Loop) end(ctx context.Context, h held, to State, why Why, a *provider.Artifact, also ...func(*Job) News) error {
	_, err := l.Store.EndTraining(ctx, h.ws, h.id, h.Lease, func(j *Job) (news News, event audit.Event, err error) {
		for _, f := range also {
			news = f(j)
		}
		was := j.State
		e, err := j.Move(to, l.Now(), why)
		if err != nil {
			return news, event, err
		}
		if to == Succeeded && j.Steps > 0 {
			j.Step = j.Steps
		}
		news.Entries = append(news.Entries, e)
		if a != nil {
			t := j.tuned(j.Result, j.Output, *a, l.Now())
			t.Size = l.size(*a)
			news.Model = &t
		}
		return news, l.event(j, was, why), nil
	})
	return moved(err)
}

// event tells the trail how a job ended.
func (l *Loop) event(j *Job, was State, why Why) audit.Event {
	e := audit.Event{
		ID: ident.NewEvent(), Account: j.Account, Workspace: j.Workspace, ActorKind: audit.System, ActorName: "bailiwick",
		Action: "trainings:end", Object: string(j.ID), Summary: "a training " + past[j.State],
	}
	e = e.About("training", j.Name).Changed("state", string(was), string(j.State)).With("output", string(j.Output))
	if j.State == Failed {
		e = e.Ended(audit.Failed, why.Reason+": "+why.Message)
	}
	return e
}

// failed says what becomes of a job whose engine ended with an error: again, or
// a next turn, or the end.
func (l *Loop) failed(ctx context.Context, h held, j Job, cause error, also ...func(*Job) News) (next work.Next, again bool, err error) {
	var f *provider.Failure
	switch {
	case errors.As(cause, &f):
		return work.Next{}, true, l.end(ctx, h, Failed, Why{or(f.Reason, ReasonEngine), f.Message}, nil, also...)
	case errors.Is(cause, provider.ErrLost) && j.State == Cancelling:
		return work.Next{}, true, l.end(ctx, h, Cancelled, Why{}, nil, also...)
	case errors.Is(cause, provider.ErrLost):
		if j.Attempts+1 >= attemptsMost {
			return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonLost, "The engine lost it again and again."}, nil, also...)
		}
		err := l.move(ctx, h, Queued, Why{ReasonLost, "The engine lost it."}, func(j *Job) { j.Attempts++ })
		return work.Next{After: time.Second << j.Attempts}, false, err
	case errors.Is(cause, provider.ErrRoom):
		if err := l.move(ctx, h, Queued, Why{ReasonWaiting, "The engine has no room for it now."}, nil); err != nil {
			return work.Next{}, false, err
		}
		return work.Next{}, false, cause // the runner makes growing pauses
	case fault.Is(cause, fault.Unavailable), fault.Is(cause, fault.Busy):
		return work.Next{}, false, cause // the runner makes growing pauses
	case fault.KindOf(cause) != fault.Internal:
		return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonBadValue, fault.Show(cause)}, nil, also...)
	}
	slog.Error("a training failed", "training", h.id, "err", cause)
	return work.Next{}, true, l.end(ctx, h, Failed, Why{ReasonEngine, fault.Show(cause)}, nil, also...)
}
