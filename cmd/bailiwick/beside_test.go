package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/secret"
	"bailiwick/internal/workspace"
)

var workspaceFilter = workspace.Filter{Limit: 100}

// besides are what is measured: the model server itself, a bare reverse proxy
// before it, and the gateway with everything on.
type besides struct {
	t     *testing.T
	names []string
	at    map[string]*process
	world *besideWorld
	found map[string]map[string][]float64 // by measure and name, a value a round
}

func (b *besides) note(measure, name string, v float64) {
	if b.found[measure] == nil {
		b.found[measure] = map[string][]float64{}
	}
	b.found[measure][name] = append(b.found[measure][name], v)
}

// ratio is the median of the rounds' ratios between two of the measured.
func (b *besides) ratio(measure, one, other string) float64 {
	var list []float64
	for i, v := range b.found[measure][one] {
		list = append(list, v/b.found[measure][other][i])
	}
	return median(list)
}

// TestBeside is what `make bench` runs: rounds in which each of the three is
// measured in turn, the measured one alone on one processor, driver and model
// server on the other. It asserts nothing but that every call is answered: what
// it prints is for people.
func TestBeside(t *testing.T) {
	if os.Getenv("BESIDE") == "" {
		t.Skip("a measurement: run make bench")
	}
	rounds, _ := strconv.Atoi(os.Getenv("BESIDE"))
	rounds = max(rounds, 1)
	mock := role(t, 1, "mock", "")
	world := newBesideWorld(t, mock.addr)
	b := &besides{
		t: t, names: []string{"direct", "bare", "gateway"}, world: world, found: map[string]map[string][]float64{},
		at: map[string]*process{"direct": mock, "bare": role(t, 0, "bare", mock.addr), "gateway": world.serve(t, 0)},
	}
	time.Sleep(2 * time.Second)
	b.note("idle MiB", "gateway", b.at["gateway"].memory())
	b.note("idle MiB", "bare", b.at["bare"].memory())
	small := `{"model":"` + model + `","messages":[{"role":"user","content":"` + strings.Repeat("Hello, world! ", 45) + `"}]}`
	long := strings.Repeat("lorem ipsum ", 64<<10/12)
	first := `{"model":"` + model + `","messages":[{"role":"user","content":"` + long + `"}]}`
	last := `{"messages":[{"role":"user","content":"` + long + `"}],"model":"` + model + `"}`
	stream := `{"model":"` + model + `","stream":true,"messages":[{"role":"user","content":"Hello"}]}`
	slow := `{"model":"` + model + `","stream":true,"user":"slowly","messages":[{"role":"user","content":"Hello"}]}`
	for round := range rounds {
		t.Logf("round %d of %d", round+1, rounds)
		for _, name := range b.names {
			b.flood(name, "whole, 32 connections", 32, b.always(small), 1)
			b.flood(name, "whole, 256 connections", 256, b.always(small), 1)
			b.flood(name, "64 KiB prompt, model first", 32, b.always(first), 1)
			b.flood(name, "64 KiB prompt, model last", 32, b.always(last), 1)
			b.flood(name, "stream of 64 events, 16 connections", 16, b.always(stream), len(streamEvents))
			b.steady(name, "", b.always(small))
			b.first(name, slow)
		}
		b.refuse(small)
	}
	for range 5 {
		b.cold(small)
	}
	defer b.print() // what was found, also where the rest fails
	b.growth(rounds)
}

// always asks the same each time.
func (b *besides) always(body string) func(int) []byte {
	request := question(b.world.key, b.world.workspace, body)
	return func(int) []byte { return request }
}

const model = "qwen-plus"

// flood measures answers a second, and processor time for each, what is written
// after the last answer included.
func (b *besides) flood(name, measure string, connections int, request func(int) []byte, per int) {
	b.floodFor("200", name, measure, connections, request, per)
}

func (b *besides) floodFor(status, name, measure string, connections int, request func(int) []byte, per int) {
	p := b.at[name]
	forgetPeak(p)
	if _, _, err := flood(p.addr, connections, 200*time.Millisecond, status, request); err != nil {
		b.t.Fatalf("%s, %s: %v", name, measure, err)
	}
	time.Sleep(300 * time.Millisecond)
	before, began := p.cpu(), time.Now()
	n, times, err := flood(p.addr, connections, 2*time.Second, status, request)
	took := time.Since(began)
	if err != nil {
		b.t.Fatalf("%s, %s: %v", name, measure, err)
	}
	time.Sleep(700 * time.Millisecond) // the books are written meanwhile
	b.note(measure+": answers/s", name, float64(n)/took.Seconds())
	b.note(measure+": CPU µs", name, float64((p.cpu()-before).Microseconds())/float64(n)/float64(per))
	b.note(measure+": p99 ms", name, quantile(times, 0.99).Seconds()*1000)
	b.note(measure+": peak MiB", name, peak(p))
}

// steady measures the time of answers at 500 calls a second.
func (b *besides) steady(name, measure string, request func(int) []byte) {
	times, err := drip(b.at[name].addr, 500, 4*time.Second, request)
	if err != nil {
		b.t.Fatalf("%s at a fixed rate: %v", name, err)
	}
	b.note(measure+"500 calls/s: median µs", name, float64(quantile(times, 0.5).Microseconds()))
	b.note(measure+"500 calls/s: p99 µs", name, float64(quantile(times, 0.99).Microseconds()))
}

// first measures how long the first byte of a stream takes that comes slowly.
func (b *besides) first(name, body string) {
	c, err := dial(b.at[name].addr)
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	var times []time.Duration
	request := question(b.world.key, b.world.workspace, body)
	for range 4 {
		began := time.Now()
		at, err := c.call(request, "200")
		if err != nil {
			b.t.Fatalf("%s, a slow stream: %v", name, err)
		}
		times = append(times, at.Sub(began))
	}
	b.note("first byte of a slow stream: ms", name, quantile(times, 0.5).Seconds()*1000)
}

// refuse measures what refusing a key costs that nobody has, a new one each time,
// beside what a call costs the bare proxy.
func (b *besides) refuse(body string) {
	requests := make([][]byte, 512)
	for i := range requests {
		requests[i] = question(secret.NewKey().Reveal(), b.world.workspace, body)
	}
	b.floodFor("200", "bare", unknownKey, 32, b.always(body), 1)
	b.floodFor("401", "gateway", unknownKey, 32, func(i int) []byte { return requests[i%len(requests)] }, 1)
}

const unknownKey = "an unknown key, bare lets it pass"

// peak is the most memory that a process held, in MiB.
func peak(p *process) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	kib, _ := strconv.Atoi(strings.Fields(after)[0])
	return float64(kib) / 1024
}

// forgetPeak lets the most memory that a process held be what it holds now.
func forgetPeak(p *process) {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0); err != nil {
		p.t.Fatal(err)
	}
}

// cold measures the time from the start of the program to its first answered call.
func (b *besides) cold(body string) {
	b.at["gateway"].cmd.Process.Signal(os.Interrupt)
	b.at["gateway"].cmd.Wait()
	began := time.Now()
	p := b.world.serve(b.t, 0)
	c, err := dial(p.addr)
	if err == nil {
		_, err = c.call(question(b.world.key, b.world.workspace, body), strconv.Itoa(http.StatusOK))
		c.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.note("cold start: ms", "gateway", time.Since(began).Seconds()*1000)
	b.at["gateway"] = p
}
