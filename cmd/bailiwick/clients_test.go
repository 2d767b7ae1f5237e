package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	openaigo "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
)

// studio is the program as it is served, over a fresh database and before a
// model server, and a workspace of it.
type studio struct {
	base  string
	key   string
	ws    ident.Workspace
	other ident.Workspace
}

func newStudio(t *testing.T) *studio {
	t.Helper()
	e := &estate{t: t, place: place{Data: filepath.Join(t.TempDir(), "data")}}
	must(t, os.Mkdir(e.place.Data, 0o700))
	mock, err := mockserver.Start()
	must(t, err)
	t.Cleanup(mock.Close)
	mock.Answer(forClients)
	e.mock = mock
	s := &studio{}
	s.furnish(t, e)
	server, base := e.serve()
	s.base = base
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	return s
}

// furnish makes what is called: every model but qwen-plus may be, and
// qwen-orphan is served by nobody.
func (s *studio) furnish(t *testing.T, e *estate) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Data: e.place.Data})
	must(t, err)
	defer db.Close()
	master, err := secret.LoadMaster(e.place.masterKey())
	must(t, err)
	w := storetest.NewWorld(t, db, "acme")
	here := w.Workspace("Marketing")
	for id, kind := range map[ident.Model]string{"qwen-turbo": "TG", "qwen-plus": "TG", "qwen-orphan": "TG", "qwen-demo": "TG", "qwen-vl": "VU", "text-embedding": "TR", "text-rerank": "TR"} {
		m := catalogue.Model{ID: id, Account: w.Account.ID, Name: string(id), Vendor: "qwen", Kinds: []string{kind}, Input: []string{"Text"}, Output: []string{"Text"}, Offers: catalogue.Of(catalogue.Call), Version: 1}
		switch id {
		case "text-embedding":
			m.Output = nil
		case "qwen-demo", "qwen-plus":
			m.Offers, m.TrainingWays = catalogue.Of(catalogue.All...), map[string][]string{"sft": {"full"}}
		}
		must(t, db.InsertModel(t.Context(), w.Account.ID, m, w.Why("models:add")))
		if id != "qwen-plus" {
			w.Grant(id, catalogue.Call, here.ID)
		}
	}
	w.Serve(w.Provider("mock", provider.OpenAI, e.mock.URL).ID, "qwen-turbo", "qwen-plus", "qwen-vl", "text-embedding", "text-rerank")
	w.Serve(w.Provider("engine", provider.Embedded, "").ID, "qwen-demo")
	w.Grant("qwen-demo", catalogue.Train, here.ID)
	_, text := w.Key(here.ID, master.Pepper())
	s.key, s.ws, s.other = text.Reveal(), here.ID, w.Workspace("Research").ID
}

// forClients is a model server that calls a tool when there is one, and breaks
// down for certain users.
func forClients(r mockserver.Received) mockserver.Reply {
	switch {
	case strings.HasSuffix(r.Path, "/responses"):
		return mockserver.Missing()
	case bytes.Contains(r.Body, []byte(`"too-fast"`)):
		return mockserver.JSON(http.StatusTooManyRequests, `{"error":{"message":"Slow down, please."}}`)
	case bytes.Contains(r.Body, []byte(`"dies"`)):
		reply := mockserver.Default(r)
		reply.Pieces = reply.Pieces[:3]
		return reply
	case bytes.Contains(r.Body, []byte(`"tools"`)) && bytes.Contains(r.Body, []byte(`"stream":true`)):
		return mockserver.Events(
			`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"Hm"}}]}`+"\n\n",
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\""}}]}}]}`+"\n\n",
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}`+"\n\n",
			`data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`+"\n\n",
			`data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":2}}}`+"\n\n", "data: [DONE]\n\n")
	case bytes.Contains(r.Body, []byte(`"tools"`)):
		return mockserver.JSON(200, `{"id":"x","object":"chat.completion","created":1,"model":"qwen-turbo","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}}],"usage":{"prompt_tokens":3,"completion_tokens":9,"total_tokens":12}}`)
	}
	return mockserver.Default(r)
}

