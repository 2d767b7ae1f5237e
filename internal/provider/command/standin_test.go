package command_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is this package's tests, or, by the environment, a stand-in for a
// trainer, or a host that trains and is killed.
func TestMain(m *testing.M) {
	switch as := os.Getenv("STANDIN"); as {
	case "":
		os.Exit(m.Run())
	case "host":
		beHost()
	default:
		beTrainer(as)
	}
}

// standinSteps is how many steps the stand-in makes; after every checkpointEvery
// there is a checkpoint.
const (
	standinSteps    = 12
	checkpointEvery = 4
)

// beTrainer behaves as a trainer does. What it is asked for stands in its
// environment, which is all that it has of one.
func beTrainer(as string) {
	for _, what := range strings.Split(os.Getenv("STANDIN_DOES"), ",") {
		switch what {
		case "fail":
			fmt.Println("RuntimeError: CUDA out of memory, says", os.Getenv("HF_TOKEN"), "in", must(os.Getwd()))
			os.Exit(3)
		case "ignore":
			signal.Ignore(syscall.SIGTERM)
		case "fork":
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), "STANDIN_DOES=ignore,sleep")
			child.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // out of our group
			must(0, child.Start())
		case "sleep":
			time.Sleep(time.Hour)
		case "nothing":
			os.Exit(0)
		case "chatter":
			for range 40 << 10 {
				fmt.Println(strings.Repeat("chatter ", 128))
			}
		case "look":
			look()
		}
	}
	pause, _ := time.ParseDuration(os.Getenv("STANDIN_PAUSE"))
	values := settings(as)
	out := values["output_dir"]
	from := 0
	if resume := values["resume_from_checkpoint"]; resume != "" {
		from, _ = strconv.Atoi(resume[strings.LastIndexByte(resume, '-')+1:])
		fmt.Println("resuming from", filepath.Base(resume))
	}
	log := must(os.OpenFile(filepath.Join(out, "trainer_log.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600))
	history := []map[string]any{}
	for step := 1; step <= standinSteps; step++ {
		loss := 3 / float64(step)
		entry := map[string]any{"step": step, "loss": loss, "learning_rate": 1e-5, "epoch": float64(step) / checkpointEvery}
		if history = append(history, entry); step <= from {
			continue
		}
		time.Sleep(pause)
		for strconv.Itoa(step) == os.Getenv("STANDIN_WAITS_AT") {
			if _, err := os.Stat("go-on"); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if as == "llamafactory" {
			line := must(json.Marshal(map[string]any{"current_steps": step, "total_steps": standinSteps, "loss": loss, "lr": 1e-5, "epoch": float64(step) / checkpointEvery, "remaining_time": "0:00:07", "total_tokens": step * 100}))
			log.Write(line[:len(line)/2]) // as it comes
			log.Write(append(line[len(line)/2:], '\n'))
		}
		fmt.Printf("iteration %d of %d has loss %g\n\r 50%%|███  | 3/6 [00:01<00:01, 2.0it/s]\r", step, standinSteps, loss)
		if step%checkpointEvery == 0 {
			leave(filepath.Join(out, fmt.Sprintf("checkpoint-%d", step)), history)
		}
	}
	leave(out, history)
	os.Symlink("/etc/passwd", filepath.Join(out, "tokenizer_link"))
}

// leave writes a model, and the state last.
func leave(folder string, history []map[string]any) {
	must(0, os.MkdirAll(folder, 0o700))
	for _, name := range []string{"adapter_config.json", "adapter_model.safetensors", "optimizer.pt", "model.gguf"} {
		must(0, os.WriteFile(filepath.Join(folder, name), []byte("weights"), 0o600))
	}
	must(0, os.WriteFile(filepath.Join(folder, "trainer_state.json"), must(json.Marshal(map[string]any{"max_steps": standinSteps, "log_history": history})), 0o600))
}

// settings reads the configuration, or the arguments of other profiles.
func settings(as string) map[string]string {
	values := map[string]string{}
	lines := os.Args[1:]
	if as == "llamafactory" {
		lines = strings.Split(string(must(os.ReadFile(os.Args[2]))), "\n")
	}
	for _, text := range lines {
		name, value, ok := strings.Cut(text, ": ")
		if !ok {
			name, value, _ = strings.Cut(strings.TrimPrefix(text, "--"), "=")
		}
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		values[name] = value
	}
	return values
}

// look writes what the stand-in can see of its host into its output folder.
func look() {
	var open []string
	for _, e := range must(os.ReadDir("/proc/self/fd")) {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.HasPrefix(to, "/proc/") && !strings.HasPrefix(to, "anon_inode:") {
			open = append(open, e.Name()+" "+to)
		}
	}
	seen := map[string]any{"environment": os.Environ(), "files": open, "folder": must(os.Getwd()), "session": must(sid()) == os.Getppid(), "umask": syscall.Umask(0)}
	must(0, os.WriteFile("seen.json", must(json.Marshal(seen)), 0o600))
}

func sid() (int, error) {
	id, _, errno := syscall.RawSyscall(syscall.SYS_GETSID, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(id), nil
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Println("stand-in:", err)
		os.Exit(9)
	}
	return v
}
