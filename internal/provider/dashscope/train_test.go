package dashscope_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/dashscope"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/providertest"
)

func engine(h http.Handler) providertest.Engine {
	return providertest.Engine{Kind: dashscope.Kind, Handler: h, Path: "/api/v1", Base: "qwen-turbo"}
}

func TestAStandInForDashScopeKeepsTheContract(t *testing.T) {
	providertest.Speaks(t, engine(newStandin()))
}

func TestAStandInForDashScopeTrainsByTheContractHoweverItCountsLines(t *testing.T) {
	for _, fromOne := range []bool{false, true} {
		s := newStandin()
		s.fromOne = fromOne
		providertest.TrainsRemote(t, engine(s), providertest.Hands{Adapter: provider.LoRA, Go: s.goOn, Losses: losses, Begun: func() int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.posted)
		}})
	}
}

func TestAStandInForDashScopeDeploysByTheContractWhetherItTellsNamesOrNot(t *testing.T) {
	for _, nameless := range []bool{false, true} {
		s := newStandin()
		s.nameless = nameless
		providertest.Deploys(t, engine(s), providertest.Deployable{})
		s.models["qwen-turbo-ft-1"] = true
		providertest.Deploys(t, engine(s), providertest.Deployable{Model: &provider.Artifact{Remote: "qwen-turbo-ft-1", Format: provider.FormatRemote}})
	}
}

func platform(t *testing.T, h http.Handler) *dashscope.Server {
	t.Helper()
	far := httptest.NewServer(h)
	t.Cleanup(far.Close)
	g, err := guard.New([]string{strings.TrimPrefix(far.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	server, err := dashscope.Kind(g.DialContext)(provider.Target{BaseURL: far.URL + "/api/v1"})
	if err != nil {
		t.Fatal(err)
	}
	return server.(*dashscope.Server)
}

func TestWhatIsAskedOfAStandInForDashScopeIsWhatWasSaid(t *testing.T) {
	s := newStandin()
	p, spec := platform(t, s), providertest.Spec(t, "qwen-turbo", provider.LoRA)
	spec.Hyper = provider.Hyper{LearningRate: 1.6e-5, Rank: 64, Others: map[string]json.RawMessage{"lr_scheduler_type": json.RawMessage(`"cosine"`)}}
	if _, err := p.Start(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(s.posted[0])
	want := `{"hyper_parameters":{"learning_rate":"1.6e-05","lora_rank":64,"lr_scheduler_type":"cosine","n_epochs":3},"job_name":"` + string(spec.Job) + `","model":"qwen-turbo","training_file_ids":["file-`
	if !strings.HasPrefix(string(got), want) || !strings.Contains(string(got), `"training_type":"efficient_sft"`) {
		t.Errorf("it was asked %s", got)
	}
}

func TestAStandInForDashScopeGetsAFileOnceAndLosesItInTheEnd(t *testing.T) {
	s := newStandin()
	p, spec := platform(t, s), providertest.Spec(t, "qwen-turbo", provider.LoRA)
	if _, err := p.Start(t.Context(), spec); err != nil || len(s.files) != 2 {
		t.Fatalf("%v, %d files", err, len(s.files))
	}
	s.jobs = nil // the program died before the job was made
	handle, err := p.Start(t.Context(), spec)
	if err != nil || len(s.files) != 2 {
		t.Errorf("%v, %d files", err, len(s.files))
	}
	if err := p.Forget(t.Context(), handle); !fault.Is(err, fault.Invalid) {
		t.Errorf("forgotten while it runs: %v", err)
	}
	p.Cancel(t.Context(), handle)
	s.goOn()
	if err := p.Forget(t.Context(), handle); err != nil || len(s.files)+len(s.jobs) != 0 {
		t.Errorf("%v, %d files and %d jobs are left", err, len(s.files), len(s.jobs))
	}
}

func TestADeploymentThatMustRestFirstIsStoppedAndThenDeleted(t *testing.T) {
	s := newStandin()
	s.restFirst = true
	p := platform(t, s)
	handle, err := p.Apply(t.Context(), provider.DeploySpec{Base: "qwen-turbo", Name: provider.NamePrefix + "abcdefghij", Replicas: 3})
	if err != nil || s.deployments[0]["capacity"] != 6.0 {
		t.Fatalf("%v, %v", err, s.deployments)
	}
	if err := p.Remove(t.Context(), handle); !fault.Is(err, fault.Busy) {
		t.Errorf("at first: %v", err)
	}
	if state, err := p.Status(t.Context(), handle); err != nil || state.Phase != provider.DeployDown {
		t.Errorf("then: %+v, %v", state, err)
	}
	if err := p.Remove(t.Context(), handle); err != nil || len(s.deployments) != 0 {
		t.Errorf("at last: %v, %v", err, s.deployments)
	}
}

func TestCheckpointsThatCanBeCalledAreToldOnce(t *testing.T) {
	s := newStandin()
	p := platform(t, s)
	handle, err := p.Start(t.Context(), providertest.Spec(t, "qwen-turbo", provider.LoRA))
	if err != nil {
		t.Fatal(err)
	}
	told, cursor := []string{}, provider.Cursor("")
	for range 11 {
		s.goOn()
		o, err := p.Observe(t.Context(), handle, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range o.Checkpoints {
			told = append(told, c.Name+" "+c.Model.Remote)
		}
		cursor = o.Next
	}
	if len(told) != 3 || told[2] != "checkpoint-6 qwen-turbo-ft-0-checkpoint-6" {
		t.Errorf("%v", told)
	}
}