// run lets a script drive the program.
func (s *studio) run(t *testing.T, root string, more []string, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, program, args...)
	run.Env = append(append(os.Environ(), "BASE="+s.base+root, "KEY="+s.key, "WORKSPACE="+string(s.ws), "OTHER="+string(s.other)), more...)
	said, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Logf("%s", said)
}

// TestTheOfficialJavaScriptSDKsWorkUnmodified runs the SDKs that npm brings into
// static; without them, or without Node.js, it is skipped.
func TestTheOfficialJavaScriptSDKsWorkUnmodified(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed")
	}
	modules, _ := filepath.Abs("../../static/node_modules")
	for script, c := range map[string]struct{ module, root string }{
		"openai.mjs":    {"openai", "/compatible-mode/v1"},
		"anthropic.mjs": {"@anthropic-ai/sdk", "/apps/anthropic"},
	} {
		t.Run(script, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(modules, c.module)); err != nil {
				t.Skip("npm has not brought " + c.module)
			}
			s := newStudio(t)
			s.run(t, "/w/"+string(s.ws)+c.root, []string{"MODULES=" + modules + "/"}, node, filepath.Join("testdata", script))
		})
	}
}

// TestTheOfficialDashScopeSDKWorksUnmodified runs the Python SDK where
// DASHSCOPE_SDK says that it is, with the Python of PYTHON or python3.
func TestTheOfficialDashScopeSDKWorksUnmodified(t *testing.T) {
	sdk, python := os.Getenv("DASHSCOPE_SDK"), os.Getenv("PYTHON")
	if sdk == "" {
		t.Skip("set DASHSCOPE_SDK to the folder that holds the package dashscope (and PYTHON to a Python with requests, aiohttp, websocket-client, certifi and cryptography)")
	}
	if python == "" {
		python = "python3"
	}
	for _, script := range []string{"dashscope_sdk.py", "dashscope_train.py"} {
		t.Run(script, func(t *testing.T) {
			newStudio(t).run(t, "/api/v1", []string{"PYTHONPATH=" + sdk, "PYTHONDONTWRITEBYTECODE=1"}, python, filepath.Join("testdata", script))
		})
	}
}

