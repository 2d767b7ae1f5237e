package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bailiwick/internal/store"
)

// cluster is the one PostgreSQL of this process: its socket's folder.
var cluster = sync.OnceValues(startCluster)

var errAbsent = errors.New("PostgreSQL is not installed (no initdb in /usr/lib/postgresql/*/bin or on the PATH)")

var schemas atomic.Int64

// lifeline is the supervisor's standard input. Nothing is written to it; it is
// held here so that it stays open as long as the process lives.
var lifeline io.Closer

// PostgresConfig names a fresh, empty place in PostgreSQL, or skips the test
// where PostgreSQL is not installed. It is a schema of its own: a database of
// its own takes twenty times as long to make.
func PostgresConfig(t testing.TB) store.Config {
	t.Helper()
	folder, err := cluster()
	if errors.Is(err, errAbsent) {
		t.Skip(err)
	}
	must(t, err)
	name := fmt.Sprintf("t%d", schemas.Add(1))
	must(t, admin(t.Context(), folder, "CREATE SCHEMA "+name))
	return store.Config{Database: source(folder) + "&search_path=" + name}
}

func source(folder string) string {
	return "postgres://postgres@/postgres?sslmode=disable&host=" + folder
}

func admin(ctx context.Context, folder, statement string) error {
	conn, err := pgx.Connect(ctx, source(folder))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// supervise makes and runs PostgreSQL until its standard input ends, which it
// does when the test process ends, however that ends; then it leaves nothing
// behind. While PostgreSQL begins it heeds only the first of the two signals,
// afterwards only the second one is prompt.
const supervise = `exec >"$2/log" 2>&1
"$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c synchronous_commit=off ` +
	`-c full_page_writes=off -c shared_buffers=32MB -c max_connections=200 -c autovacuum=off &
pid=$!
cat >/dev/null
kill -TERM $pid
kill -QUIT $pid
wait $pid
rm -rf "$2"`

func startCluster() (folder string, err error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	folder, err = os.MkdirTemp("", "bw-pg-")
	if err != nil {
		return "", err
	}
	attributes, err := unprivileged(folder)
	if err != nil {
		return "", err
	}
	server := exec.Command("sh", "-c", supervise, "sh", bin, folder)
	attributes.Setsid = true // a signal to the test's process group leaves it time to clean up
	server.SysProcAttr, server.Dir = attributes, folder
	if lifeline, err = server.StdinPipe(); err != nil {
		return "", err
	}
	if err := server.Start(); err != nil {
		return "", err
	}
	return folder, ready(folder)
}

// ready waits, since making a cluster takes a second, and many on a busy machine.
func ready(folder string) (err error) {
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(25 * time.Millisecond) {
		if err = admin(context.Background(), folder, "SELECT 1"); err == nil {
			return nil
		}
	}
	log, _ := os.ReadFile(folder + "/log")
	return fmt.Errorf("PostgreSQL does not answer: %w: %s", err, log)
}

func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(slices.Max(found)), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errAbsent
	}
	return filepath.Dir(path), nil
}

// unprivileged makes a root process start PostgreSQL as somebody else, since it
// refuses to run as root, and gives the folder to them.
func unprivileged(folder string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	somebody, err := user.Lookup("postgres")
	if err != nil {
		if somebody, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(somebody.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(somebody.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(folder, int(uid), int(gid))
}
