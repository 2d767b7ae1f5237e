package main

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	openaigo "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"bailiwick/internal/provider/embedded/sample"
)

var (
	tunedName  = regexp.MustCompile(`qwen-turbo-coffee-ft-\d{12}-[0-9a-f]{4}`)
	trainingAt = regexp.MustCompile(`/workspaces/llm-[0-9a-z]{16}/trainings/ft-\d{12}-[0-9a-f]{4}`)
	fileChoice = regexp.MustCompile(`value="(file-[0-9a-z]{24})"`)
)

// trainable makes these the workspaces that may train a model.
func (p person) trainable(home, model string, was []string, wanted ...string) {
	p.t.Helper()
	path := "/workspaces/" + home + "/models/" + model + "/authorize/train"
	found := listVersion.FindStringSubmatch(p.get(path))
	if found == nil {
		p.t.Fatal("the dialog carries no version")
	}
	p.post(path, url.Values{"version": {found[1] + found[2]}, "was": was, "authorized": wanted})
}

// The whole way, from the authorization to answers out of the data: by browsers
// without scripts and the official client, through the program as it is served.
func TestADepartmentTrainsDeploysAndCallsAModelOfItsOwn(t *testing.T) {
	epochs := "12"
	if os.Getenv("SOAK") != "" {
		epochs = "30"
	}
	p := company(t)
	root, alice := logOn(t, p, "root@acme"), logOn(t, p, "alice@acme")
	home, marketing, research := root.workspace("Default Workspace"), root.workspace("Marketing"), root.workspace("Research")
	root.trainable(home, "qwen-turbo", nil, marketing)

	alice.post("/workspaces/"+marketing+"/datasets/sample", nil)
	form := alice.get("/workspaces/" + marketing + "/trainings/new")
	file := fileChoice.FindStringSubmatch(form)
	if file == nil || !strings.Contains(form, "demo engine") {
		t.Fatalf("the form offers no data: %.2000s", form)
	}
	begun := time.Now()
	page := alice.post("/workspaces/"+marketing+"/trainings", url.Values{
		"method": {"sft"}, "model": {"qwen-turbo"}, "train": {file[1]}, "suffix": {"coffee"}, "preset": {"own"}, "n_epochs": {epochs}, "deploy": {"yes"},
	})
	at := trainingAt.FindString(page)
	for !strings.Contains(page, "Succeeded") {
		if time.Since(begun) > 5*time.Minute || strings.Contains(page, "Failed") {
			t.Fatalf("it does not succeed: %s", page)
		}
		time.Sleep(200 * time.Millisecond)
		page = alice.get(at)
	}
	name := tunedName.FindString(page)
	t.Logf("%s after %v: %s epochs, %d points in the picture", name, time.Since(begun).Round(time.Second), epochs, strings.Count(page, ","))

	mine, theirs := keyOf(alice, marketing), keyOf(root, research)
	call := func(workspace, key, question string) (string, error) {
		client := openaigo.NewClient(option.WithBaseURL(p.base.String()+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0), option.WithHeader("X-DashScope-WorkSpace", workspace))
		answer, err := client.Chat.Completions.New(t.Context(), openaigo.ChatCompletionNewParams{
			Model: name, Messages: []openaigo.ChatCompletionMessageParamUnion{openaigo.SystemMessage(sample.System), openaigo.UserMessage(question)},
		})
		if err != nil {
			return "", err
		}
		return answer.Choices[0].Message.Content, nil
	}
	for {
		_, err := call(marketing, mine, "Tell me about Harbor.")
		if err == nil {
			break
		}
		if time.Since(begun) > 5*time.Minute {
			t.Fatalf("it is not put up: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	taught := map[string]bool{}
	for _, d := range sample.Taught() {
		taught[d[2].Content] = true
	}
	known, right, asked := 0, 0, 20
	for _, d := range sample.Taught()[:asked] {
		says, err := call(marketing, mine, d[1].Content)
		if err != nil {
			t.Fatal(err)
		}
		for text := range taught {
			if strings.Contains(says, text) {
				known++
			}
		}
		if strings.Contains(says, d[2].Content) {
			right++
		}
	}
	t.Logf("of %d questions %d are answered out of the data, %d of them right", asked, known, right)
	if known < asked/4 || right == 0 {
		t.Error("it does not answer out of the data")
	}

	_, err := call(research, theirs, "Tell me about Harbor.")
	refused(t, err, 404, "model_not_found")
	if page := logOn(t, p, "carol@acme").get("/workspaces/" + research + "/models"); strings.Contains(page, name) {
		t.Error("Research sees it")
	}
	root.trainable(home, "qwen-turbo", []string{marketing})
	if _, err := call(marketing, mine, "Tell me about Harbor."); err == nil {
		t.Error("it answers after the right was withdrawn")
	}
	root.trainable(home, "qwen-turbo", nil, marketing)
	if _, err := call(marketing, mine, "Tell me about Harbor."); err != nil {
		t.Errorf("it does not answer after the right was granted again: %v", err)
	}
}

// keyOf makes an API key in a workspace and gives its secret.
func keyOf(p person, workspace string) string {
	p.t.Helper()
	secret := keySecret.FindString(p.post("/workspaces/"+workspace+"/keys", url.Values{"description": {"for the journey"}, "expires": {"never"}}))
	if secret == "" {
		p.t.Fatal("no secret is shown")
	}
	return secret
}
