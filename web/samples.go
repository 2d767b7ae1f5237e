package web

import (
	"strings"

	"github.com/labstack/echo/v4"

	"bailiwick/internal/access"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/workspace"
	"bailiwick/views/layout"
	"bailiwick/views/ui"
)

// place is what a program must know to call from one workspace.
type place struct {
	base      string // of the gateway
	workspace string // the id, or a word in its place where the person may not see it
	path      string // "/w/llm-…", or nothing
}

// The paths of the two dialects below the place.
const (
	openAIPath    = "/compatible-mode/v1"
	dashScopePath = "/api/v1"
)

// place says how programs reach a workspace.
func (s *Server) place(c echo.Context, ws ident.Workspace) place {
	p := place{base: s.base(c), workspace: "YOUR_WORKSPACE_ID"}
	if actor(c).MayIn(ws, access.ReadID) {
		p.workspace, p.path = string(ws), "/w/"+string(ws)
	}
	return p
}

// base is how people and programs reach this server.
func (s *Server) base(c echo.Context) string {
	switch {
	case s.BaseURL != "":
		return strings.TrimRight(s.BaseURL, "/")
	case s.PlainHTTP:
		return "http://" + c.Request().Host
	}
	return "https://" + c.Request().Host
}

// baseURLs are what the official libraries are given.
func (p place) baseURLs() []layout.BaseURL {
	return []layout.BaseURL{
		{Label: "OpenAI", URL: p.base + p.path + openAIPath},
		{Label: "DashScope", URL: p.base + p.path + dashScopePath},
	}
}

// details are what a program needs to know of a workspace.
func (s *Server) details(c echo.Context, w workspace.Workspace) *layout.Workspace {
	p := s.place(c, w.ID)
	return &layout.Workspace{
		Name: w.Name, ID: s.shownID(c, w.ID), Default: w.Default, DetailsURL: workspaceDetailsURL(w.ID),
		BaseURLs: p.baseURLs(), Curl: p.fill(openAICurl, s.callable(w)),
	}
}

// wellKnown are the models that a first call is shown with.
var wellKnown = []ident.Model{"qwen-turbo", "qwen-plus", "qwen-flash", "qwen-max", "qwen3-8b"}

// callable is a model that the workspace may call, for a first try.
func (s *Server) callable(w workspace.Workspace) string {
	now := s.Policy.Now()
	for _, m := range wellKnown {
		if now.Holds(w.ID, m, catalogue.Call) {
			return string(m)
		}
	}
	return "YOUR_MODEL"
}

// samples are programs that call a model from a workspace.
func (s *Server) samples(c echo.Context, w workspace.Workspace, m ident.Model) []ui.Sample {
	p := s.place(c, w.ID)
	return []ui.Sample{
		{Dialect: "OpenAI", Language: "curl", Code: p.fill(openAICurl, string(m))},
		{Dialect: "OpenAI", Language: "Python", Code: p.fill(openAIPython, string(m))},
		{Dialect: "OpenAI", Language: "JavaScript", Code: p.fill(openAIJavaScript, string(m))},
		{Dialect: "DashScope", Language: "curl", Code: p.fill(dashScopeCurl, string(m))},
		{Dialect: "DashScope", Language: "Python", Code: p.fill(dashScopePython, string(m))},
		{Dialect: "DashScope", Language: "JavaScript", Code: p.fill(dashScopeJavaScript, string(m))},
	}
}

// fill puts the place and a model into a sample. Model ids hold no character
// that would have to be quoted.
func (p place) fill(sample, model string) string {
	return strings.NewReplacer("BASE", p.base, "WORKSPACE", p.workspace, "MODEL", model).Replace(sample)
}

const openAICurl = `curl BASE/compatible-mode/v1/chat/completions \
  -H "Authorization: Bearer $DASHSCOPE_API_KEY" \
  -H "X-DashScope-WorkSpace: WORKSPACE" \
  -H "Content-Type: application/json" \
  -d '{"model": "MODEL", "messages": [{"role": "user", "content": "Who are you?"}]}'`

const openAIPython = `import os
from openai import OpenAI

client = OpenAI(
    api_key=os.environ["DASHSCOPE_API_KEY"],
    base_url="BASE/compatible-mode/v1",
    default_headers={"X-DashScope-WorkSpace": "WORKSPACE"},
)
answer = client.chat.completions.create(
    model="MODEL",
    messages=[{"role": "user", "content": "Who are you?"}],
)
print(answer.choices[0].message.content)`

const openAIJavaScript = `import OpenAI from "openai";

const client = new OpenAI({
  apiKey: process.env.DASHSCOPE_API_KEY,
  baseURL: "BASE/compatible-mode/v1",
  defaultHeaders: { "X-DashScope-WorkSpace": "WORKSPACE" },
});
const answer = await client.chat.completions.create({
  model: "MODEL",
  messages: [{ role: "user", content: "Who are you?" }],
});
console.log(answer.choices[0].message.content);`

const dashScopeCurl = `curl BASE/api/v1/services/aigc/text-generation/generation \
  -H "Authorization: Bearer $DASHSCOPE_API_KEY" \
  -H "X-DashScope-WorkSpace: WORKSPACE" \
  -H "Content-Type: application/json" \
  -d '{"model": "MODEL", "input": {"messages": [{"role": "user", "content": "Who are you?"}]}, "parameters": {"result_format": "message"}}'`

const dashScopePython = `import os
import dashscope

dashscope.base_http_api_url = "BASE/api/v1"
answer = dashscope.Generation.call(
    api_key=os.environ["DASHSCOPE_API_KEY"],
    workspace="WORKSPACE",
    model="MODEL",
    messages=[{"role": "user", "content": "Who are you?"}],
    result_format="message",
)
print(answer.output.choices[0].message.content)`

const dashScopeJavaScript = `const answer = await fetch("BASE/api/v1/services/aigc/text-generation/generation", {
  method: "POST",
  headers: {
    Authorization: "Bearer " + process.env.DASHSCOPE_API_KEY,
    "X-DashScope-WorkSpace": "WORKSPACE",
    "Content-Type": "application/json",
  },
  body: JSON.stringify({
    model: "MODEL",
    input: { messages: [{ role: "user", content: "Who are you?" }] },
    parameters: { result_format: "message" },
  }),
});
console.log((await answer.json()).output.choices[0].message.content);`
