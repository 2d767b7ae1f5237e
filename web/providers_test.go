package web_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/web"
)

const upstream = "http://127.0.0.1:11434/v1"

func TestRootAddsAProviderAndImportsItsModels(t *testing.T) {
	o := start(t)
	o.get("root", "/account/providers").is(200).says("Providers", "No providers yet", "Add provider")
	o.get("root", "/account/providers/new").is(200).says("Add provider", "Name", "Kind", "OpenAI protocol", "Embedded", "Base URL", "Credential", "Test connection")
	added := o.post("root", "/account/providers", "name", "vLLM", "kind", "openai", "base_url", upstream+"/", "credential", "sk-canary").is(303)
	importing := added.header.Get("Location")
	page := o.get("root", importing).is(200).says("Import models from vLLM", "qwen-plus", "my-model:7b", "A new model of this name")
	page.holds(`name="as:my-model:7b"`, `value="qwen-plus" selected`).hides("sk-canary")
	o.post("root", importing, "remote", "qwen-plus", "as:qwen-plus", "qwen-plus", "remote", "my-model:7b", "as:my-model:7b", "qwen-turbo").is(303)
	served := o.get("root", strings.Replace(importing, "/import", "/served", 1)).is(200)
	served.says("2 models imported", "Qwen-Plus", "Qwen-Turbo").holds(`value="my-model:7b"`)
	if !o.keeper.Now().Served(o.account.ID, "qwen-turbo") {
		t.Fatal("the policy does not know it")
	}
	o.get("root", importing).says("Already served")
	o.get("root", "/account/providers").says("vLLM", upstream, "OpenAI protocol", "Not tested", "2").hides("sk-canary")
}

func TestAProviderFormKeepsWhatWasTypedButTheCredential(t *testing.T) {
	o := start(t)
	wrong := o.post("root", "/account/providers", "name", "", "kind", "openai", "base_url", "ftp://x", "credential", "sk-canary").is(422)
	wrong.says("Give the provider a name").hides("sk-canary").holds(`value="ftp://x"`)
	o.post("root", "/account/providers", "name", "x", "kind", "openai", "base_url", "ftp://x").is(422).says("The address begins with http")
	o.post("root", "/account/providers", "name", "x", "kind", "teapot", "base_url", upstream).is(422).says("Choose one of the kinds.")
	o.provider(o.root, "Taken")
	o.post("root", "/account/providers", "name", "Taken", "kind", "openai", "base_url", upstream).is(409).holds(`value="Taken"`)
}

func TestAConnectionIsTestedBeforeItIsSaved(t *testing.T) {
	o := start(t)
	o.cookie("root")
	before := o.version()
	fields := []string{"name", "vLLM", "kind", "openai", "base_url", upstream, "credential", "sk-canary"}
	o.ask("root", "POST", "/account/providers/test", fieldsOf(fields), part).is(200).says("Connected in", "It names 2 models.", "qwen-plus").hides("<html", "sk-canary")
	o.post("root", "/account/providers/test", fields...).is(200).says("Connected in").holds("<html", `value="vLLM"`).hides("sk-canary")
	o.remote.err = fault.New(fault.Unavailable, "Nothing answers at this address.").Because(errors.New("dial sk-canary"))
	o.post("root", "/account/providers/test", fields...).is(200).says("The connection failed.", "Nothing answers at this address.").hides("sk-canary")
	if o.version() != before {
		t.Error("a test before saving kept something")
	}
}

func TestSec21_AKeptCredentialIsNeverSentElsewhere(t *testing.T) {
	o := start(t)
	p := o.provider(o.root, "vLLM")
	path := "/account/providers/" + string(p.ID)
	page := o.get("root", path+"/edit").is(200).says("One is kept and never shown.").hides("sk-upstream-canary")
	version := page.field("version")
	o.remote.seen = nil
	o.post("root", path+"/try", "name", "vLLM", "base_url", p.BaseURL, "version", version).is(200)
	o.post("root", path+"/try", "name", "vLLM", "base_url", "http://evil.example/v1", "version", version).is(200)
	if len(o.remote.seen) != 2 || o.remote.seen[0].Credential.Reveal() != "sk-upstream-canary" || !o.remote.seen[1].Credential.Empty() {
		t.Fatalf("targets %v", o.remote.seen)
	}
	o.post("root", path+"/edit", "name", "vLLM", "base_url", "http://evil.example/v1", "version", version).is(303)
	o.get("root", path+"/edit").hides("One is kept")
	o.post("root", path+"/edit", "name", "late", "base_url", p.BaseURL, "version", version).is(409).holds(`value="late"`)
}

func TestAProviderIsTestedFromTheList(t *testing.T) {
	o := start(t)
	p := o.provider(o.root, "vLLM")
	path := "/account/providers/" + string(p.ID) + "/test"
	o.ask("root", "POST", path, nil, part).is(200).holds(`hx-target="#providers"`).says("vLLM answers and names 2 models", "Reachable", "a moment ago")
	o.remote.err = fault.New(fault.Unavailable, "Nothing answers at this address.")
	o.post("root", path).to("/account/providers")
	o.get("root", "/account/providers").says("Nothing answers at this address.", "Failing")
	o.get("root", strings.Replace(path, "/test", "/import", 1)).is(200).says("Nothing answers at this address.")
}

