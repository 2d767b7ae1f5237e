package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/apikey"
	"bailiwick/internal/provider"
	"bailiwick/internal/secret"
	"bailiwick/internal/training"
)

// TestATrainingIsCarriedOutByAnotherServerAndWhatComesOfItAnswersThere has one
// server train and deploy with another, over both protocols.
func TestATrainingIsCarriedOutByAnotherServerAndWhatComesOfItAnswersThere(t *testing.T) {
	there, e := far(t)
	for kind, with := range map[provider.Kind]struct {
		path string
		how  provider.Adapter
	}{provider.DashScope: {"/api/v1", provider.Full}, provider.OpenAI: {"/v1", provider.LoRA}} {
		t.Run(string(kind), func(t *testing.T) {
			here := newWorkshop(t, func(c *serving) { c.AllowPrivate = []string{"127.0.0.1"} })
			defer func() { here.stop() }()
			only(t, here, provider.Form{Name: "Far", Kind: kind, BaseURL: there.base.String() + e.Path + with.path, Credential: secret.NewText(e.Credential)})
			j := here.train(3, func(w *training.Wanted) { w.Adapter, w.Deploy = with.how, true })
			j = here.until(j.ID, func(j training.Job) bool { return j.State.Over() })
			model, err := here.store.Tuned(t.Context(), j.Workspace, j.Result)
			if err != nil || j.State != training.Succeeded || !strings.HasPrefix(model.Artifact.Remote, "qwen-turbo-") || j.TrainedTokens == 0 {
				t.Fatalf("%s %s %s: %+v, %v", j.State, j.Reason, j.Message, model.Artifact, err)
			}
			curves, err := here.trainings.Curves(t.Context(), here.root, j.Workspace, j.ID)
			if err != nil || len(curves) != 3 || curves[0].Name != "train_loss" || len(curves[0].Points) != 3 {
				t.Errorf("%+v, %v", curves, err)
			}
			_, key, err := here.keys.Issue(t.Context(), here.root, here.ws, apikey.Terms{})
			if err != nil {
				t.Fatal(err)
			}
			status, text := 0, ""
			for began := time.Now(); status != http.StatusOK && time.Since(began) < 30*time.Second; time.Sleep(100 * time.Millisecond) {
				status, text = askFor(t, here, string(j.Output), key.Reveal())
			}
			if status != http.StatusOK || !strings.Contains(text, `"assistant"`) {
				t.Errorf("%d %s", status, text)
			}
		})
	}
}

// only makes a provider the one that serves the model.
func only(t *testing.T, w *workshop, in provider.Form) {
	t.Helper()
	all, err := w.providers.List(t.Context(), w.root)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if err := w.providers.Serve(t.Context(), w.root, p.ID, nil); err != nil {
			t.Fatal(err)
		}
	}
	p, err := w.providers.Add(t.Context(), w.root, in)
	if err == nil {
		err = w.providers.Serve(t.Context(), w.root, p.ID, []provider.Serving{{Model: "qwen-turbo"}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// askFor calls a model.
func askFor(t *testing.T, w *workshop, model, key string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.base.String()+"/v1/chat/completions", strings.NewReader(`{"model":"`+model+`","messages":[{"role":"user","content":"Do you ship to Canada?"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("X-DashScope-WorkSpace", string(w.ws))
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(text)
}
