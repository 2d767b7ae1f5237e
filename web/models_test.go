package web_test

import (
	"strings"
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

func (o *company) at(ws ident.Workspace, rest string) string {
	return "/workspaces/" + string(ws) + rest
}

func TestTheGalleryIsSearchedFilteredAndSorted(t *testing.T) {
	o := start(t)
	o.get("root", o.at(o.home, "/models")).is(200).says("Models", "Qwen-Turbo", "qwen-turbo", "128K", "¥0.30 / ¥0.60", "per 1M tokens, in / out", "50 models", "View")
	o.get("root", o.at(o.home, "/models?q=turbo")).says("Qwen-Turbo", "1 model").hides("qwen-max")
	o.get("root", o.at(o.home, "/models?vendor=DeepSeek")).says("deepseek-v3.2").hides(">qwen-turbo<")
	o.get("root", o.at(o.home, "/models?q=nothing-like-it")).says("Nothing found", "Show all models")
	list := o.ask("root", "GET", o.at(o.home, "/models?sort=name&order=desc"), nil, part).is(200).hides("<html")
	if z, a := strings.Index(list.body, "Wan"), strings.Index(list.body, "DeepSeek"); z < 0 || a < z {
		t.Error("sorting by name turned round does not put Wan before DeepSeek")
	}
	list.holds(`aria-sort="descending"`)
	cheap := o.ask("root", "GET", o.at(o.home, "/models?sort=context"), nil, part)
	if strings.Index(cheap.body, "Not given") < strings.Index(cheap.body, "128K") {
		t.Error("models without a context window do not come last")
	}
}

func TestTheGalleryShowsWhatAWorkspaceMayDo(t *testing.T) {
	o := start(t)
	o.get("root", o.at(o.home, "/models?q=qwen-turbo")).says("Call : authorized", "Train : authorized", "Deploy : authorized")
	o.get("root", o.at(o.a, "/models?q=qwen-turbo")).says("Call : not authorized", "Train : not authorized")
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	o.get("alice", o.at(o.a, "/models?q=qwen-turbo")).says("Call : authorized", "Train : not authorized")
	o.get("alice", o.at(o.a, "/models?capability=call")).says("Qwen-Turbo", "1 model")
	o.get("bert", o.at(o.b, "/models?capability=call")).says("Nothing found")
}

func TestThePanelTellsEverythingAboutAModel(t *testing.T) {
	o := start(t)
	path := o.at(o.home, "/models/qwen-turbo")
	page := o.get("root", path).is(200).holds("<html", "<dialog", `class="drawer"`)
	page.says("Qwen-Turbo", "131,072 tokens", "1,200 a minute", "5,000,000 a minute", "¥0.30", "Structured output", "Input, cached", "Training")
	page.says("Model Calling", "Model Training", "Model Deployment", "No sub-workspace is authorized.", "No provider serves this model yet.")
	page.holds(`aria-label="Authorize Model Calling"`, `aria-label="Authorize Model Training"`, `aria-label="Authorize Model Deployment"`)
	o.ask("root", "GET", path, nil, part).is(200).holds("<dialog").hides("<html", "<table class=\"stacks models\"")

	qwenMax := o.get("root", o.at(o.home, "/models/qwen-max")).is(200).says("This model does not offer it.")
	qwenMax.hides(`aria-label="Authorize Model Training"`)
	o.get("root", o.at(o.home, "/models/no-such-model")).is(404).says("There is no such model.")
}

func TestSamplesHoldTheRealAddressWorkspaceAndModel(t *testing.T) {
	o := start(t)
	page := o.get("alice", o.at(o.a, "/models/qwen-plus")).is(200)
	page.says("https://models.example.com/compatible-mode/v1", "https://models.example.com/api/v1/services/aigc/text-generation/generation",
		`"X-DashScope-WorkSpace": "`+string(o.a)+`"`, `workspace="`+string(o.a)+`"`, `"model": "qwen-plus"`, "curl", "Python", "JavaScript", "OpenAI", "DashScope")
	o.get("bob", o.at(o.a, "/models/qwen-plus")).is(200).says("YOUR_WORKSPACE_ID").hides(`workspace=&#34;` + string(o.a))
	o.config.BaseURL = ""
	o.serve()
	o.get("alice", o.at(o.a, "/models/qwen-plus")).says("https://console.example.com/compatible-mode/v1")
	o.get("root", o.at(o.home, "/models/qwen-image")).is(200).hides("Call it")
}

func TestInASubWorkspaceTheRowsSayWhoCanChangeThem(t *testing.T) {
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	for _, who := range []string{"root", "alice", "bob"} {
		page := o.get(who, o.at(o.a, "/models/qwen-turbo")).is(200).says("Authorized", "Not authorized", "Only the account owner or a super administrator can change this")
		page.hides("Authorize Model Calling")
	}
	o.get("super", o.at(o.home, "/models/qwen-turbo")).says("Marketing").holds("Authorize Model Calling")
}

func TestAModelIDMayHoldSlashesAndColons(t *testing.T) {
	o := start(t)
	p := o.provider(o.root, "vLLM")
	name := "Qwen/Qwen3-8B:q4_K_M"
	o.must(o.config.Providers.Import(t.Context(), o.root, p.ID, []provider.Serving{{Name: name}}))
	list := o.get("root", o.at(o.home, "/models?q=q4_k_m")).is(200)
	path := linkTo(t, list, "View")
	if want := o.at(o.home, "/models/Qwen%2FQwen3-8B:q4_K_M"); path != want {
		t.Fatalf("the link is %s, not %s", path, want)
	}
	page := o.get("root", path).is(200).says(name, "Added by this account").hides("No provider serves")
	o.get("root", formTo(t, page, "Authorize Model Calling")).is(200).says("Model Calling authorization")
}
