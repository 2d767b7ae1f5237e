package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// state is what a job's folder keeps of the program that trains it, so that one
// that runs on is found after a restart of ours, and one that is gone is known to be.
type state struct {
	Attempt int       `json:"attempt"` // 0: it was never begun
	Began   time.Time `json:"began"`   // the first one
	Process process   `json:"process"`
	Told    told      `json:"told"`
}

// process names one, also after its number was given to another.
type process struct {
	PID   int    `json:"pid"` // and of its session and group
	Start uint64 `json:"start"`
	Boot  string `json:"boot"` // of the machine, which numbers begin anew with
}

// told is what was told already. Offsets are those of the present attempt.
type told struct {
	Output      int64            `json:"output"` // bytes of the program's output
	Log         int64            `json:"log"`    // bytes of its own log
	Steps       map[string]int64 `json:"steps"`  // the last step of each curve
	Checkpoints map[string]bool  `json:"checkpoints"`
}

// The places below a job's folder.
const (
	home      = "run"
	stateFile = "run/state.json"
	dataHome  = "run/data"
	modelHome = "model"
)

// place is where an attempt lies.
func (s *state) place() string { return fmt.Sprintf("%s/%d", home, s.Attempt) }

func (s *state) output() string { return s.place() + "/out" }

func loadState(root *os.Root) (*state, error) {
	s := &state{Told: told{Steps: map[string]int64{}, Checkpoints: map[string]bool{}}}
	text, err := root.ReadFile(stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s: %w", stateFile, err)
	}
	if s.Told.Steps == nil {
		s.Told.Steps = map[string]int64{}
	}
	if s.Told.Checkpoints == nil {
		s.Told.Checkpoints = map[string]bool{}
	}
	return s, nil
}

// save writes the state so that it is there as a whole or as it was.
func (s *state) save(root *os.Root) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := root.OpenFile(stateFile+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return root.Rename(stateFile+".new", stateFile)
}

// exitCode is how an attempt's program ended; false: it did not, or nobody was
// there to say so.
func (s *state) exitCode(root *os.Root) (code int, ended bool) {
	text, err := root.ReadFile(s.place() + "/exit")
	if err != nil {
		return 0, false
	}
	_, err = fmt.Sscanf(string(text), "%d\n", &code)
	return code, err == nil
}
