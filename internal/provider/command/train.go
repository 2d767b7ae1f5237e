package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bailiwick/internal/provider"
)

// attempts is how often a training is begun: one whose program is gone without a
// word goes on from its last checkpoint.
const attempts = 5

// run is one training while it is looked after.
type run struct {
	*Server
	provider.TrainSpec
	*state
	path  string // of the job's folder
	tell  func(provider.Observation) error
	hides []string // what is taken out of lines that people see
}

// Train implements provider.LocalTrainer. The program is a process of its own
// that runs on when we end; called again, Train finds it and follows it.
func (s *Server) Train(ctx context.Context, t provider.TrainSpec, tell func(provider.Observation) error) (provider.Artifact, error) {
	path, err := absolute(t.Folder)
	if err != nil {
		return provider.Artifact{}, err
	}
	if err := t.Folder.MkdirAll(home, 0o700); err != nil {
		return provider.Artifact{}, err
	}
	kept, err := loadState(t.Folder)
	if err != nil {
		return provider.Artifact{}, err
	}
	r := &run{Server: s, TrainSpec: t, state: kept, path: path, tell: tell}
	for {
		if err := r.cancelled(ctx); err != nil {
			return provider.Artifact{}, err
		}
		code, ended := r.exitCode(r.Folder)
		switch {
		case !ended && r.Process.lives():
			err = r.follow(ctx)
		case ended && code == 0:
			if err := r.rest(); err != nil { // what came after the last look
				return provider.Artifact{}, err
			}
			return r.collect()
		case ended:
			return provider.Artifact{}, r.failure(code)
		case r.Attempt >= attempts:
			return provider.Artifact{}, &provider.Failure{Reason: "lost", Message: fmt.Sprintf("The program ended %d times without a word.", attempts)}
		default:
			err = r.begin()
		}
		if err != nil {
			return provider.Artifact{}, err
		}
	}
}

// Stop implements provider.Stopper.
func (s *Server) Stop(ctx context.Context, t provider.TrainSpec) error {
	kept, err := loadState(t.Folder)
	if err != nil {
		return err
	}
	kept.Process.end(ctx, string(t.Job), s.Grace)
	return nil
}

// cancelled ends the program when nobody wants the training any more; for another
// end of ctx it lets it run on.
func (r *run) cancelled(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, provider.ErrCancel) {
		r.Process.end(context.WithoutCancel(ctx), string(r.Job), r.Grace)
	}
	return cause
}

// begin starts the program, where an earlier attempt left off.
func (r *run) begin() error {
	if r.Attempt > 0 {
		r.Process.end(context.Background(), string(r.Job), 0) // what it started and left behind
		if err := r.rest(); err != nil {                      // steps that are not gone over again
			return err
		}
	} else {
		r.Began = time.Now()
	}
	resume := r.lastCheckpoint()
	r.Attempt++
	r.Told.Output, r.Told.Log = 0, 0
	if err := r.Folder.MkdirAll(r.output(), 0o700); err != nil {
		return err
	}
	if err := r.data(); err != nil {
		return err
	}
	if err := r.configure(resume); err != nil {
		return err
	}
	for _, folder := range []string{"home", "tmp"} {
		if err := r.Folder.MkdirAll(home+"/"+folder, 0o700); err != nil {
			return err
		}
	}
	return spawn(filepath.Join(r.path, r.place()), r.argv(resume), r.environment(), func(p process) error {
		r.Process = p
		return r.save(r.Folder)
	})
}

// data copies the examples to where the program reads them; it sees no other
// file of the workspace's.
func (r *run) data() error {
	if err := r.Folder.MkdirAll(dataHome, 0o700); err != nil {
		return err
	}
	for name, d := range map[string]provider.Data{"train.jsonl": r.TrainSpec.Train, "valid.jsonl": r.Valid} {
		if d.Open == nil {
			continue
		}
		if info, err := r.Folder.Stat(dataHome + "/" + name); err == nil && info.Size() == d.Size {
			continue
		}
		from, err := d.Open()
		if err != nil {
			return err
		}
		to, err := r.Folder.OpenFile(dataHome+"/"+name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = io.Copy(to, from)
			err = errors.Join(err, to.Close())
		}
		if err = errors.Join(err, from.Close()); err != nil {
			return err
		}
	}
	return nil
}

