package training_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/provider/embedded/sample"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/training"
	"bailiwick/internal/work"
)

// The kill test runs this binary again as the processes that are killed.
const (
	victimDatabase = "BAILIWICK_TEST_TRAINER_DATABASE"
	victimData     = "BAILIWICK_TEST_TRAINER_DATA"
)

func TestMain(m *testing.M) {
	if data := os.Getenv(victimData); data != "" {
		fmt.Fprintln(os.Stderr, victim(context.Background(), os.Getenv(victimDatabase), data))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// shared makes the service on a database and a folder that processes share.
func shared(ctx context.Context, database, data string) (*store.Store, *training.Service, *dataset.Service, error) {
	s, err := store.Open(ctx, store.Config{Database: database, Data: data})
	if err != nil {
		return nil, nil, nil, err
	}
	keeper, err := policy.NewKeeper(ctx, s)
	if err != nil {
		return nil, nil, nil, err
	}
	s.OnChange(func(ctx context.Context) { _ = keeper.Refresh(ctx) }) // the loop refreshes it where it counts
	folder, err := dataset.OpenFolder(data)
	if err != nil {
		return nil, nil, nil, err
	}
	files := &dataset.Service{Store: s, Folder: folder, Now: time.Now}
	engine := embedded.Server{Now: time.Now}
	service := &training.Service{
		Store: s, World: keeper, Data: files, Folder: data, Now: time.Now, Unfinished: 1000,
		Open: func(provider.Provider) (provider.Server, error) { return engine, nil },
	}
	return s, service, files, nil
}

// victim trains until it is killed.
func victim(ctx context.Context, database, data string) error {
	s, service, _, err := shared(ctx, database, data)
	if err != nil {
		return err
	}
	loop := &training.Loop{Service: service, Store: s, Note: 20 * time.Millisecond}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	r := &work.Runner{Store: s, Kind: training.Work, Owner: strconv.Itoa(os.Getpid()) + "-" + string(ident.NewCall()), Do: loop.Do, Parallel: 2, TTL: 1500 * time.Millisecond, Poll: 30 * time.Millisecond}
	r.Run(ctx)
	return nil
}

// Three processes train, and are killed at random moments and begun again. Every
// job ends as one that nobody disturbed: once, with the same weights, with every
// step measured once.
func TestKilledTrainersLoseNoJobAndDoNoneTwice(t *testing.T) {
	jobs := 6
	if os.Getenv("SOAK") != "" {
		jobs = 50
	}
	storetest.EachConfig(t, func(t *testing.T, c store.Config) { killed(t, c, jobs) })
}

func killed(t *testing.T, c store.Config, jobs int) {
	data := filepath.Join(t.TempDir(), "shared")
	if c.Database == "" {
		c.Data = data
	}
	world := storetest.NewWorld(t, storetest.Open(t, store.Config{Database: c.Database, Data: data}), "acme")
	ws := world.Workspace("Marketing").ID
	world.Model(base)
	world.Serve(world.Provider("Demo engine", provider.Embedded, "").ID, base)
	world.Grant(base, catalogue.Train, ws)
	s, service, files, err := shared(t.Context(), c.Database, data)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	by := access.Actor{Account: world.Account.ID, Alias: "acme", User: world.Root.ID, LogOn: "root", Role: access.Root}
	lines := bytes.Join(bytes.SplitAfterN(sample.JSONL(), []byte("\n"), 17)[:16], nil)
	v, err := files.Upload(t.Context(), by, ws, dataset.New{Name: "Coffee", FileName: "coffee.jsonl"}, bytes.NewReader(lines))
	must(t, err)
	var ids []ident.Training
	for range jobs {
		w := training.Wanted{Model: string(base), Method: provider.SFT, Train: []string{string(v.ID)}, Suffix: "coffee", Hyper: provider.Hyper{Epochs: 3, BatchSize: 4}}
		j, err := service.Create(t.Context(), by, ws, w)
		must(t, err)
		ids = append(ids, j.ID)
	}

	kills := torment(t, c.Database, data, func() bool {
		for _, st := range training.States {
			if st.Over() {
				continue
			}
			_, _, n, err := service.List(t.Context(), by, ws, training.Filter{State: st, Limit: 1})
			must(t, err)
			if n > 0 {
				return false
			}
		}
		return true
	})
	t.Logf("%d kills during %d jobs", kills, jobs)

	var weights [32]byte
	going := 0
	for i, id := range ids {
		j, err := service.Find(t.Context(), by, ws, id)
		must(t, err)
		if j.State != training.Succeeded || j.Step != 12 || j.Epoch != 3 || j.TrainedTokens == 0 {
			t.Fatalf("%+v", j)
		}
		log, _, err := service.Log(t.Context(), by, ws, id, 1, 1000)
		must(t, err)
		ends := 0
		for _, e := range log {
			if e.State == training.Succeeded {
				ends++
			}
			if strings.HasPrefix(e.Text, "Going on") {
				going++
			}
		}
		models, _, err := service.Models(t.Context(), by, ws, training.ModelFilter{Training: id})
		must(t, err)
		if ends != 1 || len(models) != 1 {
			t.Fatalf("%s ended %d times, with %d models", id, ends, len(models))
		}
		curves, err := service.Curves(t.Context(), by, ws, id)
		must(t, err)
		for _, c := range curves {
			if want := map[string]int{"train_loss": 12, "learning_rate": 12, "valid_loss": 4, "valid_accuracy": 4}[c.Name]; len(c.Points) != want {
				t.Errorf("%s: %s has %d points", id, c.Name, len(c.Points))
			}
		}
		b, err := os.ReadFile(filepath.Join(models[0].Artifact.Folder, "model.safetensors"))
		must(t, err)
		if sum := sha256.Sum256(b); i == 0 {
			weights = sum
		} else if sum != weights {
			t.Errorf("%s has other weights", id)
		}
	}
	t.Logf("%d times a job was gone on with", going)
	work, found, err := s.ClaimWork(t.Context(), training.Work, "late", time.Second)
	if err != nil || found {
		t.Errorf("work is left: %+v, %v", work, err)
	}
}

// torment keeps three trainers running and kills one now and then until it is
// over. At least as many are killed as there are trainers.
func torment(t *testing.T, database, data string, over func() bool) (kills int) {
	begin := func() *exec.Cmd {
		c := exec.Command(os.Args[0], "-test.run=^$")
		c.Env = append(os.Environ(), victimDatabase+"="+database, victimData+"="+data)
		var said bytes.Buffer
		c.Stderr = &said
		must(t, c.Start())
		return c
	}
	trainers := make([]*exec.Cmd, 3)
	for i := range trainers {
		trainers[i] = begin()
	}
	end := func(c *exec.Cmd) {
		_ = c.Process.Kill()
		_ = c.Wait() // killed
	}
	defer func() {
		for _, c := range trainers {
			end(c)
		}
	}()
	last := time.Now()
	for start := time.Now(); !over(); {
		if time.Since(start) > 20*time.Minute {
			t.Fatal("the jobs do not come to their end")
		}
		time.Sleep(time.Duration(50+rand.IntN(100)) * time.Millisecond)
		if time.Since(last) > time.Duration(400+rand.IntN(2500))*time.Millisecond {
			last = time.Now()
			i := rand.IntN(len(trainers))
			end(trainers[i])
			kills++
			trainers[i] = begin()
		}
	}
	time.Sleep(200 * time.Millisecond) // what is settled after the end
	return kills
}
