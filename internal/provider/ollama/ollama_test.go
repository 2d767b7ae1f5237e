package ollama_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/guard"
	"bailiwick/internal/provider/ollama"
	"bailiwick/internal/provider/providertest"
)

func engine(s *standin, path string) providertest.Engine {
	return providertest.Engine{Kind: ollama.Kind, Handler: s, Path: path, Base: "qwen2.5:0.5b"}
}

func artifact(t *testing.T, format string, files ...string) *provider.Artifact {
	t.Helper()
	a := provider.Artifact{Folder: t.TempDir(), Format: format, Files: files}
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(a.Folder, name), []byte("weights of "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &a
}

func TestAStandInForOllamaIsCalledByTheContract(t *testing.T) {
	providertest.Speaks(t, engine(newStandin(), "/v1"))
	providertest.Speaks(t, engine(newStandin(), ""))
}

func TestAStandInForOllamaServesModelsByTheContract(t *testing.T) {
	for name, a := range map[string]*provider.Artifact{
		"a base":          nil,
		"a GGUF file":     artifact(t, provider.FormatGGUF, "model.gguf"),
		"a GGUF adapter":  artifact(t, provider.FormatGGUFLoRA, "lora.gguf"),
		"a PEFT adapter":  artifact(t, provider.FormatPEFT, "adapter_config.json", "adapter_model.safetensors", "README.md"),
		"a GGUF, not /v1": artifact(t, provider.FormatGGUF, "model.gguf"),
	} {
		t.Run(name, func(t *testing.T) {
			path := "/v1"
			if strings.HasSuffix(name, "not /v1") {
				path = ""
			}
			providertest.Deploys(t, engine(newStandin(), path), providertest.Deployable{Model: a})
		})
	}
}

func opened(t *testing.T, s *standin) provider.Deployer {
	t.Helper()
	far := httptest.NewServer(s)
	t.Cleanup(far.Close)
	g, err := guard.New([]string{strings.TrimPrefix(far.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	server, err := ollama.Kind(g.DialContext)(provider.Target{BaseURL: far.URL + "/v1"})
	if err != nil {
		t.Fatal(err)
	}
	return server.(provider.Deployer)
}

func TestAStandInForOllamaIsSentEachFileOnce(t *testing.T) {
	s := newStandin()
	d, a := opened(t, s), artifact(t, provider.FormatGGUF, "model.gguf")
	for i, name := range []string{"bw-one", "bw-two", "bw-one"} {
		if _, err := d.Apply(t.Context(), provider.DeploySpec{Base: "llama3", Model: a, Name: name, Replicas: 1}); err != nil {
			t.Fatal(err)
		}
		if s.posted != 1 {
			t.Errorf("after %d: %d blobs were sent", i+1, s.posted)
		}
	}
	if got := s.models["bw-two"]; len(got.Files) != 1 || got.From != "" || got.Parameters["repeat_penalty"] != 1.0 {
		t.Errorf("it was made of %+v", got)
	}
	if err := os.WriteFile(filepath.Join(a.Folder, "model.gguf"), []byte("other weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Apply(t.Context(), provider.DeploySpec{Base: "llama3", Model: a, Name: "bw-two", Replicas: 1}); err != nil || s.posted != 2 {
		t.Errorf("another file: %v, %d blobs", err, s.posted)
	}
}

func TestWhatLeavesTheFolderOfAModelIsNotSent(t *testing.T) {
	s := newStandin()
	a := artifact(t, provider.FormatGGUF)
	secret := filepath.Join(t.TempDir(), "secret.gguf")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(a.Folder, "link.gguf")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link.gguf", "../" + filepath.Base(filepath.Dir(secret)) + "/secret.gguf", secret} {
		a.Files = []string{name}
		if _, err := opened(t, s).Apply(t.Context(), provider.DeploySpec{Model: a, Name: "bw-x", Replicas: 1}); err == nil || s.posted != 0 {
			t.Errorf("%s: %v, %d blobs", name, err, s.posted)
		}
	}
}

func TestFilesThatAreNotHereCannotBePutUp(t *testing.T) {
	d := opened(t, newStandin())
	err := d.Deploys("llama3", &provider.Artifact{Format: provider.FormatGGUF, Remote: "ft:x"})
	if !errors.Is(err, provider.ErrUnsupported) || !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