// absolute is the path of an opened folder.
func absolute(root *os.Root) (string, error) { return filepath.Abs(root.Name()) }

// follow tells what the program does until it ends, ctx does, or its time is over.
func (r *run) follow(ctx context.Context) error {
	look := time.NewTicker(r.Poll)
	defer look.Stop()
	for r.Process.lives() {
		if err := r.news(); err != nil {
			return err
		}
		if time.Since(r.Began) > time.Duration(r.Limit) {
			r.Process.end(ctx, string(r.Job), r.Grace)
			return &provider.Failure{Reason: "time_limit", Message: fmt.Sprintf("It took longer than %s, which is the limit of this program.", time.Duration(r.Limit))}
		}
		select {
		case <-ctx.Done():
			return r.cancelled(ctx)
		case <-look.C:
		}
	}
	return nil
}

// failure says how the program failed, with the last of what it said.
func (r *run) failure(code int) error {
	if err := r.rest(); err != nil {
		return err
	}
	said := r.lastWords()
	if said == "" {
		said = "It said nothing."
	}
	reason := "exit_status"
	if code > 128 {
		reason = "killed"
	}
	return &provider.Failure{Reason: reason, Message: fmt.Sprintf("The program ended with status %d. %s", code, said)}
}

// argv fills in the arguments. Nothing of them comes from a caller but numbers.
func (r *run) argv(resume string) []string {
	values := r.values(resume)
	var out []string
	for _, arg := range r.Program.Argv {
		known := true
		for name, v := range values {
			if strings.Contains(arg, name) {
				known = known && v != ""
				arg = strings.ReplaceAll(arg, name, v)
			}
		}
		if known {
			out = append(out, arg)
		}
	}
	return out
}

// environment is all that the program gets to know of ours.
func (r *run) environment() []string {
	env := map[string]string{
		"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1",
		"HOME": filepath.Join(r.path, home, "home"), "TMPDIR": filepath.Join(r.path, home, "tmp"),
	}
	for _, entry := range r.Program.Environment {
		name, value, given := strings.Cut(entry, "=")
		if !given {
			if value, given = os.LookupEnv(name); !given {
				continue
			}
		}
		env[name] = value
	}
	env[strings.TrimSuffix(marker, "=")] = string(r.Job)
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	return list
}

// lastCheckpoint is the path of the newest whole checkpoint of all attempts;
// empty: there is none.
func (r *run) lastCheckpoint() string {
	best, found := int64(-1), ""
	for a := 1; a <= r.Attempt; a++ {
		out := fmt.Sprintf("%s/%d/out", home, a)
		for _, c := range r.checkpointsIn(out) {
			if c.step > best {
				best, found = c.step, filepath.Join(r.path, out, c.name)
			}
		}
	}
	return found
}

type checkpoint struct {
	name string
	step int64
}

// checkpointsIn lists the whole checkpoints of a folder: what Hugging Face's
// trainer writes last into one is its state.
func (r *run) checkpointsIn(out string) (list []checkpoint) {
	entries, err := fs.ReadDir(r.Folder.FS(), out)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		var step int64
		if n, _ := fmt.Sscanf(e.Name(), "checkpoint-%d", &step); n != 1 || e.Name() != fmt.Sprintf("checkpoint-%d", step) {
			continue
		}
		if info, err := r.Folder.Stat(out + "/" + e.Name() + "/trainer_state.json"); err == nil && info.Size() > 0 {
			list = append(list, checkpoint{e.Name(), step})
		}
	}
	return list
}
