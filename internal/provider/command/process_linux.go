package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// script runs a program once it is told to, and writes down how it ended: whoever
// asks later may not be its parent. When we end before the state of the process
// is kept, it reads the end of its input and runs nothing.
const script = `umask 077
read -r go || exit 125
"$@" </dev/null
code=$?
echo "$code" >exit
exit "$code"`

// marker stands in the environment of every process of a job.
const marker = "BAILIWICK_TRAINING="

// spawn starts a program in a session and group of its own, in a folder, with its
// output in a file there. It runs once kept has kept which process it is.
func spawn(folder string, argv, environment []string, kept func(process) error) error {
	keepFiles()
	out, err := os.OpenFile(folder+"/output.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "training"}, argv...)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = folder, environment, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	word, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait() // so that it does not stay as a zombie; how it ended it writes itself
	defer word.Close()
	p, err := identify(cmd.Process.Pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil // it is gone already, as whoever looks for it will see
	}
	if err == nil {
		err = kept(p)
	}
	if err == nil {
		_, _ = io.WriteString(word, "go\n") // likewise
	}
	return err
}

// keepFiles lets no program have files of ours. Those that Go opens it would not
// get anyway; those that we were started with it would.
func keepFiles() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// identify says which process has a number now.
func identify(pid int) (process, error) {
	start, _, err := stat(pid)
	if err != nil {
		return process{}, err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return process{pid, start, strings.TrimSpace(string(boot))}, err
}

// stat reads when a process started, in ticks since the machine did, and whether
// it is more than a zombie.
func stat(pid int) (start uint64, lives bool, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // the name before may hold anything
	if len(fields) < 20 {
		return 0, false, errors.New("a line of /proc is not as it should be")
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return start, fields[0] != "Z" && fields[0] != "X", err
}

// lives reports whether a process is still there.
func (p process) lives() bool {
	if p.PID <= 1 {
		return false
	}
	now, err := identify(p.PID)
	_, more, statErr := stat(p.PID)
	return err == nil && statErr == nil && more && now == p
}

// end ends a program and all that it started: it is asked to, and made to after a while.
func (p process) end(ctx context.Context, job string, grace time.Duration) {
	if p.lives() {
		_ = syscall.Kill(-p.PID, syscall.SIGTERM)
		for deadline := time.Now().Add(grace); p.lives() && time.Now().Before(deadline) && ctx.Err() == nil; {
			time.Sleep(min(50*time.Millisecond, grace))
		}
	}
	if p.lives() {
		_ = syscall.Kill(-p.PID, syscall.SIGKILL)
	}
	for range 100 { // what outlived its parents
		left := members(job)
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if len(left) == 0 && !p.lives() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// members lists the processes that have a job's marker in their environment.
func members(job string) (pids []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	mark := []byte(marker + job + "\x00")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		text, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err != nil || !bytes.HasPrefix(text, mark) && !bytes.Contains(text, append([]byte{0}, mark...)) {
			continue
		}
		if _, lives, err := stat(pid); err == nil && lives {
			pids = append(pids, pid)
		}
	}
	return pids
}
