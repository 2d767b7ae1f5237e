package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/usage"
)

// The kill test runs this binary again as the server that is killed.
// BAILIWICK_KILLS says how often; the usual run kills a few times.
const (
	servedAs      = "BAILIWICK_TEST_SERVES"
	killsVariable = "BAILIWICK_KILLS"
)

func TestMain(m *testing.M) {
	if os.Getenv(servedAs) != "" {
		main()
		os.Exit(0)
	}
	beRole()
	os.Exit(m.Run())
}

// estate is what the killed servers serve, and who calls them.
type estate struct {
	t      *testing.T
	place  place
	mock   *mockserver.Server
	key    string
	ws     ident.Workspace
	client *http.Client

	mu      sync.Mutex
	reached map[string]int  // requests that reached the model server, by id
	whole   map[string]bool // answers that a caller had to the end
}

func newEstate(t *testing.T, c store.Config) *estate {
	t.Helper()
	e := &estate{t: t, reached: map[string]int{}, whole: map[string]bool{}, client: &http.Client{Timeout: 10 * time.Second}}
	e.place = place{Data: c.Data, Database: c.Database}
	if e.place.Data == "" {
		e.place.Data = filepath.Join(t.TempDir(), "data")
		must(t, os.Mkdir(e.place.Data, 0o700))
		c.Data = e.place.Data
	}
	s, err := store.Open(t.Context(), c)
	must(t, err)
	defer s.Close()
	master, err := secret.LoadMaster(e.place.masterKey())
	must(t, err)
	e.mock, err = mockserver.Start()
	must(t, err)
	t.Cleanup(e.mock.Close)
	e.mock.Forget()
	e.mock.Answer(e.answer)
	w := storetest.NewWorld(t, s, "acme")
	w.Model("m")
	w.Serve(w.Provider("mock", provider.OpenAI, e.mock.URL).ID, "m")
	_, text := w.Key(w.Default, master.Pepper())
	e.key, e.ws = text.Reveal(), w.Default
	return e
}

// answer is the model server's: it notes who asked, and takes its time.
func (e *estate) answer(r mockserver.Received) mockserver.Reply {
	e.mu.Lock()
	e.reached[r.Header.Get("X-Request-Id")]++
	e.mu.Unlock()
	reply := mockserver.Chat{Words: strings.Split("one two three four five six", " "), Input: 7}.Answer(r)
	reply.Pause = time.Duration(rand.IntN(4)) * time.Millisecond
	return reply
}

var announced = regexp.MustCompile(`Console and gateway: (http://\S+)`)

// serve starts a server and gives its address.
func (e *estate) serve() (server *exec.Cmd, base string) {
	e.t.Helper()
	args := []string{"serve", "--data", e.place.Data, "--listen", "127.0.0.1:0", "--metrics-listen", "off", "--allow-private", e.mock.Addr}
	if e.place.Database != "" {
		args = append(args, "--database", e.place.Database)
	}
	server = exec.Command(os.Args[0], args...)
	server.Env = append(os.Environ(), servedAs+"=1")
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	must(e.t, err)
	must(e.t, server.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := announced.FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, out)
			return server, m[1]
		}
	}
	e.t.Fatal("the server did not say where it is")
	return nil, ""
}

