package gateway_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
)

// client is the SDK as somebody sets it up who follows the manual.
func (w *world) client(key string, ws ident.Workspace) sdk.Client {
	return sdk.NewClient(option.WithBaseURL(w.http.URL+"/w/"+string(ws)+"/compatible-mode/v1"), option.WithAPIKey(w.keys[key]), option.WithMaxRetries(0))
}

func hello(model string) sdk.ChatCompletionNewParams {
	return sdk.ChatCompletionNewParams{Model: model, Messages: []sdk.ChatCompletionMessageParamUnion{sdk.UserMessage("Hello")}}
}

func TestAGrantLetsTheSDKThroughAtOnceAndItsEndRefusesAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client("research", research)
	refused := func(when string) {
		t.Helper()
		calls := w.mock.Calls()
		_, err := c.Chat.Completions.New(t.Context(), hello("qwen-plus"))
		var e *sdk.Error
		if !errors.As(err, &e) || e.StatusCode != 403 || e.Code != "Model.AccessDenied" || e.Type != "Model.AccessDenied" || e.Message != "Model access denied." {
			t.Fatalf("%s: %v", when, err)
		}
		if w.mock.Calls() != calls {
			t.Fatalf("%s: the provider was called", when)
		}
	}
	grant := func(c catalogue.Capabilities) {
		w.now(func(f *policy.Facts) {
			f.Workspaces[2].Grants = policy.Pairs[ident.Model, catalogue.Capabilities]{{Key: "qwen-plus", Value: c}}
		})
	}
	refused("before")
	grant(catalogue.Of(catalogue.Train, catalogue.Deploy))
	refused("with other rights")
	grant(catalogue.Of(catalogue.Call))
	answer, err := c.Chat.Completions.New(t.Context(), hello("qwen-plus"))
	if err != nil || answer.Choices[0].Message.Content != "Hello, world!" || answer.Usage.TotalTokens != 11 {
		t.Fatalf("after the grant: %v %+v", err, answer)
	}
	if len(answer.Choices) != 1 || answer.Model != "qwen-plus" {
		t.Errorf("answer %+v", answer)
	}
	grant(0)
	refused("after its end")
}

func TestTheSDKStreamsAndSeesUsageOnlyIfItAsked(t *testing.T) {
	w := newWorld(t, nil)
	for _, asks := range []bool{false, true} {
		p := hello("qwen-turbo")
		if asks {
			p.StreamOptions.IncludeUsage = sdk.Bool(true)
		}
		c := w.client("marketing", marketing)
		s := c.Chat.Completions.NewStreaming(t.Context(), p)
		var text strings.Builder
		var usage int64
		for s.Next() {
			if choices := s.Current().Choices; len(choices) > 0 {
				text.WriteString(choices[0].Delta.Content)
			}
			usage += s.Current().Usage.TotalTokens
		}
		if s.Err() != nil || text.String() != "Hello, world!" || (usage == 11) != asks {
			t.Errorf("asked %t: %q, usage %d, %v", asks, text.String(), usage, s.Err())
		}
	}
	for i := range 2 {
		if r := w.books.number(t, i+1); r.Input != 7 || r.Output != 4 || r.Cached != 2 || r.Source != "provider" || !r.Stream || r.FirstByte == 0 || r.FirstByte > r.Duration {
			t.Errorf("record %+v", r)
		}
	}
}

func TestTheSDKListsExactlyWhatTheKeyMayCall(t *testing.T) {
	w := newWorld(t, nil)
	list := func(key string, ws ident.Workspace) (ids []string) {
		c := w.client(key, ws)
		page, err := c.Models.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Data {
			ids = append(ids, m.ID)
		}
		return ids
	}
	if got := strings.Join(list("marketing", marketing), " "); got != "qwen-aliased qwen-demo qwen-orphan qwen-turbo qwen-vl text-embedding" {
		t.Errorf("marketing sees %s", got)
	}
	if got := list("narrow", marketing); len(got) != 1 || got[0] != "qwen-aliased" {
		t.Errorf("a narrow key sees %v", got)
	}
	if got := list("research", research); len(got) != 0 {
		t.Errorf("research sees %v", got)
	}
	c := w.client("marketing", marketing)
	if m, err := c.Models.Get(t.Context(), "qwen-turbo"); err != nil || m.ID != "qwen-turbo" || m.OwnedBy != "qwen" || m.Created != 1750636800 {
		t.Errorf("one model: %+v, %v", m, err)
	}
	for _, id := range []string{"qwen-plus", "no-such-model", "vendor/none"} {
		_, err := c.Models.Get(t.Context(), id)
		var e *sdk.Error
		if !errors.As(err, &e) || e.StatusCode != 404 || e.Code != "model_not_found" {
			t.Errorf("%s: %v", id, err)
		}
	}
	if w.mock.Calls() != 0 {
		t.Error("a list asked the provider")
	}
}

