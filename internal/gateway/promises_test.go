package gateway_test

import (
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/limit"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
)

// soaking reports whether the long forms run, on a machine that is quiet: then
// the promises are held to their figures, else to looser ones.
func soaking() bool { return os.Getenv("SOAK") != "" }

// told is how one call of a crowd went.
type told struct {
	status int
	retry  string
	took   time.Duration
}

// crowd is a client of many connections.
type crowd struct {
	w    *world
	http http.Client
}

func (w *world) crowd() *crowd {
	return &crowd{w, http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, Timeout: 30 * time.Second}}
}

// call makes a call and reads its answer; an answer that does not come has no status.
func (c *crowd) call(key string, ws ident.Workspace) (h told) {
	began := time.Now()
	defer func() { h.took = time.Since(began) }()
	r, _ := http.NewRequest("POST", c.w.http.URL+chat, strings.NewReader(openAIBody("qwen-turbo", "")))
	r.Header.Set("Authorization", "Bearer "+c.w.keys[key])
	r.Header.Set("X-DashScope-WorkSpace", string(ws))
	resp, err := c.http.Do(r)
	if err != nil {
		return h
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return told{status: resp.StatusCode, retry: resp.Header.Get("Retry-After")}
}

// open makes so many calls a second, whether those before were answered or not.
func (c *crowd) open(perSecond int, whole time.Duration) (all []told) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	step := time.Second / time.Duration(perSecond)
	for at := time.Now(); whole > 0; whole -= step {
		time.Sleep(time.Until(at))
		at = at.Add(step)
		wait.Go(func() {
			h := c.call("marketing", marketing)
			mu.Lock()
			all = append(all, h)
			mu.Unlock()
		})
	}
	wait.Wait()
	return all
}

// quantile of how long calls took.
func quantile(all []told, q float64) time.Duration {
	took := make([]time.Duration, len(all))
	for i, h := range all {
		took[i] = h.took
	}
	slices.Sort(took)
	return took[min(int(q*float64(len(took))), len(took)-1)]
}

// P11: callers come at half, at the whole, and at two and three times the rate
// that can be served, and do not wait for each other. What is served does not
// fall with it, what is too much is told at once to come back, and memory stays.
func TestP11_TwiceTheCapacitySheds(t *testing.T) {
	const places, each = 8, 40 * time.Millisecond // 200 calls a second
	const capacity = int(places * time.Second / each)
	w := newWorld(t, func(w *world) { w.config.Bounds = gateway.Bounds{Calls: places} })
	w.mock.Forget()
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
		time.Sleep(each)
		return mockserver.Default(r)
	})
	whole, least, soon := time.Second, 0.5, 500*time.Millisecond
	if soaking() {
		whole, least, soon = 10*time.Second, 0.9, 50*time.Millisecond
	}
	c := w.crowd()
	peak := 0
	for _, times := range []float64{0.5, 1, 2, 3} {
		rate := int(times * float64(capacity))
		all := c.open(rate, whole)
		var served int
		var shed []told
		for _, h := range all {
			switch {
			case h.status == 200:
				served++
			case h.status == 503 && h.retry != "":
				shed = append(shed, h)
			default:
				t.Errorf("%d a second: answered %+v", rate, h)
			}
		}
		peak = max(peak, served)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		late := time.Duration(0)
		if len(shed) > 0 {
			late = quantile(shed, 0.99)
		}
		t.Logf("%d a second: %d of %d served, the rest told in %v (99 of 100), %d MiB in use", rate, served, len(all), late, m.HeapInuse>>20)
		if float64(served) < least*float64(peak) || late > soon || m.HeapInuse > 128<<20 {
			t.Errorf("%d a second: %d of %d served where %d were, refused in %v, %d MiB", rate, served, len(all), peak, late, m.HeapInuse>>20)
		}
		if times >= 2 && len(shed) < len(all)/4 {
			t.Errorf("%d a second: only %d of %d were shed", rate, len(shed), len(all))
		}
	}
}

// P14: one workspace runs against its limits all the time; what another one sees
// of it are at most a few parts in a hundred of its slowest calls.
func TestP14_AWorkspaceAtItsLimitDoesNotSlowAnother(t *testing.T) {
	rounds, calls, most := 1, 150, 4.0
	if n, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		rounds, calls, most = max(1, n/10), 1000, 1.10
	}
	w := newWorld(t, func(w *world) {
		w.facts.Workspaces[1].Limits = policy.Pairs[ident.Model, limit.Setting]{{Key: "qwen-turbo", Value: limit.Setting{Limit: limit.Limit{Requests: rate(1, 3600)}}}}
		w.facts.Workspaces[2].Grants = w.facts.Workspaces[1].Grants
	})
	w.mock.Forget()
	w.mock.Answer(func(r mockserver.Received) mockserver.Reply {
		time.Sleep(5 * time.Millisecond) // a model takes its time
		return mockserver.Default(r)
	})
	noisy, quiet := w.crowd(), w.crowd()
	noisy.call("marketing", marketing)
	quietly := func() (all []told) {
		for range calls {
			h := quiet.call("research", research)
			if h.status != 200 {
				t.Fatalf("the quiet one was answered %+v", h)
			}
			all = append(all, h)
			time.Sleep(time.Millisecond)
		}
		return all
	}
	var alone, beside []told
	refused := 0
	for range rounds {
		alone = append(alone, quietly()...)
		stop, ended := make(chan struct{}), make(chan int)
		go func() {
			n := 0
			for {
				select {
				case <-stop:
					ended <- n
					return
				case <-time.After(2 * time.Millisecond):
				}
				if h := noisy.call("marketing", marketing); h.status == 429 {
					n++
				}
			}
		}()
		beside = append(beside, quietly()...)
		close(stop)
		refused += <-ended
	}
	a, b := quantile(alone, 0.99), quantile(beside, 0.99)
	t.Logf("99 of 100 took %v alone and %v beside a workspace of which %d calls were refused", a, b, refused)
	if refused < calls/10 || float64(b) > most*float64(a)+float64(20*time.Millisecond) {
		t.Errorf("alone %v, beside %v; %d refused", a, b, refused)
	}
}
