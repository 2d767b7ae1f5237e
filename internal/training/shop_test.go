package training_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/training"
	"bailiwick/internal/work"
)

const base ident.Model = "qwen-turbo"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shop is a workspace that may train a model, with data, and the loop that does it
// on a stand-in for an engine.
type shop struct {
	t      *testing.T
	store  *store.Store
	world  *storetest.World
	ws     ident.Workspace
	keeper *policy.Keeper
	files  files
	engine provider.Server
	*training.Service
	loop *training.Loop
	file ident.File
	by   access.Actor
}

func newShop(t *testing.T, s *store.Store, engine provider.Server) *shop {
	t.Helper()
	w := storetest.NewWorld(t, s, "acme")
	h := &shop{t: t, store: s, world: w, ws: w.Workspace("Marketing").ID, files: files{}, engine: engine}
	w.Model(base)
	w.Serve(w.Provider("Workbench", provider.Embedded, "").ID, base)
	w.Grant(base, catalogue.Train, h.ws)
	var err error
	h.keeper, err = policy.NewKeeper(t.Context(), s)
	must(t, err)
	s.OnChange(func(ctx context.Context) { must(t, h.keeper.Refresh(ctx)) })
	h.Service = &training.Service{
		Store: s, World: h.keeper, Data: h.files, Folder: t.TempDir(), Now: time.Now,
		Open: func(provider.Provider) (provider.Server, error) { return h.engine, nil },
	}
	h.loop = &training.Loop{Service: h.Service, Store: s, Note: time.Millisecond, Tick: 5 * time.Millisecond}
	h.file = h.files.add(h.ws, 20)
	h.by = access.Actor{Account: w.Account.ID, Alias: "acme", User: w.Root.ID, LogOn: "root", Role: access.Root}
	return h
}

// run works on jobs until the test ends or stop is called.
func (h *shop) run(owner string) (stop func()) { return h.work(h.store, owner) }

func (h *shop) work(leases work.Store, owner string) (stop func()) {
	r := &work.Runner{
		Store: leases, Kind: training.Work, Owner: owner, Do: h.loop.Do, Parallel: 3, TTL: 300 * time.Millisecond, Poll: 10 * time.Millisecond,
		Log: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	var all sync.WaitGroup
	all.Go(func() { r.Run(ctx) })
	stop = func() { cancel(); all.Wait() }
	h.t.Cleanup(stop)
	return stop
}

func (h *shop) wanted() training.Wanted {
	return training.Wanted{Model: string(base), Method: provider.SFT, Train: []string{string(h.file)}, Suffix: "coffee"}
}

func (h *shop) create(change ...func(*training.Wanted)) training.Job {
	h.t.Helper()
	w := h.wanted()
	for _, c := range change {
		c(&w)
	}
	j, err := h.Create(h.t.Context(), h.by, h.ws, w)
	must(h.t, err)
	return j
}

// until waits until a job is in one of some states.
func (h *shop) until(id ident.Training, states ...training.State) training.Job {
	h.t.Helper()
	var j training.Job
	for start := time.Now(); time.Since(start) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		var err error
		j, err = h.Find(h.t.Context(), h.by, h.ws, id)
		must(h.t, err)
		for _, s := range states {
			if j.State == s {
				return j
			}
		}
	}
	h.t.Fatalf("it did not become %v: %s, %s %s", states, j.State, j.Reason, j.Message)
	return j
}

// moves are the states that a job's log tells of.
func (h *shop) moves(id ident.Training) (list []training.State) {
	h.t.Helper()
	log, total, err := h.Log(h.t.Context(), h.by, h.ws, id, 1, 1000)
	must(h.t, err)
	if int(total) != len(log) {
		h.t.Errorf("%d lines of %d", len(log), total)
	}
	for i, e := range log {
		if e.Number != int64(i)+1 {
			h.t.Errorf("line %d has number %d", i+1, e.Number)
		}
		if e.State != "" {
			list = append(list, e.State)
		}
	}
	return list
}

// files are datasets in memory.
type files map[ident.File]kept

type kept struct {
	v     dataset.Version
	lines []byte
}

func (f files) add(ws ident.Workspace, examples int) ident.File {
	var b bytes.Buffer
	for i := range examples {
		fmt.Fprintf(&b, `{"messages":[{"role":"user","content":"What is %d?"},{"role":"assistant","content":"It is number %d."}]}`+"\n", i, i)
	}
	v := dataset.Version{ID: ident.NewFile(), Workspace: ws, Number: 1, Size: int64(b.Len()), SHA256: fmt.Sprintf("%064d", examples), Examples: examples, Tokens: int64(examples) * 20}
	f[v.ID] = kept{v, b.Bytes()}
	return v.ID
}

func (f files) Source(_ context.Context, ws ident.Workspace, id ident.File) (dataset.Dataset, dataset.Version, error) {
	k, ok := f[id]
	if !ok || k.v.Workspace != ws {
		return dataset.Dataset{}, dataset.Version{}, fault.NoSuch("file")
	}
	return dataset.Dataset{Name: "Numbers", Method: provider.SFT}, k.v, nil
}

func (f files) Choices(context.Context, ident.Workspace, int) ([]dataset.Listed, error) {
	return nil, nil
}

type opened struct{ *bytes.Reader }

func (opened) Close() error { return nil }

func (f files) Open(v dataset.Version) (io.ReadSeekCloser, error) {
	return opened{bytes.NewReader(f[v.ID].lines)}, nil
}

// bench is what both stand-ins for engines have.
type bench struct{}

func (bench) Call(context.Context, provider.Request) (*provider.Answer, error) {
	return nil, fault.New(fault.Unavailable, "Nobody is called here.")
}
func (bench) Has(string) bool                          { return false }
func (bench) Models(context.Context) ([]string, error) { return nil, nil }
func (bench) Abilities(context.Context) provider.Abilities {
	return provider.Abilities{Methods: map[provider.Method][]provider.Adapter{provider.SFT: {provider.LoRA, provider.Full}}, Continue: true, Checkpoints: true, Formats: []string{"gguf"}}
}
func (bench) Check(context.Context, provider.TrainSpec) error { return nil }

// hereEngine stands in for an engine that trains here.
type hereEngine struct {
	bench
	mu    sync.Mutex
	turns []func(ctx context.Context, s provider.TrainSpec, tell func(provider.Observation) error) error // one for each call, then the last one again; nil: it goes well
	calls int
}

func (e *hereEngine) Train(ctx context.Context, s provider.TrainSpec, tell func(provider.Observation) error) (provider.Artifact, error) {
	e.mu.Lock()
	var turn func(context.Context, provider.TrainSpec, func(provider.Observation) error) error
	if len(e.turns) > 0 {
		turn = e.turns[min(e.calls, len(e.turns)-1)]
	}
	e.calls++
	e.mu.Unlock()
	if turn != nil {
		if err := turn(ctx, s, tell); err != nil {
			return provider.Artifact{}, err
		}
	}
	if err := s.Folder.MkdirAll("model", 0o700); err != nil {
		return provider.Artifact{}, err
	}
	a := provider.Artifact{Folder: s.Folder.Name() + "/model", Files: []string{"model.gguf"}, Format: "gguf", Engine: "stand-in"}
	return a, s.Folder.WriteFile("model/model.gguf", []byte("weights of "+s.Name), 0o600)
}

func (e *hereEngine) called() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls
}
