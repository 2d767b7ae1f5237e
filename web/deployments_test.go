package web_test

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/deployment"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/work"
)

// deploys has the demo engine serve Qwen-Turbo, and keeps deployments as they are
// wanted until the test ends.
func (o *company) deploys() {
	o.t.Helper()
	p, err := o.config.Providers.Add(o.t.Context(), o.root, provider.Form{Name: "Demo engine", Kind: provider.Embedded})
	o.must(err)
	o.must(o.config.Providers.Serve(o.t.Context(), o.root, p.ID, []provider.Serving{{Model: "qwen-turbo"}}))
	engine, err := embedded.Kind(filepath.Join(o.t.TempDir(), "engine"))(provider.Target{})
	o.must(err)
	o.config.Deployments.Open = func(provider.Provider) (provider.Server, error) { return engine, nil }
	loop := &deployment.Loop{Service: o.config.Deployments, Store: o.store, Engines: o.keeper, Checks: 100 * time.Millisecond}
	runner := &work.Runner{Store: o.store, Kind: deployment.Work, Owner: "test", Do: loop.Do, TTL: 2 * time.Second, Poll: 20 * time.Millisecond}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { runner.Run(ctx) })
	o.t.Cleanup(func() { stop(); all.Wait() })
}

// comes waits until a page says something.
func (o *company) comes(who, path, text string) *answer {
	o.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(30 * time.Millisecond) {
		a := o.get(who, path)
		if strings.Contains(a.body, text) || time.Now().After(end) {
			return a.says(text)
		}
	}
}

func TestADeploymentIsMadeChangedAndDeletedWithoutScripts(t *testing.T) {
	o := start(t)
	o.deploys()
	list := o.at(o.a, "/deployments")
	o.get("alice", list).is(200).says("Nothing is deployed yet")
	o.get("alice", list+"/new").is(200).says("There is nothing to deploy yet.")
	o.post("alice", list, "model", "qwen-turbo").is(403)
	o.authorize("qwen-turbo", catalogue.Deploy, o.a)
	o.get("alice", list+"/new?model=qwen-turbo").is(200).says("Qwen-Turbo (qwen-turbo) · Free: demo engine", "Charged for each replica")
	for _, mistake := range [][]string{
		{"capacity", "many", "Enter a whole number."}, {"capacity", "1000", "less than 1000"}, {"suffix", "Not/so", "lower-case letters and digits"},
		{"rpm_limit", "-1", "A limit is 1"}, {"model", "qwen-never", "not found"}, {"name", strings.Repeat("x", 65), "at most 64 characters"},
	} {
		fields := map[string]string{"model": "qwen-turbo", "suffix": "fast", "capacity": "1", mistake[0]: mistake[1]}
		var pairs []string
		for name, value := range fields {
			pairs = append(pairs, name, value)
		}
		a := o.post("alice", list, pairs...)
		if a.status != 422 && a.status != 404 {
			t.Errorf("%v: %d", mistake, a.status)
		}
		a.says(mistake[2])
	}
	page := o.post("alice", list, "model", "qwen-turbo", "suffix", "fast", "name", "Fast & <b>", "capacity", "1", "rpm_limit", "60").is(303).header.Get("Location")
	o.comes("alice", page, "Running").says("Fast & <b>", "qwen-turbo-fast", "Demo engine", "60 requests a minute", "curl ", "Free: demo engine", "Waiting", "Deploying").hides("<b>")
	o.get("alice", list).is(200).says("Fast & <b>", "qwen-turbo-fast", "1 of 1")
	o.get("alice", o.at(o.a, "/models")).says("Deployed in", "qwen-turbo-fast", "Callable")
	o.get("alice", o.at(o.a, "/playground")).holds("qwen-turbo-fast")
	o.get("alice", o.at(o.a, "/keys/new")).holds("qwen-turbo-fast")
	o.post("alice", list, "model", "qwen-turbo", "suffix", "fast", "capacity", "1").is(409).says("already exists, please specify a suffix")
	o.post("alice", page+"/scale", "capacity", "x").is(422).says("Enter a whole number.")
	o.post("alice", page+"/scale", "capacity", "3").to(page)
	o.comes("alice", page, "3 of 3 answer")
	o.post("alice", page+"/limits", "rpm_limit", "", "tpm_limit", "9000").to(page)
	o.get("alice", page).says("9,000 tokens a minute")
	o.authorize("qwen-turbo", catalogue.Deploy)
	o.get("alice", page).says("Calls are refused: this workspace is not authorized for Model Deployment of qwen-turbo any more.")
	o.get("alice", o.at(o.a, "/models")).says("Not authorized any more")
	o.post("alice", page+"/scale", "capacity", "5").is(403)
	o.get("alice", page+"/stop").says("Calls of the model qwen-turbo-fast are refused")
	o.post("alice", page+"/stop").to(page)
	o.comes("alice", page, "Stopped")
	o.post("alice", page+"/start").is(403)
	o.authorize("qwen-turbo", catalogue.Deploy, o.a)
	o.post("alice", page+"/start").to(page)
	o.comes("alice", page, "3 of 3 answer")
	for _, who := range []string{"bert"} { // of Research
		a := o.get(who, o.at(o.b, "/models"))
		a.is(200).hides("qwen-turbo-fast")
		o.get(who, page).is(404)
		o.get(who, strings.Replace(page, string(o.a), string(o.b), 1)).hides("qwen-turbo-fast")
	}
	o.get("root", o.at(o.a, "/delete")).says("1 deployment")
	providers, err := o.config.Providers.List(t.Context(), o.root)
	o.must(err)
	for _, p := range providers {
		if p.Name == "Demo engine" {
			o.get("root", "/account/providers/"+string(p.ID)+"/delete").says("It cannot be deleted yet", "the deployment qwen-turbo-fast of Marketing")
			o.post("root", "/account/providers/"+string(p.ID)+"/delete").is(409).says("the deployment qwen-turbo-fast of Marketing")
		}
	}
	o.get("alice", page+"/delete").says("taken away for good")
	o.post("alice", page+"/delete").to(list)
	o.comes("alice", list, "Nothing is deployed yet")
	o.get("alice", page).is(404)
}