func TestServedModelsAreEdited(t *testing.T) {
	o := start(t)
	p := o.provider(o.root, "vLLM")
	path := "/account/providers/" + string(p.ID) + "/served"
	o.get("root", path).is(200).says("Serves no model yet", "Add a model")
	o.post("root", path, "model", "qwen-turbo", "upstream", "").is(303)
	page := o.get("root", path).is(200).holds(`aria-label="Name of Qwen-Turbo at the provider"`, `value="qwen-turbo"`)
	o.post("root", path, "version", page.field("version"), "model", "qwen-turbo", "upstream", "other-name", "model", "qwen-plus", "upstream", "plus").is(303)
	o.get("root", path).holds(`value="other-name"`, `value="plus"`)
	o.post("root", path, "model", "qwen-turbo", "upstream", strings.Repeat("x", 201)).is(422).says("at most 200 characters")
	o.post("root", path, "model", "qwen-turbo", "upstream", "", "model", "qwen-plus", "upstream", "plus").is(303)
	if o.keeper.Now().Served(o.account.ID, "qwen-turbo") || !o.keeper.Now().Served(o.account.ID, "qwen-plus") {
		t.Error("the wrong models are served")
	}
	o.post("root", path, "model", "never-was", "upstream", "x").is(404)
	o.post("root", path, "model", "qwen-turbo").is(422)
}

func TestAProviderIsDeletedAfterAWarning(t *testing.T) {
	o := start(t)
	p := o.provider(o.root, "vLLM")
	o.must(o.config.Providers.Serve(t.Context(), o.root, p.ID, []provider.Serving{{Model: "qwen-turbo"}}))
	path := "/account/providers/" + string(p.ID) + "/delete"
	o.get("root", path).is(200).says("Delete vLLM?", "Calls of 1 model that no other provider serves.")
	o.post("root", path).to("/account/providers")
	o.get("root", "/account/providers").says("Provider vLLM deleted", "No providers yet")
}

func TestFoundProvidersAreOffered(t *testing.T) {
	o := start(t)
	o.config.Offers = func(of ident.Account) []web.Offer {
		if of != o.account.ID {
			return nil
		}
		return []web.Offer{
			{ID: "ollama", Text: "Answers at " + upstream, Form: provider.Form{Name: "Ollama on this machine", Kind: provider.OpenAI, BaseURL: upstream}},
			{ID: "openai", Text: "OPENAI_API_KEY is set", Form: provider.Form{Name: "OpenAI", Kind: provider.OpenAI, BaseURL: "https://api.openai.com/v1", Credential: secretOf("sk-env-canary")}},
		}
	}
	o.serve()
	page := o.get("root", "/account/providers").is(200).says("Ollama on this machine", "OPENAI_API_KEY is set").hides("sk-env-canary")
	page.holds(`aria-label="Add OpenAI"`, `aria-label="Dismiss OpenAI"`)
	o.post("root", formTo(t, page, "Add Ollama on this machine")).to("/account/providers")
	o.ask("root", "POST", formTo(t, page, "Dismiss OpenAI"), nil, part).is(200).hides("Add OpenAI", `aria-label="Add Ollama`).says("Ollama on this machine")
	o.post("root", formTo(t, page, "Add OpenAI")).is(404)
	o.neighbour()
	o.get("root@other", "/account/providers").is(200).hides("Ollama")
}

func TestAProvidersLineSaysHowCallsFoundIt(t *testing.T) {
	o := start(t)
	p := o.provider(o.root, "vLLM")
	spot := provider.Spot{Provider: p.ID, Name: "qwen"}
	o.config.Health.Note(spot, provider.Answered, 84*time.Millisecond, "")
	o.get("root", "/account/providers").says("Answering", "1 call in 10 minutes, first byte after 84 ms")
	for range 5 {
		o.config.Health.Note(spot, provider.Failed, 0, "It answered with status 500.")
	}
	o.get("root", "/account/providers").says("Resting after failures", "6 calls in 10 minutes", "5 failed: It answered with status 500.")
}

func TestOrderAndWeightOfServedModelsAreEdited(t *testing.T) {
	o := start(t)
	p := o.provider(o.root, "vLLM")
	path := "/account/providers/" + string(p.ID) + "/served"
	o.post("root", path, "model", "qwen-turbo", "upstream", "turbo", "order", "2", "weight", "30").is(303)
	o.get("root", path).holds(`aria-label="Order of Qwen-Turbo"`, `value="2"`, `value="30"`)
	for _, wrong := range [][2]string{{"0", "1"}, {"10", "1"}, {"1", "101"}, {"x", "1"}, {"1", "-3"}} {
		o.post("root", path, "model", "qwen-turbo", "upstream", "kept", "order", wrong[0], "weight", wrong[1]).is(422).
			says("The order is 1–9 and the weight 1–100.").holds(`value="kept"`, `value="`+wrong[0]+`"`, `value="`+wrong[1]+`"`)
	}
}
