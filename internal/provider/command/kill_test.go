package command_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/providertest"
)

// beHost trains, as the program that will be killed, and writes down what it is told.
func beHost() {
	folder := must(os.OpenRoot(os.Getenv("HOST_FOLDER")))
	s := must(declare("llamafactory", "STANDIN_PAUSE="+os.Getenv("HOST_PAUSE"), "STANDIN_WAITS_AT="+os.Getenv("HOST_WAITS_AT")))
	diary := must(os.OpenFile(os.Getenv("HOST_DIARY"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600))
	spec := provider.TrainSpec{Job: ident.Training(os.Getenv("HOST_JOB")), Base: "qwen-turbo", Method: provider.SFT, Adapter: provider.LoRA, Train: providertest.Data(providertest.Examples(24)), Folder: folder}
	_ = must(s.Train(nobodyEnds{}, spec, func(o provider.Observation) error {
		for _, p := range o.Points {
			fmt.Fprintf(diary, "%s\n", must(json.Marshal(p)))
		}
		return nil
	}))
}

// nobodyEnds is a context for a process that is killed.
type nobodyEnds struct{}

func (nobodyEnds) Deadline() (time.Time, bool) { return time.Time{}, false }
func (nobodyEnds) Done() <-chan struct{}       { return nil }
func (nobodyEnds) Err() error                  { return nil }
func (nobodyEnds) Value(any) any               { return nil }

// host starts a process that trains and gives a way to kill it.
func host(t *testing.T, spec provider.TrainSpec, diary, pause, waitsAt string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), "STANDIN=host", "HOST_FOLDER="+spec.Folder.Name(), "HOST_JOB="+string(spec.Job), "HOST_DIARY="+diary, "HOST_PAUSE="+pause, "HOST_WAITS_AT="+waitsAt)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

func points(t *testing.T, diary string) (list []provider.Point) {
	f, err := os.Open(diary)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var p provider.Point
		if json.Unmarshal(lines.Bytes(), &p) == nil {
			list = append(list, p)
		}
	}
	return list
}

// finish trains to the end and makes sure that every value was told, and never
// another one of the same step.
func finish(t *testing.T, spec provider.TrainSpec, before []provider.Point) (lines string) {
	t.Helper()
	told := map[string]float64{}
	note := func(p provider.Point) {
		at := fmt.Sprint(p.Name, p.Step)
		if v, twice := told[at]; twice && v != p.Value {
			t.Errorf("%s is %g and %g", at, v, p.Value)
		}
		told[at] = p.Value
	}
	for _, p := range before {
		note(p)
	}
	a, err := program(t, "llamafactory").Train(t.Context(), spec, func(o provider.Observation) error {
		for _, p := range o.Points {
			note(p)
		}
		for _, l := range o.Lines {
			lines += l.Text + "\n"
		}
		return nil
	})
	if err != nil || len(a.Files) != 2 || len(told) != 2*standinSteps || running(spec) {
		t.Errorf("%v, %v, %d values, and it runs: %t", err, a.Files, len(told), running(spec))
	}
	return lines
}

func attempt(t *testing.T, spec provider.TrainSpec) (n int) {
	t.Helper()
	var state struct{ Attempt int }
	text, err := spec.Folder.ReadFile("run/state.json")
	if err != nil || json.Unmarshal(text, &state) != nil {
		t.Fatal(err)
	}
	return state.Attempt
}

func TestAProgramWhoseHostWasKilledIsAdopted(t *testing.T) {
	spec, diary := providertest.Spec(t, "qwen-turbo", provider.LoRA), filepath.Join(t.TempDir(), "diary")
	h := host(t, spec, diary, "20ms", "6")
	waitFor(t, func() bool { return len(points(t, diary)) >= 10 })
	h.Process.Kill()
	h.Wait()
	if !running(spec) {
		t.Fatal("the trainer died with its host")
	}
	if err := spec.Folder.WriteFile("run/1/go-on", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	lines := finish(t, spec, points(t, diary))
	if n := attempt(t, spec); n != 1 || strings.Contains(lines, "resuming") {
		t.Errorf("it was begun %d times:\n%s", n, lines)
	}
}

func TestAProgramThatWasKilledWithItsHostGoesOnFromItsLastCheckpoint(t *testing.T) {
	spec, diary := providertest.Spec(t, "qwen-turbo", provider.LoRA), filepath.Join(t.TempDir(), "diary")
	h := host(t, spec, diary, "20ms", "10")
	waitFor(t, func() bool { return len(points(t, diary)) >= 2*checkpointEvery+3 })
	h.Process.Kill()
	h.Wait()
	waitFor(t, func() bool {
		_, err := spec.Folder.Stat("run/1/out/checkpoint-8/trainer_state.json")
		return err == nil
	}) // nobody was told of some steps
	killAll(spec)
	lines := finish(t, spec, points(t, diary))
	if n := attempt(t, spec); n != 2 || !strings.Contains(lines, "resuming from checkpoint-8") {
		t.Errorf("it was begun %d times:\n%s", n, lines)
	}
}

func TestAHostThatIsKilledAtAnyMomentLeavesOneProgramAtMost(t *testing.T) {
	spec, diary := providertest.Spec(t, "qwen-turbo", provider.LoRA), filepath.Join(t.TempDir(), "diary")
	for i := range 8 {
		h := host(t, spec, diary, "60ms", "")
		time.Sleep(time.Duration(i*9) * time.Millisecond)
		h.Process.Kill()
		h.Wait()
		if n := len(pids(spec)); n > 2 { // the shell that waits for it, and itself
			t.Fatalf("%d processes work for it", n)
		}
	}
	finish(t, spec, points(t, diary))
	if n := attempt(t, spec); n > 4 {
		t.Errorf("it was begun %d times", n)
	}
}

func TestATrainingWhoseProgramDiesWithoutAWordEveryTimeFails(t *testing.T) {
	spec := providertest.Spec(t, "qwen-turbo", provider.LoRA)
	killing := make(chan struct{})
	defer close(killing)
	go func() {
		for {
			select {
			case <-killing:
				return
			case <-time.After(5 * time.Millisecond):
				killAll(spec)
			}
		}
	}()
	_, err := program(t, "llamafactory", "STANDIN_DOES=sleep").Train(t.Context(), spec, func(provider.Observation) error { return nil })
	if failed, ok := err.(*provider.Failure); !ok || failed.Reason != "lost" || attempt(t, spec) != 5 {
		t.Errorf("%v after %d attempts", err, attempt(t, spec))
	}
}

func pids(spec provider.TrainSpec) (list []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range files {
		text, _ := os.ReadFile(f)
		if strings.Contains("\x00"+string(text), "\x00BAILIWICK_TRAINING="+string(spec.Job)+"\x00") {
			pid, _ := strconv.Atoi(strings.Split(f, "/")[2])
			list = append(list, pid)
		}
	}
	return list
}

// killAll kills what works for a training, all at once as far as that can be.
func killAll(spec provider.TrainSpec) {
	for range 3 {
		for _, pid := range pids(spec) {
			syscall.Kill(pid, syscall.SIGSTOP)
		}
	}
	for _, pid := range pids(spec) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

func waitFor(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to it")
		}
	}
}
