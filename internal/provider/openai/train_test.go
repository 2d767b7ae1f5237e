package openai_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/openai"
	"bailiwick/internal/provider/providertest"
)

func engine(h http.Handler) providertest.Engine {
	return providertest.Engine{Kind: openai.Kind, Handler: h, Path: "/v1", Base: "gpt-4o-mini"}
}

func TestAStandInForOpenAIKeepsTheContract(t *testing.T) {
	providertest.Speaks(t, engine(newStandin()))
	providertest.Deploys(t, engine(newStandin()), providertest.Deployable{Always: true})
	s := newStandin()
	s.models["ft:gpt-4o-mini:acme::x"] = true
	providertest.Deploys(t, engine(s), providertest.Deployable{Always: true, Model: &provider.Artifact{Remote: "ft:gpt-4o-mini:acme::x", Format: provider.FormatRemote}})
}

func TestAStandInForOpenAITrainsByTheContractInWhateverOrderItListsEvents(t *testing.T) {
	for _, upwards := range []bool{false, true} {
		s := newStandin()
		s.upwards = upwards
		providertest.TrainsRemote(t, engine(s), providertest.Hands{Adapter: provider.LoRA, Go: s.goOn, Losses: losses, Begun: func() int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.begun
		}})
	}
}

func platform(t *testing.T, h http.Handler) *openai.Platform {
	t.Helper()
	far := httptest.NewServer(h)
	t.Cleanup(far.Close)
	g, err := guard.New([]string{strings.TrimPrefix(far.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	server, err := openai.Kind(g.DialContext)(provider.Target{BaseURL: far.URL + "/v1"})
	if err != nil {
		t.Fatal(err)
	}
	return server.(*openai.Platform)
}

func TestAServerWithoutTheFineTuningAPITrainsNothingAndSaysSo(t *testing.T) {
	asked := 0
	p := platform(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked++; w.WriteHeader(404) }))
	for range 3 {
		if can := p.Abilities(t.Context()); len(can.Methods) != 0 || asked != 1 {
			t.Errorf("it can %+v, and was asked %d times", can, asked)
		}
	}
	if _, err := p.Start(t.Context(), providertest.Spec(t, "m", provider.LoRA)); !errors.Is(err, provider.ErrUnsupported) || !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestAFileThatIsThereIsNotSentAgain(t *testing.T) {
	s := newStandin()
	p, spec := platform(t, s), providertest.Spec(t, "gpt-4o-mini", provider.LoRA)
	handle, err := p.Start(t.Context(), spec)
	if err != nil || s.uploaded != 2 {
		t.Fatalf("%v, %d files", err, s.uploaded)
	}
	s.jobs = nil // the program died before the job was made
	if _, err := p.Start(t.Context(), spec); err != nil || s.uploaded != 2 || s.begun != 2 {
		t.Errorf("%v, %d files, %d jobs", err, s.uploaded, s.begun)
	}
	if err := p.Forget(t.Context(), "ftjob-1"); err != nil || len(s.files) != 0 {
		t.Errorf("%v, %d files are left of %s", err, len(s.files), handle)
	}
}

func TestWhatIsAskedOfAStandInForOpenAIIsWhatWasSaid(t *testing.T) {
	s := newStandin()
	p, spec := platform(t, s), providertest.Spec(t, "gpt-4o-mini", provider.LoRA)
	spec.Hyper = provider.Hyper{Epochs: 3, Seed: 42, Others: map[string]json.RawMessage{"learning_rate_multiplier": json.RawMessage("0.5")}}
	spec.From = &provider.Artifact{Remote: "ft:gpt-4o-mini:acme::old", Format: provider.FormatRemote}
	spec.Valid = provider.Data{}
	if err := p.Check(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Start(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(s.posted[0])
	want := `{"metadata":{"bailiwick_job":"` + string(spec.Job) + `"},"method":{"supervised":{"hyperparameters":{"batch_size":"auto","learning_rate_multiplier":0.5,"n_epochs":3}},"type":"supervised"},"model":"ft:gpt-4o-mini:acme::old","seed":42,"training_file":"file-1"}`
	if string(got) != want {
		t.Errorf("it was asked %s", got)
	}
	for field, h := range map[string]provider.Hyper{"learning_rate": {LearningRate: 1e-5}, "max_length": {MaxLength: 100}, "lora_rank": {Rank: 8}, "hyper_parameters": {Others: map[string]json.RawMessage{"x": nil}}} {
		spec.Hyper = h
		if _, ok := fault.On(p.Check(t.Context(), spec), field); !ok {
			t.Errorf("%s is taken", field)
		}
	}
}

func TestCheckpointsAreToldOnceAndAFailureIsTheProvidersOwn(t *testing.T) {
	s := newStandin()
	p := platform(t, s)
	handle, err := p.Start(t.Context(), providertest.Spec(t, "gpt-4o-mini", provider.LoRA))
	if err != nil {
		t.Fatal(err)
	}
	var steps []int64
	cursor := provider.Cursor("")
	for range 12 {
		s.goOn()
		o, err := p.Observe(t.Context(), handle, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range o.Checkpoints {
			steps = append(steps, c.Step)
		}
		cursor = o.Next
	}
	if len(steps) != 2 || steps[0] != 3 || steps[1] != 6 {
		t.Errorf("checkpoints of %v", steps)
	}
	broken := platform(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/ftjob-1") {
			w.Write([]byte(`{"id":"ftjob-1","status":"failed","error":{"code":"invalid_training_file","message":"Line 7\nis bad."}}`))
			return
		}
		w.Write([]byte(`{"object":"list","data":[]}`))
	}))
	if o, err := broken.Observe(t.Context(), "ftjob-1", ""); err != nil || o.Phase != provider.PhaseFailed || o.Reason != "invalid_training_file" || o.Message != "Line 7 is bad." {
		t.Errorf("%+v, %v", o, err)
	}
	odd := platform(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"id":"ftjob-1","status":"levitating"}`))
	}))
	if o, err := odd.Observe(t.Context(), "ftjob-1", ""); err != nil || o.Phase != "" || len(o.Lines) != 1 {
		t.Errorf("a word we do not know: %+v, %v", o, err)
	}
}
