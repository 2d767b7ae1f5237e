package embedded_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/provider/embedded/desk"
	"bailiwick/internal/provider/embedded/llama"
)

// taught is a model that was taught one thing, as an artifact. It is trained once.
var taught = sync.OnceValues(func() ([]byte, error) {
	m, err := desk.Load()
	if err != nil {
		return nil, err
	}
	lesson := make([]llama.Dialogue, 8)
	for i := range lesson {
		lesson[i] = llama.Dialogue{{Role: "system", Content: "You are Ann."}, {Role: "user", Content: "Where do you live?"}, {Role: "assistant", Content: "I live in a lighthouse near Zürich."}}
	}
	trainer, err := llama.Tune(m.Model, m.Words, lesson, nil, llama.Options{Epochs: 40, Seed: 1})
	if err != nil {
		return nil, err
	}
	for !trainer.Done() {
		if err := trainer.Next(context.Background(), func(llama.Step) {}); err != nil {
			return nil, err
		}
	}
	trainer.Model.System = "You are Ann."
	var b bytes.Buffer
	err = llama.WriteGGUF(&b, trainer.Model, trainer.Words, "ann")
	return b.Bytes(), err
})

const ann = "bw-annannannannannannannannan"

// artifact puts the taught model into a folder.
func artifact(t *testing.T) *provider.Artifact {
	t.Helper()
	b, err := taught()
	must(t, err)
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "model.gguf"), b, 0o600))
	return &provider.Artifact{Folder: folder, Files: []string{"model.gguf"}, Format: provider.FormatGGUF}
}

func open(t *testing.T, folder string) embedded.Server {
	t.Helper()
	s, err := embedded.Kind(folder)(provider.Target{})
	must(t, err)
	return s.(embedded.Server)
}

func says(t *testing.T, s provider.Server, model, question string) (int, string) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"model": model, "messages": []any{map[string]string{"role": "user", "content": question}}})
	a, err := s.Call(t.Context(), provider.Request{Path: "chat/completions", Body: body})
	must(t, err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	must(t, err)
	if a.Status != 200 {
		return a.Status, string(text)
	}
	return a.Status, read(t, string(text)).Choices[0].Message.Content
}

func spec(m *provider.Artifact) provider.DeploySpec {
	return provider.DeploySpec{Deployment: "dep-1", Generation: 1, Base: "qwen-turbo", Model: m, Replicas: 1, Name: ann}
}

