// Package workshop answers what programs ask about training files, trainings and
// deployments, in the words of DashScope and of OpenAI. Behind both are the
// services of the console, so that one and the same thing is seen from three
// sides. Who asks, and in which workspace, was decided before.
package workshop

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/dataset"
	"bailiwick/internal/deployment"
	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
	"bailiwick/internal/training"
)

// Workshop is what the addresses work with.
type Workshop struct {
	Datasets    *dataset.Service
	Trainings   *training.Service
	Deployments *deployment.Service
	// Actor finds the owner of a key.
	Actor func(ctx context.Context, u ident.User) (access.Actor, error)
	// Tick is how often a stream looks for news; 0: a second.
	Tick time.Duration
}

// Visit is one request on its way. The gateway fills it.
type Visit struct {
	W         http.ResponseWriter
	R         *http.Request
	Call      ident.Call
	At        time.Time
	By        access.Actor // acts with the key, and may what programs may
	Workspace ident.Workspace
	Origin    string // how the caller reaches us: "https://models.example.com" or "…/w/llm-…"
	// Ask asks the policy whether the workspace may do this with a model now, and
	// with no model whether the caller may still be here.
	Ask func(m ident.Model, c catalogue.Capability) *dialect.Refusal
	// Body reads a body of JSON.
	Body func() ([]byte, *dialect.Refusal)
	// Answer sends a whole answer, and Begin the head of one that comes in pieces.
	Answer func(status int, body []byte)
	Begin  func(contentType string)
	// Send passes on a piece; false: the caller hung up.
	Send func(piece []byte) bool

	names []string // what the path names
}

// Route is an address of the workshop.
type Route struct {
	OpenAI  bool
	methods map[string]handler
	names   []string
}

type handler func(*Workshop, context.Context, *Visit) *dialect.Refusal

// Allow lists the methods that the address takes.
func (r Route) Allow() string {
	var list []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if r.methods[m] != nil {
			list = append(list, m)
		}
	}
	return strings.Join(list, ", ")
}

// Takes reports whether the address takes a method.
func (r Route) Takes(method string) bool { return r.methods[method] != nil }

// Serve answers a visit.
func (w *Workshop) Serve(ctx context.Context, r Route, v *Visit) *dialect.Refusal {
	v.names = r.names
	return r.methods[v.R.Method](w, ctx, v)
}

// pattern is an address; a star stands for a name, which may hold slashes only
// where it is written escaped.
type pattern struct {
	parts   []string
	methods map[string]handler
}

func at(path string, methods map[string]handler) pattern {
	return pattern{strings.Split(path, "/"), methods}
}

var native = []pattern{
	at("files", map[string]handler{"POST": (*Workshop).uploadFiles, "GET": (*Workshop).listFiles}),
	at("files/*", map[string]handler{"GET": (*Workshop).tellFile, "DELETE": (*Workshop).dropFile}),
	at("fine-tunes", map[string]handler{"POST": (*Workshop).createTune, "GET": (*Workshop).listTunes}),
	at("fine-tunes/*", map[string]handler{"GET": (*Workshop).tellTune, "DELETE": (*Workshop).dropTune}),
	at("fine-tunes/*/cancel", map[string]handler{"POST": (*Workshop).cancelTune}),
	at("fine-tunes/*/logs", map[string]handler{"GET": (*Workshop).tuneLog}),
	at("fine-tunes/*/stream", map[string]handler{"GET": (*Workshop).streamTune}),
	at("fine-tunes/*/checkpoints", map[string]handler{"GET": (*Workshop).tuneCheckpoints}),
	at("fine-tunes/*/export/*", map[string]handler{"GET": (*Workshop).exportTune}),
	at("deployments/models", map[string]handler{"GET": (*Workshop).deployable}),
	at("deployments", map[string]handler{"POST": (*Workshop).deploy, "GET": (*Workshop).listDeployments}),
	at("deployments/*", map[string]handler{"GET": (*Workshop).tellDeployment, "DELETE": (*Workshop).dropDeployment}),
	at("deployments/*/scale", map[string]handler{"PUT": (*Workshop).scaleDeployment}),
	at("deployments/*/update", map[string]handler{"PUT": (*Workshop).updateDeployment}),
}

var compatible = []pattern{
	at("files", map[string]handler{"POST": (*Workshop).createFile, "GET": (*Workshop).fileList}),
	at("files/*", map[string]handler{"GET": (*Workshop).getFile, "DELETE": (*Workshop).deleteFile}),
	at("files/*/content", map[string]handler{"GET": (*Workshop).fileContent}),
	at("fine_tuning/jobs", map[string]handler{"POST": (*Workshop).createJob, "GET": (*Workshop).jobList}),
	at("fine_tuning/jobs/*", map[string]handler{"GET": (*Workshop).getJob}),
	at("fine_tuning/jobs/*/cancel", map[string]handler{"POST": (*Workshop).cancelJob}),
	at("fine_tuning/jobs/*/events", map[string]handler{"GET": (*Workshop).jobEvents}),
	at("fine_tuning/jobs/*/checkpoints", map[string]handler{"GET": (*Workshop).jobCheckpoints}),
}

// roots are what the addresses begin with.
var roots = []struct {
	prefix   string
	openAI   bool
	patterns []pattern
}{
	{"/api/v1/", false, native}, {"/v1/", true, compatible}, {"/compatible-mode/v1/", true, compatible},
}

// Find finds the address that a path is, as it was written.
func Find(escaped string) (Route, bool) {
	for _, root := range roots {
		rest, ok := strings.CutPrefix(escaped, root.prefix)
		if !ok {
			continue
		}
		for _, p := range root.patterns {
			if names, is := p.match(rest); is {
				return Route{root.openAI, p.methods, names}, true
			}
		}
	}
	return Route{}, false
}

func (p pattern) match(path string) (names []string, is bool) {
	parts := strings.Split(path, "/")
	if len(parts) != len(p.parts) {
		return nil, false
	}
	for i, want := range p.parts {
		if want != "*" {
			if parts[i] != want {
				return nil, false
			}
			continue
		}
		name, err := url.PathUnescape(parts[i])
		if err != nil || name == "" {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}
