package main

import (
	"testing"

	"bailiwick/internal/apikey"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/dashscope"
	"bailiwick/internal/provider/openai"
	"bailiwick/internal/provider/providertest"
	"bailiwick/internal/training"
)

// The far side of these tests is this program itself: what it answers programs
// in DashScope's and OpenAI's words is what it asks providers in them.

// far is a whole program as an engine, reached through the path of its Default
// Workspace with a key of that.
func far(t *testing.T) (*workshop, providertest.Engine) {
	t.Helper()
	w := newWorkshop(t)
	t.Cleanup(func() { w.stop() })
	_, secret, err := w.keys.Issue(t.Context(), w.root, w.ws, apikey.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	return w, providertest.Engine{Handler: w.server.Handler, Path: "/w/" + string(w.ws), Base: "qwen-turbo", Credential: secret.Reveal()}
}

// hands are ours on it.
func (w *workshop) hands(t *testing.T, how provider.Adapter) providertest.Hands {
	return providertest.Hands{
		Adapter: how, Losses: 2, // its log tells of every epoch
		Begun: func() int {
			_, _, n, err := w.trainings.List(t.Context(), w.root, w.ws, training.Filter{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			return n
		},
		Hold: func() func() {
			w.trainer.Slots <- struct{}{} // as if another one trained
			return func() { <-w.trainer.Slots }
		},
	}
}

func TestWeAreAProviderOfKindDashScopeByTheContract(t *testing.T) {
	w, e := far(t)
	e.Kind, e.Path = dashscope.Kind, e.Path+"/api/v1"
	providertest.Speaks(t, e)
	providertest.TrainsRemote(t, e, w.hands(t, provider.Full))
	providertest.Deploys(t, e, providertest.Deployable{})
	jobs, _, _, err := w.trainings.List(t.Context(), w.root, w.ws, training.Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		if j.State == training.Succeeded {
			providertest.Deploys(t, e, providertest.Deployable{Model: &provider.Artifact{Remote: string(j.Output), Format: provider.FormatRemote}})
			return
		}
	}
	t.Error("nothing came of the trainings")
}

func TestWeAreAProviderOfKindOpenAIByTheContract(t *testing.T) {
	w, e := far(t)
	e.Kind, e.Path = openai.Kind, e.Path+"/v1"
	providertest.Speaks(t, e)
	providertest.TrainsRemote(t, e, w.hands(t, provider.LoRA))
	providertest.Deploys(t, e, providertest.Deployable{Always: true})
}