// unusual is a stream with everything in it that a gateway might be tempted to
// tidy up.
var unusual = []string{
	": keep-alive\n\n",
	"data: {\"id\":\"x\",  \"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"a\\u00e9\\n\\\"usage\\\":{}\"}}],\"usage\":null,\"vendor\":{\"k\":1.50}}\n\n",
	"event: message\r\nid: 7\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"model\\\":\\\"x\\\"}\"}}]}}]}\r\n\r\n",
	"data:{\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"…\"},\"finish_reason\":null}]}\n\n",
	"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\n",
	"data: [DONE]\n\n",
}

func TestAStreamPassesByteForByte(t *testing.T) {
	w := newWorld(t, nil)
	w.mock.Always(mockserver.Events(unusual...))
	got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"stream":true`)})
	if want := strings.Join(unusual, ""); got.status != 200 || got.body != want {
		t.Errorf("got  %q\nwant %q", got.body, want)
	}
	if r := w.books.number(t, 1); r.Input != 3 || r.Output != 5 || r.Source != "provider" {
		t.Errorf("usage in the last chunk with choices was lost: %+v", r)
	}
}

func TestAWholeAnswerAndItsRequestPassByteForByte(t *testing.T) {
	w := newWorld(t, nil)
	answer := `{ "id":"chatcmpl-7", "choices":[{"index":0,"message":{"role":"assistant","content":"é\u00e9"}}], "model":"qwen-turbo-0101", "usage":{"prompt_tokens":0,"completion_tokens":0}, "x":[1.0,1e5] }` + "\n"
	w.mock.Always(mockserver.JSON(200, answer))
	request := ` { "messages" : [ {"role":"user","content":"\u00e9 é","tool_calls":[{"function":{"arguments":"{\"a\": 1}"}}]} ], "vendor_field":{"deep":[1.50,true,null]}, "model" : "qwen-turbo" } `
	got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: request})
	if got.body != answer {
		t.Errorf("answer %q", got.body)
	}
	if sent := string(w.mock.Last().Body); sent != request {
		t.Errorf("request %q", sent)
	}
	if r := w.books.number(t, 1); r.Source != "provider" || r.Input != 0 {
		t.Errorf("a zero that was said is a zero: %+v", r)
	}
}

func TestAModelHasOurNameOutsideAndTheProvidersInside(t *testing.T) {
	w := newWorld(t, nil)
	for _, stream := range []string{"", `,"stream":true`} {
		got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-aliased", stream)})
		if got.status != 200 || strings.Contains(got.body, "vendor") || !strings.Contains(got.body, `"model":"qwen-aliased"`) {
			t.Errorf("caller saw %s", got.body)
		}
		if sent := string(w.mock.Last().Body); !strings.Contains(sent, `"model":"vendor/model-7b"`) || strings.Contains(sent, "aliased") {
			t.Errorf("provider saw %s", sent)
		}
	}
	w.mock.Always(mockserver.JSON(http.StatusBadRequest, `{"error":{"message":"vendor/model-7b takes no images"}}`))
	if got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-aliased", "")}); !strings.Contains(got.body, "qwen-aliased takes no images") {
		t.Errorf("caller saw %s", got.body)
	}
}

func TestUsageIsAlwaysAskedOfTheProviderOfAStream(t *testing.T) {
	w := newWorld(t, nil)
	for options, want := range map[string]string{
		``:                       `,"stream":true,"stream_options":{"include_usage":true}}`,
		`,"stream_options":null`: `,"stream":true,"stream_options":{"include_usage":true}}`,
		`,"stream_options":{}`:   `,"stream":true,"stream_options":{"include_usage":true}}`,
		`,"stream_options":{"include_usage":false}`:         `,"stream":true,"stream_options":{"include_usage":true}}`,
		`,"stream_options":{"include_usage":null,"x":{}}`:   `,"stream":true,"stream_options":{"include_usage":true,"x":{}}}`,
		`,"stream_options":{"continuous_usage_stats":true}`: `,"stream":true,"stream_options":{"continuous_usage_stats":true,"include_usage":true}}`,
		`,"stream_options":{"include_usage":true}`:          `,"stream":true,"stream_options":{"include_usage":true}}`,
	} {
		w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", `,"stream":true`+options)})
		if sent := string(w.mock.Last().Body); !strings.HasSuffix(sent, want) {
			t.Errorf("%s became %s", options, sent)
		}
	}
}