func TestBrowserADepartmentDeploysAModel(t *testing.T) {
	t.Parallel()
	o := start(t)
	o.deploys()
	b := o.chrome(t)
	b.logOn("alice")
	b.click("link", "Deployments")
	b.sees("Nothing is deployed yet")
	b.examine("Deployments, empty")
	b.open(o.at(o.a, "/deployments/new"))
	b.sees("There is nothing to deploy yet.")
	b.examine("Deploy a model without a right")
	o.authorize("qwen-turbo", catalogue.Deploy, o.a)
	b.click("link", "Deployments")
	b.click("link", "Deploy a model")
	b.sees("Free: demo engine")
	b.fill("textbox", "Suffix", "Not so")
	b.click("button", "Deploy")
	b.sees("A suffix has 1–8 lower-case letters and digits.")
	b.examine("Deploy a model with a mistake")
	b.fill("textbox", "Suffix", "fast")
	b.click("button", "Deploy")
	b.sees("Running", "qwen-turbo-fast", "OpenAI base URL")
	b.examine("a deployment")
	b.click("button", "Scale")
	b.find("dialog", "Scale qwen-turbo-fast")
	b.fill("textbox", "Replicas", "1000")
	b.click("button", "Scale")
	b.sees("less than 1000")
	b.examine("Scale with a mistake")
	b.fill("textbox", "Replicas", "2")
	b.click("button", "Scale")
	b.sees("2 of 2 answer")
	b.click("button", "Stop")
	b.sees("This stops working")
	b.examine("Stop a deployment")
	b.click("button", "Stop")
	b.sees("Stopped")
	b.click("button", "Start")
	b.sees("2 of 2 answer")
	b.click("link", "Deployments")
	b.sees("Running", "Demo engine")
	b.examine("Deployments")
	b.click("link", "Models")
	b.sees("Callable")
	b.examine("Models with an own one")
}

func TestUsageTellsOfDeploymentsAndTrainings(t *testing.T) {
	o := start(t)
	id := ident.Deployment(o.deployment(o.root, o.a))
	l, found, err := o.store.ClaimWork(t.Context(), deployment.Work, "test", time.Hour)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	d, err := o.store.Deployment(t.Context(), o.a, id)
	o.must(err)
	move := func(to deployment.State) {
		m, err := d.Move(to, "", o.clock.Now())
		o.must(err)
		o.must(o.store.NoteDeployment(t.Context(), o.a, d, l, []deployment.Moved{m}, o.root.Event("deployments:moved", o.a, string(id), "moved")))
		d.Version++
	}
	d.Ready = 1
	move(deployment.Deploying)
	move(deployment.Running)
	for range 2 {
		o.clock.pass(10 * time.Minute)
		d, err = o.store.Deployment(t.Context(), o.a, id)
		o.must(err)
		o.must(o.store.NoteDeployment(t.Context(), o.a, d, l, nil, o.root.Event("", o.a, "", "")))
		d.Version++
	}
	o.get("alice", o.at(o.a, "/usage")).is(200).says("Deployments and trainings", string(d.Name), "0.333 replica hours", "No price")
	o.get("root", "/account/usage").is(200).says("0.333 replica hours", "Marketing")
	o.get("bert", o.at(o.b, "/usage")).is(200).hides(string(d.Name), "replica hours")
	if rest := regexp.MustCompile(`replica hours`).FindAllString(o.get("alice", o.at(o.a, "/usage?status=failed")).body, -1); len(rest) > 0 {
		t.Error("refused calls are beside deployments")
	}
}