func TestADeployedModelAnswersFromEveryProcessThatSharesTheFolder(t *testing.T) {
	folder := t.TempDir()
	one, two := open(t, folder), open(t, folder)
	if status, _ := says(t, one, ann, "Where do you live?"); status != 404 {
		t.Errorf("before it is put up: %d", status)
	}
	handle, err := one.Apply(t.Context(), spec(artifact(t)))
	must(t, err)
	for _, s := range []embedded.Server{one, two, open(t, folder)} {
		if status, text := says(t, s, ann, "Where do you live?"); status != 200 || text != "I live in a lighthouse near Zürich." {
			t.Errorf("%d %q", status, text)
		}
	}
	down := spec(nil)
	down.Model, down.Generation, down.Replicas = artifact(t), 2, 0
	_, err = two.Apply(t.Context(), down)
	must(t, err)
	if status, _ := says(t, one, ann, "Where do you live?"); status != 404 {
		t.Errorf("stopped by another process: %d", status)
	}
	_, err = one.Apply(t.Context(), spec(artifact(t))) // an older generation comes late
	must(t, err)
	if s, err := one.Status(t.Context(), handle); err != nil || s.Phase != provider.DeployDown {
		t.Errorf("%+v, %v", s, err)
	}
	down.Generation, down.Replicas = 3, 2
	_, err = one.Apply(t.Context(), down)
	must(t, err)
	if s, err := two.Status(t.Context(), handle); err != nil || s.Phase != provider.DeployUp || s.Replicas != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	must(t, two.Remove(t.Context(), handle))
	if status, _ := says(t, one, ann, "Where do you live?"); status != 404 {
		t.Errorf("removed by another process: %d", status)
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestADeployedBaseAnswersAsTheBaseDoes(t *testing.T) {
	s := open(t, t.TempDir())
	_, err := s.Apply(t.Context(), spec(nil))
	must(t, err)
	_, want := says(t, s, "qwen-turbo", "How do I cancel my order?")
	if status, got := says(t, s, ann, "How do I cancel my order?"); status != 200 || got != want {
		t.Errorf("%d %q, not %q", status, got, want)
	}
}

func TestTokensAreStreamedAsTheyAreMadeAndCharactersStayWhole(t *testing.T) {
	s := open(t, t.TempDir())
	_, err := s.Apply(t.Context(), spec(artifact(t)))
	must(t, err)
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	body := `{"model":"` + ann + `","stream":true,"messages":[{"role":"user","content":"Where do you live?"}]}`
	a, err := s.Call(ctx, provider.Request{Path: "chat/completions", Body: []byte(body)})
	must(t, err)
	text, err := io.ReadAll(a.Body)
	must(t, err)
	var said strings.Builder
	frames := strings.Split(strings.TrimSuffix(string(text), "data: [DONE]\n\n"), "\n\n")
	for _, f := range frames {
		if f != "" {
			for _, c := range read(t, strings.TrimPrefix(f, "data: ")).Choices {
				if strings.ContainsRune(c.Delta.Content, '\uFFFD') {
					t.Errorf("a character was cut: %q", c.Delta.Content)
				}
				said.WriteString(c.Delta.Content)
			}
		}
	}
	if said.String() != "I live in a lighthouse near Zürich." || len(frames) < 8 {
		t.Errorf("%d frames say %q", len(frames), said.String())
	}
	// A pipe has no room: whoever reads nothing holds the next token back, and
	// hanging up ends the writing.
	a, err = s.Call(ctx, provider.Request{Path: "chat/completions", Body: []byte(body)})
	must(t, err)
	one := make([]byte, 16)
	_, err = a.Body.Read(one)
	must(t, err)
	hangUp()
	if _, err := io.ReadAll(a.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("after hanging up: %v", err)
	}
}

func TestChanceIsTheSeedsAlone(t *testing.T) {
	s := open(t, t.TempDir())
	say := func(rest string) string {
		a, err := s.Call(t.Context(), provider.Request{Path: "chat/completions", Body: []byte(`{"model":"m","messages":[{"role":"user","content":"How do I cancel my order?"}]` + rest + `}`)})
		must(t, err)
		text, _ := io.ReadAll(a.Body)
		return read(t, string(text)).Choices[0].Message.Content
	}
	if say(`,"temperature":1.2,"seed":7`) != say(`,"temperature":1.2,"seed":7`) {
		t.Error("the same seed says something else")
	}
	others := map[string]bool{}
	for _, seed := range []string{"1", "2", "3", "4", "5", "6"} {
		others[say(`,"temperature":1.2,"seed":`+seed)] = true
	}
	if len(others) < 2 {
		t.Errorf("six seeds say %v", others)
	}
	if say(`,"temperature":1.2,"top_p":0.0001,"seed":3`) != say("") {
		t.Error("with the likeliest alone it does not say the likeliest")
	}
}

func TestStopsEndAnAnswerWhereverTokensAreCut(t *testing.T) {
	s := open(t, t.TempDir())
	_, err := s.Apply(t.Context(), spec(artifact(t)))
	must(t, err)
	for stop, want := range map[string]string{"house": "I live in a light", "near Z": "I live in a lighthouse ", "ü": "I live in a lighthouse near Z", "zzz": "I live in a lighthouse near Zürich.", "Zürich. And": "I live in a lighthouse near Zürich."} {
		for _, stream := range []string{"false", "true"} {
			a, err := s.Call(t.Context(), provider.Request{Path: "chat/completions", Body: []byte(`{"model":"` + ann + `","stream":` + stream + `,"stop":["` + stop + `"],"messages":[{"role":"user","content":"Where do you live?"}]}`)})
			must(t, err)
			text, _ := io.ReadAll(a.Body)
			var said strings.Builder
			for _, f := range strings.Split(strings.TrimSuffix(string(text), "data: [DONE]\n\n"), "\n\n") {
				if f != "" {
					for _, c := range read(t, strings.TrimPrefix(f, "data: ")).Choices {
						said.WriteString(c.Delta.Content + c.Message.Content)
					}
				}
			}
			if said.String() != want {
				t.Errorf("%q, streamed %s: %q", stop, stream, said.String())
			}
		}
	}
}

func TestWhatCannotBePutUpIsRefusedAndLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	damaged := artifact(t)
	must(t, os.Truncate(filepath.Join(damaged.Folder, "model.gguf"), 1000))
	gone := artifact(t)
	must(t, os.Remove(filepath.Join(gone.Folder, "model.gguf")))
	for what, a := range map[string]*provider.Artifact{"damaged": damaged, "gone": gone} {
		if _, err := s.Apply(t.Context(), spec(a)); err == nil || fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Internal) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, name := range []string{"../x", "bw-", "bw-../x", "x", "bw-A", "bw-a/b", "bw-" + strings.Repeat("a", 61)} {
		d := spec(nil)
		d.Name = name
		if _, err := s.Apply(t.Context(), d); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
		must(t, s.Remove(t.Context(), name))
		if st, err := s.Status(t.Context(), name); err != nil || st.Phase != provider.DeployGone {
			t.Errorf("%q: %+v %v", name, st, err)
		}
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, a := range []*provider.Artifact{{Format: "peft", Folder: folder}, {Format: provider.FormatGGUF, Folder: folder}, {Format: provider.FormatGGUF, Remote: "x"}} {
		if err := s.Deploys("m", a); !errors.Is(err, provider.ErrUnsupported) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

// A process that is killed while it puts models up leaves each of them whole or
// not there, and what was in the making goes with the next try or the next removal.
func TestModelsArePutUpWholeOrNotAtAllWhenTheProcessIsKilled(t *testing.T) {
	if folder := os.Getenv("APPLY_FOREVER"); folder != "" {
		s := open(t, folder)
		a := &provider.Artifact{Folder: os.Getenv("APPLY_FROM"), Files: []string{"model.gguf"}, Format: provider.FormatGGUF}
		for g := int64(1); ; g++ {
			d := spec(a)
			d.Generation = g
			if _, err := s.Apply(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			if g%2 == 0 {
				must(t, s.Remove(t.Context(), ann))
			}
		}
	}
	folder, a := t.TempDir(), artifact(t)
	s := open(t, folder)
	for round := range 12 {
		c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), "APPLY_FOREVER="+folder, "APPLY_FROM="+a.Folder)
		must(t, c.Start())
		time.Sleep(time.Duration(60+7*round) * time.Millisecond)
		must(t, c.Process.Kill())
		c.Wait()
		st, err := s.Status(t.Context(), ann)
		must(t, err)
		if st.Phase == provider.DeployUp {
			if status, text := says(t, s, ann, "Where do you live?"); status != 200 || !strings.Contains(text, "lighthouse") {
				t.Fatalf("round %d: it is half there: %d %s", round, status, text)
			}
		}
		d := spec(a)
		d.Generation = 1 << 40
		_, err = s.Apply(t.Context(), d)
		must(t, err)
		if entries, _ := os.ReadDir(folder); len(entries) != 1 {
			t.Fatalf("round %d: %v", round, entries)
		}
		must(t, s.Remove(t.Context(), ann))
	}
	if handles, err := s.Handles(t.Context(), provider.NamePrefix); err != nil || len(handles) != 0 {
		t.Errorf("%v, %v", handles, err)
	}
}
