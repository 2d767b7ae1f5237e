package web_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/embedded"
	"bailiwick/internal/training"
	"bailiwick/internal/work"
)

// trains has the demo engine serve Qwen-Turbo, and trains what is asked for until
// the test ends.
func (o *company) trains() {
	o.t.Helper()
	p := o.provider(o.root, "Demo engine")
	o.must(o.config.Providers.Serve(o.t.Context(), o.root, p.ID, []provider.Serving{{Model: "qwen-turbo"}}))
	engine := embedded.Server{Now: time.Now}
	o.config.Trainings.Open = func(provider.Provider) (provider.Server, error) { return engine, nil }
	o.config.Trainings.Now = time.Now
	loop := &training.Loop{Service: o.config.Trainings, Store: o.store, Note: 100 * time.Millisecond}
	runner := &work.Runner{Store: o.store, Kind: training.Work, Owner: "test", Do: loop.Do, Parallel: 2, TTL: 2 * time.Second, Poll: 50 * time.Millisecond}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { runner.Run(ctx) })
	o.t.Cleanup(func() { stop(); all.Wait() })
}

func TestBrowserADepartmentTrainsAModelOnTheSample(t *testing.T) {
	t.Parallel()
	o := start(t)
	o.trains()
	b := o.chrome(t)
	b.logOn("alice")
	b.click("link", "Training")
	b.sees("Nothing was trained yet")
	b.examine("Training, empty")
	b.open(o.at(o.a, "/trainings/new"))
	b.sees("There is no model that this workspace may train")
	b.examine("Create training task without a right")

	o.authorize("qwen-turbo", catalogue.Train, o.a)
	b.click("link", "Datasets")
	b.click("button", "Use the sample")
	b.sees("160")
	b.click("link", "Training")
	b.click("link", "Create training task")
	b.sees("Qwen-Turbo (qwen-turbo), demo engine", "nothing the demo engine is free", "about")
	b.examine("Create training task")
	b.click("radio", "Quick A third of the epochs: a first look at the curve.")
	b.sees("10 epochs")
	b.click("radio", "Own parameters As written below.")
	b.fill("spinbutton", "Epochs", "9")
	b.sees("9 epochs")
	b.fill("textbox", "Suffix of the model's name", "not/so")
	b.click("button", "Start")
	b.sees("A suffix has at most 40 letters, digits and . _ -")
	b.examine("Create training task with a mistake")
	b.fill("textbox", "Suffix of the model's name", "coffee")
	b.click("button", "Start")

	b.find("heading", "Training loss")
	b.sees("Real loss of a real, very small model.")
	b.until("the curve to begin", func() bool { return b.peek("document.querySelector('.trace')?.getAttribute('points') ?? ''") != "" })
	first := len(b.peek("document.querySelector('.trace').getAttribute('points')"))
	b.until("the curve to grow by itself", func() bool { return len(b.peek("document.querySelector('.trace').getAttribute('points')")) > 2*first })
	b.sees("Training", "left")
	b.examine("a training that runs")
	for end := time.Now().Add(time.Minute); !strings.Contains(b.peek("document.querySelector('.training-head').innerText"), "Succeeded"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			b.sees("Succeeded")
		}
	}
	b.sees("step 144 of 144", "checkpoint-16", "token accuracy", "Epoch 9 of 9")
	b.examine("a training that succeeded")
	b.click("button", "Publish", "checkpoint-16")
	b.sees("Published as qwen-turbo-coffee-step16-ft-")

	b.click("link", "Whole log")
	b.sees("Log of ft-", "Created by alice@acme")
	b.examine("the log of a training")
	b.click("link", "Training")
	b.sees("Succeeded", "qwen-turbo", "SFT, full", "Demo engine")
	b.examine("Training")

	b.click("link", "My Models")
	b.sees("qwen-turbo-coffee-step16-ft-", "qwen-turbo-coffee-ft-")
	b.examine("My Models")
	b.fill("searchbox", "Search models", "step16")
	b.until("one row", func() bool { return b.peek("String(document.querySelectorAll('#tuned-list tbody tr').length)") == "1" })
	b.click("link", "View")
	b.sees("Where it comes from", "model.gguf", "for llama.cpp and Ollama", "(160 examples)")
	b.examine("panel of an own model")
	b.click("button", "Rename")
	b.find("dialog", "Rename model")
	b.fill("textbox", "Title", "")
	b.click("button", "OK")
	b.sees("A title has 1–64 characters.")
	b.examine("Rename model with a mistake")
	b.fill("textbox", "Title", "Early coffee")
	b.click("button", "OK")
	b.sees("Model renamed", "Early coffee")
	b.click("button", "Delete")
	b.sees("Delete this model?", "Nobody can deploy or download")
	b.examine("Delete this model")
	b.click("button", "Delete")
	b.sees("Model deleted")
	b.seesNot("Early coffee")

	b.logOff()
	b.logOn("bert")
	b.click("link", "My Models")
	b.sees("No model of your own yet")
	b.click("link", "Training")
	b.sees("Nothing was trained yet")
	b.seesNot("coffee")
}