func TestTheOfficialGoSDKWorksUnmodified(t *testing.T) {
	s := newStudio(t)
	ctx := t.Context()
	client := openaigo.NewClient(option.WithBaseURL(s.base+"/v1"), option.WithAPIKey(s.key), option.WithMaxRetries(0), option.WithHeader("X-DashScope-WorkSpace", string(s.ws)))
	hello := []openaigo.ChatCompletionMessageParamUnion{openaigo.UserMessage("Hello")}
	f := []openaigo.ChatCompletionToolUnionParam{openaigo.ChatCompletionFunctionTool(openaigo.FunctionDefinitionParam{Name: "f", Parameters: openaigo.FunctionParameters{"type": "object"}})}

	whole, err := client.Chat.Completions.New(ctx, openaigo.ChatCompletionNewParams{Model: "qwen-turbo", Messages: hello})
	must(t, err)
	if whole.Choices[0].Message.Content != "Hello, world!" || whole.Usage.TotalTokens != 11 {
		t.Errorf("%+v", whole)
	}
	stream := func(p openaigo.ChatCompletionNewParams, more ...option.RequestOption) (a openaigo.ChatCompletionAccumulator, err error) {
		p.StreamOptions.IncludeUsage = openaigo.Bool(true)
		events := client.Chat.Completions.NewStreaming(ctx, p, more...)
		for events.Next() {
			a.AddChunk(events.Current())
		}
		return a, events.Err()
	}
	a, err := stream(openaigo.ChatCompletionNewParams{Model: "qwen-turbo", Messages: hello})
	must(t, err)
	if a.Choices[0].Message.Content != "Hello, world!" || a.Usage.PromptTokens != 7 {
		t.Errorf("%+v", a)
	}
	called, err := client.Chat.Completions.New(ctx, openaigo.ChatCompletionNewParams{Model: "qwen-turbo", Messages: hello, Tools: f})
	must(t, err)
	if called.Choices[0].Message.ToolCalls[0].Function.Name != "f" {
		t.Errorf("%+v", called)
	}
	if a, err = stream(openaigo.ChatCompletionNewParams{Model: "qwen-turbo", Messages: hello, Tools: f}); err != nil || a.Choices[0].Message.ToolCalls[0].Function.Arguments != `{"a":1}` {
		t.Errorf("%+v, %v", a, err)
	}
	picture := openaigo.UserMessage([]openaigo.ChatCompletionContentPartUnionParam{
		openaigo.ImageContentPart(openaigo.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64,AAAA"}), openaigo.TextContentPart("What?"),
	})
	if seen, err := client.Chat.Completions.New(ctx, openaigo.ChatCompletionNewParams{Model: "qwen-vl", Messages: []openaigo.ChatCompletionMessageParamUnion{picture}}); err != nil || seen.Choices[0].FinishReason != "stop" {
		t.Errorf("%+v, %v", seen, err)
	}
	vectors, err := client.Embeddings.New(ctx, openaigo.EmbeddingNewParams{Model: "text-embedding", Input: openaigo.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a", "b"}}})
	must(t, err)
	if len(vectors.Data) != 2 || !slices.Equal(vectors.Data[1].Embedding, []float64{0.5, -0.25, 0}) {
		t.Errorf("%+v", vectors)
	}
	answer, err := client.Responses.New(ctx, responses.ResponseNewParams{Model: "qwen-turbo", Input: responses.ResponseNewParamsInputUnion{OfString: param.NewOpt("Hello")}})
	must(t, err)
	if answer.OutputText() != "Hello, world!" || answer.Usage.TotalTokens != 11 {
		t.Errorf("%+v", answer)
	}
	events, last := client.Responses.NewStreaming(ctx, responses.ResponseNewParams{Model: "qwen-turbo", Input: responses.ResponseNewParamsInputUnion{OfString: param.NewOpt("Hello")}}), ""
	for events.Next() {
		last = events.Current().Type
	}
	if events.Err() != nil || last != "response.completed" {
		t.Errorf("%q, %v", last, events.Err())
	}
	var names []string
	for list := client.Models.ListAutoPaging(ctx); list.Next(); {
		names = append(names, list.Current().ID)
	}
	if !slices.Contains(names, "qwen-turbo") || slices.Contains(names, "qwen-plus") {
		t.Errorf("%v", names)
	}
	s.refusals(t, client, hello, stream)
}

// refusals are raised as the SDK's own errors, whole and streamed.
func (s *studio) refusals(t *testing.T, client openaigo.Client, hello []openaigo.ChatCompletionMessageParamUnion,
	stream func(openaigo.ChatCompletionNewParams, ...option.RequestOption) (openaigo.ChatCompletionAccumulator, error)) {
	t.Helper()
	with := func(name, value string) option.RequestOption { return option.WithHeader(name, value) }
	for _, c := range []struct {
		model  string
		status int
		code   string
		more   []option.RequestOption
	}{
		{"qwen-plus", 403, "Model.AccessDenied", nil}, {"no-such-model", 404, "model_not_found", nil}, {"text-embedding", 404, "model_not_supported", nil},
		{"qwen-orphan", 503, "ModelUnavailable", nil}, {"qwen-turbo", 400, "InvalidParameter", []option.RequestOption{option.WithJSONSet("max_tokens", -1)}},
		{"qwen-turbo", 401, "invalid_api_key", []option.RequestOption{option.WithAPIKey("sk-nothing")}},
		{"qwen-turbo", 403, "Workspace.AccessDenied", []option.RequestOption{with("X-DashScope-WorkSpace", string(s.other))}},
		{"qwen-turbo", 403, "Workspace.AccessDenied", []option.RequestOption{with("X-DashScope-WorkSpace", "llm-0000000000000000")}},
		{"qwen-turbo", 429, "limit_requests", []option.RequestOption{option.WithJSONSet("user", "too-fast")}},
	} {
		p := openaigo.ChatCompletionNewParams{Model: c.model, Messages: hello}
		_, err := client.Chat.Completions.New(t.Context(), p, c.more...)
		refused(t, err, c.status, c.code)
		_, err = stream(p, c.more...)
		refused(t, err, c.status, c.code)
	}
	if _, err := stream(openaigo.ChatCompletionNewParams{Model: "qwen-turbo", Messages: hello}, option.WithJSONSet("user", "dies")); err == nil {
		t.Error("a stream that broke came to a regular end")
	}
}