// ask makes one call; now and then the caller hangs up in the middle. It reports
// whether there is still a server.
func (e *estate) ask(base string) bool {
	stream := rand.IntN(2) == 0
	body := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"count to six"}],"stream":%v}`, stream)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "POST", base+"/v1/chat/completions", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+e.key)
	hangsUp := rand.IntN(5) == 0
	if hangsUp && rand.IntN(2) == 0 {
		time.AfterFunc(time.Duration(rand.IntN(6))*time.Millisecond, cancel)
	}
	resp, err := e.client.Do(r)
	if err != nil {
		return hangsUp
	}
	defer resp.Body.Close()
	if hangsUp {
		io.ReadFull(resp.Body, make([]byte, rand.IntN(200)))
		return true
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusOK && (!stream || bytes.Contains(text, []byte("[DONE]"))) {
		e.mu.Lock()
		e.whole[resp.Header.Get("X-Request-Id")] = true
		e.mu.Unlock()
	}
	return err == nil
}

// kill lets callers torment a server and kills it at a random moment.
func (e *estate) kill() {
	server, base := e.serve()
	var callers sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		callers.Go(func() {
			for e.ask(base) {
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	time.Sleep(time.Duration(20+rand.IntN(500)) * time.Millisecond)
	server.Process.Kill()
	close(stop)
	server.Wait()
	callers.Wait()
}

// P1, P3, P5: whatever moment a server is killed at, every request that reached
// the model server is in the books once, what a caller had to its end is booked
// with the provider's figures, and the books balance.
func TestKillingTheServerUnderLoadLosesAndInventsNoCall(t *testing.T) {
	kills := 3
	if n, err := strconv.Atoi(os.Getenv(killsVariable)); err == nil {
		kills = n
	} else if n, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		kills = 2 * n
	}
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		e := newEstate(t, c)
		for range kills {
			e.kill()
		}
		server, base := e.serve()
		for range 20 {
			e.ask(base)
		}
		must(t, server.Process.Signal(syscall.SIGTERM))
		if err := server.Wait(); err != nil {
			t.Errorf("it stopped with %v", err)
		}
		if left, _ := filepath.Glob(e.place.journal() + "/*"); len(left) > 0 {
			t.Errorf("left in the journal: %q", left)
		}
		e.audit(kills)
	})
}

// audit compares the books with what the model server saw and the callers got.
func (e *estate) audit(kills int) {
	t := e.t
	s, err := store.Open(t.Context(), store.Config{Data: e.place.Data, Database: e.place.Database})
	must(t, err)
	defer s.Close()
	w, err := s.AccountByAlias(t.Context(), "acme")
	must(t, err)
	booked := map[string]usage.Listed{}
	unseen, estimated := 0, 0
	for p := (usage.Page{Limit: 1000}); ; {
		page, next, err := s.Usage(t.Context(), w.ID, usage.Filter{}, p)
		must(t, err)
		for _, r := range page {
			if _, twice := booked[string(r.Call)]; twice {
				t.Errorf("call %s is booked twice", r.Call)
			}
			booked[string(r.Call)] = r
			if r.Source == usage.Nothing {
				continue
			}
			if r.Source == usage.Estimated {
				estimated++
			}
			if e.reached[string(r.Call)] == 0 {
				unseen++ // begun in the books and killed before it was sent
				if r.Source != usage.Estimated {
					t.Errorf("a call that no model server saw is booked: %+v", r)
				}
			}
		}
		if p.After = next; next == "" {
			break
		}
	}
	for id, n := range e.reached {
		if r, ok := booked[id]; !ok || n != 1 || r.Source == usage.Nothing || r.Input == 0 {
			t.Errorf("call %s reached the model server %d times and is booked as %+v", id, n, r)
		}
	}
	for id := range e.whole {
		if r := booked[id]; r.Source != usage.FromProvider || r.Code != "" || r.Input != 7 {
			t.Errorf("a call that its caller had to the end is booked as %+v", r)
		}
	}
	must(t, s.VerifyUsage(t.Context(), time.Time{}, func(d usage.Difference) { t.Errorf("the books do not balance: %+v", d) }))
	out := new(bytes.Buffer)
	if err := (booksCommand{e.place}).verify(t.Context(), out); err != nil || out.String() != "The books balance.\n" {
		t.Errorf("verify-books says %q, %v", out, err)
	}
	if unseen > 8*kills {
		t.Errorf("%d calls are booked that no model server saw", unseen)
	}
	t.Logf("%d kills: %d requests reached the model server, %d are booked (%d estimated, of them %d cut off before they were sent), %d answers were whole",
		kills, len(e.reached), len(booked), estimated, unseen, len(e.whole))
}
