package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"bailiwick/internal/provider"
	"bailiwick/internal/provider/curve"
	"bailiwick/internal/provider/line"
)

// Bounds of what is read of a program at once, and of what it may write.
const (
	mostRead   = 1 << 20  // bytes
	mostOutput = 16 << 20 // bytes of output that are kept
	mostLines  = 200      // that are told at once
	mostLine   = 500      // characters
)

// news reads what the program wrote since the last look and tells of it; what was
// told is kept after that.
func (r *run) news() error {
	o := provider.Observation{Phase: provider.PhaseRunning}
	output, err := r.read(r.place()+"/output.log", &r.Told.Output)
	if err != nil {
		return err
	}
	r.lines(&o, output)
	switch r.Profile {
	case "llamafactory":
		var log string
		if log, err = r.read(r.output()+"/trainer_log.jsonl", &r.Told.Log); err == nil {
			for text := range strings.Lines(log) {
				r.logged(&o, text)
			}
		}
	case "hf_trainer_state":
		err = r.trainerState(&o)
	}
	if err != nil {
		return err
	}
	r.newCheckpoints(&o)
	if err := r.tell(o); err != nil {
		return err
	}
	if err := r.save(r.Folder); err != nil {
		return err
	}
	return r.bound()
}

// read reads the whole lines of a file from an offset on, which it moves.
func (r *run) read(name string, at *int64) (string, error) {
	f, err := r.Folder.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, *at, mostRead))
	if err != nil {
		return "", err
	}
	whole := bytes.LastIndexAny(text, "\n\r") + 1
	if whole == 0 && len(text) == mostRead { // a line without an end
		whole = len(text)
	}
	*at += int64(whole)
	return strings.ToValidUTF8(string(text[:whole]), "?"), nil
}

// rest tells all that is left when the program has ended.
func (r *run) rest() error {
	for range 2 * mostOutput / mostRead {
		before := [2]int64{r.Told.Output, r.Told.Log}
		if err := r.news(); err != nil {
			return err
		}
		if before == [2]int64{r.Told.Output, r.Told.Log} {
			break
		}
	}
	return nil
}

// bound keeps what the program says from filling the disk: too much of it is
// dropped, read or not. The file is open for appending, so that it goes on at its
// beginning.
func (r *run) bound() error {
	if info, err := r.Folder.Stat(r.place() + "/output.log"); err != nil || info.Size() < mostOutput {
		return nil // it is not there, or small
	}
	f, err := r.Folder.OpenFile(r.place()+"/output.log", os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	r.Told.Output = 0
	return errors.Join(f.Close(), r.save(r.Folder))
}

// lines makes lines of output, without bars of progress, and with a pattern
// points of those that tell of a step.
func (r *run) lines(o *provider.Observation, output string) {
	for _, text := range strings.FieldsFunc(output, func(c rune) bool { return c == '\n' || c == '\r' }) {
		if r.Profile == "regex" && r.matched(o, text) {
			continue
		}
		text = r.show(text)
		if text == "" || strings.Contains(text, "it/s]") || strings.Contains(text, "s/it]") || strings.Contains(text, "?it/s") {
			continue
		}
		o.Lines = append(o.Lines, provider.Line{At: time.Now(), Text: text})
	}
	if over := len(o.Lines) - mostLines; over > 0 {
		kept := append([]provider.Line{}, o.Lines[over:]...)
		kept[0].Text = fmt.Sprintf("… %d lines were left out …", over+1)
		o.Lines = kept
	}
}

// show makes a line of output one that people of the workspace may see: without
// the paths of this host, and without secrets of the program's environment.
func (r *run) show(text string) string {
	if r.hides == nil {
		r.hides = []string{r.path, "…"}
		for _, entry := range r.environment() {
			name, value, _ := strings.Cut(entry, "=")
			if name = strings.ToUpper(name); len(value) >= 6 && (strings.Contains(name, "TOKEN") || strings.Contains(name, "KEY") || strings.Contains(name, "SECRET") || strings.Contains(name, "PASS")) {
				r.hides = append(r.hides, value, "[redacted]")
			}
		}
	}
	return line.OneLine(strings.NewReplacer(r.hides...).Replace(text), mostLine)
}

// lastWords are the last lines of output, for whoever asks why.
func (r *run) lastWords() string {
	f, err := r.Folder.Open(r.place() + "/output.log")
	if err != nil {
		return ""
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err == nil {
		text, _ := io.ReadAll(io.NewSectionReader(f, max(0, end-2000), 2000))
		lines := strings.FieldsFunc(string(text), func(c rune) bool { return c == '\n' || c == '\r' })
		return r.show(strings.Join(lines[max(0, len(lines)-3):], " / "))
	}
	return ""
}

// step adds what is new about a step.
func (r *run) step(o *provider.Observation, s curve.Step) {
	o.Step, o.Steps, o.Epoch = max(o.Step, s.Step), max(o.Steps, s.Steps), max(o.Epoch, int(s.Epoch))
	for _, p := range s.Points {
		if last, told := r.Told.Steps[p.Name]; !told || p.Step > last { // an attempt goes over steps again
			r.Told.Steps[p.Name] = p.Step
			o.Points = append(o.Points, p)
		}
	}
}

// logged reads a line of LLaMA-Factory's log.
func (r *run) logged(o *provider.Observation, text string) {
	var values map[string]any
	if json.Unmarshal([]byte(text), &values) != nil {
		return
	}
	if s, ok := curve.Of(values); ok {
		r.step(o, s)
	}
	if n, ok := values["total_tokens"].(float64); ok {
		o.TrainedTokens = int64(n)
	}
	if left, ok := values["remaining_time"].(string); ok {
		o.Left = clock(left)
	}
}

// clock reads "1 day, 2:03:04" and "2:03:04"; 0: it is no time.
func clock(s string) time.Duration {
	var days, h, m, sec int
	if before, after, ok := strings.Cut(s, ", "); ok {
		if _, err := fmt.Sscanf(before, "%d day", &days); err != nil {
			return 0
		}
		s = after
	}
	if n, err := fmt.Sscanf(s, "%d:%d:%d", &h, &m, &sec); n != 3 || err != nil {
		return 0
	}
	return time.Duration(days)*24*time.Hour + time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second
}

// trainerState reads what Hugging Face's trainer keeps in its newest checkpoint,
// and at its end beside them.
func (r *run) trainerState(o *provider.Observation) error {
	newest, place := int64(-1), r.output()
	for _, c := range r.checkpointsIn(place) {
		if c.step > newest {
			newest, place = c.step, r.output()+"/"+c.name
		}
	}
	for _, name := range []string{place, r.output()} {
		var kept struct {
			Steps int64            `json:"max_steps"`
			Log   []map[string]any `json:"log_history"`
		}
		text, err := r.Folder.ReadFile(name + "/trainer_state.json")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if json.Unmarshal(text, &kept) != nil {
			continue // it is being written
		}
		for _, values := range kept.Log {
			if s, ok := curve.Of(values); ok {
				s.Steps = kept.Steps
				r.step(o, s)
			}
		}
	}
	return nil
}

// matched reads a line by the operator's pattern.
func (r *run) matched(o *provider.Observation, text string) bool {
	m := r.pattern.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	values := map[string]any{}
	for i, name := range r.pattern.SubexpNames() {
		if name == "steps" {
			name = "total_steps"
		}
		if name != "" && m[i] != "" {
			values[name] = m[i]
		}
	}
	s, ok := curve.Of(values)
	if ok {
		r.step(o, s)
	}
	return ok
}
