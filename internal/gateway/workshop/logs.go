package workshop

import (
	"cmp"
	"context"
	"time"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/training"
)

// complete is the last line of a log, when nothing more will come.
const complete = "##FT_COMPLETE##"

// tuneLog answers GET /api/v1/fine-tunes/{id}/logs. Lines are counted from 1, as
// the SDK does; its documentation's 0 is the first one too.
func (w *Workshop) tuneLog(ctx context.Context, v *Visit) *dialect.Refusal {
	values, r := v.query("offset", "line")
	if r != nil {
		return r
	}
	offset, r := number(values, "offset", 1, 0, 1<<30)
	if r != nil {
		return r
	}
	most, r := number(values, "line", 100, 1, 1000)
	if r != nil {
		return r
	}
	j, err := w.job(ctx, v)
	if err != nil {
		return explain(err, false, noJob())
	}
	from := int64(max(offset, 1))
	entries, total, err := w.Trainings.Log(ctx, v.By, v.Workspace, j.ID, from, most)
	if err != nil {
		return explain(err, false, noJob())
	}
	lines := make([]string, 0, len(entries)+1)
	for _, e := range entries {
		lines = append(lines, lineOf(e))
	}
	if j.State.Over() {
		if total++; from <= total && from+int64(len(entries)) == total && len(lines) < most {
			lines = append(lines, complete)
		}
	}
	return v.output(object{"total": total, "logs": lines})
}

func lineOf(e training.Entry) string { return stamp(e.At) + " " + e.Text }

// streamTune answers GET /api/v1/fine-tunes/{id}/stream: every line of the log so
// far, and then each as it comes, until the job is over.
func (w *Workshop) streamTune(ctx context.Context, v *Visit) *dialect.Refusal {
	if _, r := v.query(); r != nil {
		return r
	}
	j, err := w.job(ctx, v)
	if err != nil {
		return explain(err, false, noJob())
	}
	v.Begin("text/event-stream;charset=UTF-8")
	tick := w.Tick
	if tick == 0 {
		tick = time.Second
	}
	for from, quiet := int64(1), 0; ; {
		entries, _, err := w.Trainings.Log(ctx, v.By, v.Workspace, j.ID, from, 500)
		if err != nil {
			return w.brokenStream(v, err)
		}
		for _, e := range entries {
			from = e.Number + 1
			if !v.event(object{"create_time": stamp(e.At), "status": states[cmp.Or(e.State, j.State)], "message": e.Text}) {
				return nil
			}
			quiet = 0
		}
		if len(entries) == 0 && j.State.Over() {
			v.event(object{"create_time": stamp(j.EndedAt), "status": states[j.State], "message": complete})
			return nil
		}
		if quiet++; quiet%15 == 0 && !v.Send([]byte(":heartbeat\n\n")) {
			return nil
		}
		if len(entries) == 0 && !rest(ctx, tick) {
			return nil
		}
		if r := v.Ask("", 0); r != nil { // the key may be gone by now
			return w.brokenStream(v, nil)
		}
		if j, err = w.job(ctx, v); err != nil {
			return w.brokenStream(v, err)
		}
	}
}

// brokenStream ends a stream that has begun with an event that says so.
func (w *Workshop) brokenStream(v *Visit, err error) *dialect.Refusal {
	if err != nil {
		explain(err, false, noJob())
	}
	v.Send([]byte("event:error\nstatus:403\ndata:{\"code\":\"AccessDenied\",\"message\":\"The stream cannot go on.\"}\n\n"))
	return nil
}

// event sends one event of a stream.
func (v *Visit) event(value any) bool {
	body, err := encoded(value)
	if err != nil {
		return false
	}
	return v.Send(append(append([]byte("event:result\ndata:"), body...), "\n\n"...))
}

// rest waits; false: the caller hung up.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
