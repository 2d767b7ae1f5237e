package gateway_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"bailiwick/internal/gateway/dialect"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/secret"
)

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

// openAIRefusal is the body of a refusal in the OpenAI dialect, for the id "ID".
func openAIRefusal(code, kind, message, param string) string {
	if param == "" {
		param = "null"
	} else {
		param = fmt.Sprintf("%q", param)
	}
	return fmt.Sprintf(`{"error":{"message":%s,"type":%q,"param":%s,"code":%q},"id":"chatcmpl-ID","request_id":"ID"}`, quoted(message), kind, param, code)
}

func nativeRefusal(code, message string) string {
	return fmt.Sprintf(`{"code":%q,"message":%s,"request_id":"ID"}`, code, quoted(message))
}

func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }

// refusal is what both dialects must say to one thing.
type refusal struct {
	name      string
	openAI    ask // path and body are filled in when empty
	native    ask
	anthropic ask // no path: this dialect has no such thing
	status    int
	code      string // native
	message   string // native
	other     string // OpenAI code, when it differs
	says      string // OpenAI message, when it differs
	kind      string // OpenAI type; empty: invalid_request_error
	param     string // OpenAI
	only      string // "openai" or "native"
	calls     int    // of the provider
	before    func(*world)
	unkept    bool // leaves no usage record
}

func (r refusal) openAICode() string {
	if r.other != "" {
		return r.other
	}
	return r.code
}

func (r refusal) inOpenAI() string {
	code, says, kind := r.openAICode(), r.message, "invalid_request_error"
	if r.says != "" {
		says = r.says
	}
	if r.kind != "" {
		kind = r.kind
	}
	return openAIRefusal(code, kind, says, r.param)
}

var anthropicTypes = map[int]string{400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
	405: "invalid_request_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 502: "api_error", 503: "overloaded_error"}

func anthropicRefusal(status int, message string) string {
	return fmt.Sprintf(`{"type":"error","error":{"type":%q,"message":%s},"request_id":"ID"}`, anthropicTypes[status], quoted(message))
}

// inAnthropic is the refusal in the words of Anthropic's protocol: the OpenAI
// message, behind the parameter.
func (r refusal) inAnthropic() string {
	says := r.message
	if r.says != "" {
		says = strings.TrimSpace(r.says)
	}
	if r.param != "" {
		says = r.param + ": " + says
	}
	return anthropicRefusal(r.status, says)
}

// both asks the same in both dialects.
func both(key string, ws ident.Workspace, model string) (ask, ask) {
	return ask{key: key, ws: ws, body: openAIBody(model, "")}, ask{key: key, ws: ws, body: nativeBody(model, "")}
}

func placed(name, key string, ws ident.Workspace, model string, status int, code, message string) refusal {
	o, n := both(key, ws, model)
	a := ask{path: messages, key: key, ws: ws, body: anthropicBody(model, "")}
	return refusal{name: name, openAI: o, native: n, anthropic: a, status: status, code: code, message: message}
}

func (r refusal) as(kind string) refusal              { r.kind = kind; return r }
func (r refusal) otherwise(code, says string) refusal { r.other, r.says = code, says; return r }
func (r refusal) unknownKey() refusal                 { r.unkept = true; return r }
func (r refusal) with(name, value string) refusal {
	h := map[string]string{name: value}
	r.openAI.header, r.native.header, r.anthropic.header = h, h, h
	return r
}
func (r refusal) upstream(reply mockserver.Reply) refusal {
	r.before, r.calls = func(w *world) { w.mock.Always(reply) }, 1
	return r
}

const unnamed = "Workspace access denied. Calls with this API key must name their workspace: by the header X-DashScope-WorkSpace: {WorkspaceId}, by the path /w/{WorkspaceId}/… before the rest of the address, or by a host name that begins with {WorkspaceId}."

const adminKeyRefused = "This is an admin key: it administers through the management API under /api/admin/v1 and calls no model. Present the API key of a workspace."

func denials() []refusal {
	const bad, wrong = "Invalid API-key provided.", "Incorrect API key provided. "
	return []refusal{
		placed("no key", "", marketing, "qwen-turbo", 401, "InvalidApiKey", "No API-key provided.").otherwise("invalid_api_key", "").unknownKey(),
		placed("unknown key", "", marketing, "qwen-turbo", 401, "InvalidApiKey", bad).otherwise("invalid_api_key", wrong).unknownKey().with("Authorization", "Bearer sk-nothing"),
		placed("another scheme", "", marketing, "qwen-turbo", 401, "InvalidApiKey", bad).otherwise("invalid_api_key", wrong).unknownKey().with("Authorization", "Basic Zm9vOmJhcg=="),
		placed("disabled key", "disabled", marketing, "qwen-turbo", 401, "InvalidApiKey", bad).otherwise("invalid_api_key", wrong),
		placed("expired key", "expired", marketing, "qwen-turbo", 401, "InvalidApiKey", bad).otherwise("invalid_api_key", wrong),
		placed("owner is gone", "stranger", marketing, "qwen-turbo", 401, "InvalidApiKey", bad).otherwise("invalid_api_key", wrong),
		placed("two keys", "marketing", marketing, "qwen-turbo", 400, "InvalidParameter", "The request carries two different API keys. Send one, as Authorization: Bearer or as x-api-key.").with("x-api-key", "sk-other").unknownKey(),
		placed("admin key", "", marketing, "qwen-turbo", 401, "InvalidApiKey", adminKeyRefused).otherwise("invalid_api_key", "").unknownKey().with("Authorization", "Bearer "+secret.NewAdminKey().Reveal()),
		placed("names disagree", "marketing", marketing, "qwen-turbo", 403, "Workspace.AccessDenied", "Workspace access denied.").as("Workspace.AccessDenied").with("Host", string(research)+".models.example.com"),
		placed("workspace not named", "marketing", "", "qwen-turbo", 403, "Workspace.AccessDenied", unnamed).as("Workspace.AccessDenied"),
		placed("workspace of others", "marketing", research, "qwen-turbo", 403, "Workspace.AccessDenied", "Workspace access denied.").as("Workspace.AccessDenied"),
		placed("workspace of nobody, by a key that is bound", "marketing", "llm-none000000000000", "qwen-turbo", 403, "Workspace.AccessDenied", "Workspace access denied.").as("Workspace.AccessDenied"),
		placed("workspace of nobody, by root", "root", "llm-none000000000000", "qwen-turbo", 404, "WorkSpaceNotFound", "WorkSpace can not be found.").as("WorkSpaceNotFound"),
		placed("address", "elsewhere", marketing, "qwen-turbo", 403, "AccessDenied", "Access denied.").otherwise("access_denied", "").as("access_denied"),
		placed("unknown model", "marketing", marketing, "no-such-model", 404, "ModelNotFound", "Model can not be found.").otherwise("model_not_found", "The model `no-such-model` does not exist or you do not have access to it."),
		placed("model offers no calling", "marketing", marketing, "qwen-mute", 403, "Model.AccessDenied", "Model access denied.").as("Model.AccessDenied"),
		placed("key does not cover the model", "narrow", marketing, "qwen-turbo", 403, "Model.AccessDenied", "Model access denied.").as("Model.AccessDenied"),
		placed("workspace lacks the right", "research", research, "qwen-turbo", 403, "Model.AccessDenied", "Model access denied.").as("Model.AccessDenied"),
		placed("nobody serves the model", "marketing", marketing, "qwen-orphan", 503, "ModelUnavailable", "Model is unavailable, please try again later.").as("ModelUnavailable"),
		placed("asynchronous", "marketing", marketing, "qwen-turbo", 403, "AccessDenied", "Current user api does not support asynchronous calls.").otherwise("access_denied", "").as("access_denied").with("X-DashScope-Async", "enable"),
	}
}

func body(name, openAI, native string, status int, code, message string) refusal {
	r := refusal{name: name, status: status, code: code, message: message}
	r.openAI, r.native = ask{key: "marketing", ws: marketing, body: openAI}, ask{key: "marketing", ws: marketing, body: native}
	if openAI == "" {
		r.only = "native"
	}
	if native == "" {
		r.only = "openai"
	}
	return r
}

func (r refusal) about(param string) refusal { r.param = param; return r }

func badBodies() []refusal {
	const malformed = "Required body invalid, please check the request body format."
	const twice = malformed + " A name stands twice in one object, or differs from a known one only in case."
	const params = "Required parameter(s) missing or invalid, please check the request parameters."
	long := `{"model":"qwen-turbo","messages":"` + strings.Repeat("x", 1<<20) + `"}`
	deep := `{"model":"qwen-turbo","messages":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`
	many := `{"model":"qwen-turbo","messages":[` + strings.Repeat(`{},`, 100000) + `{}]}`
	ip := func(code, message string) func(name, o, n string) refusal {
		return func(name, o, n string) refusal { return body(name, o, n, 400, code, message) }
	}
	return []refusal{
		body("too large", long, long, 413, "BadRequest.TooLarge", "Payload Too Large."),
		ip("InvalidParameter", malformed)("no object", `[]`, `[]`),
		ip("InvalidParameter", malformed)("cut off", `{"model":"qwen-turbo"`, `{"model":"qwen-turbo"`),
		ip("InvalidParameter", malformed)("trailing data", openAIBody("qwen-turbo", "")+"{}", nativeBody("qwen-turbo", "")+"{}"),
		ip("InvalidParameter", malformed)("byte order mark", "\ufeff"+openAIBody("qwen-turbo", ""), "\ufeff"+nativeBody("qwen-turbo", "")),
		ip("InvalidParameter", malformed)("not UTF-8", openAIBody("qwen-turbo", `,"user":"`+"\xff"+`"`), nativeBody("qwen-turbo", `"stop":"`+"\xff"+`"`)),
		ip("InvalidParameter", malformed)("too deep", deep, deep),
		ip("InvalidParameter", malformed)("too many", many, many),
		ip("InvalidParameter", twice)("model twice", `{"model":"qwen-turbo","model":"qwen-plus","messages":[{}]}`, `{"model":"qwen-turbo","model":"qwen-plus","input":{}}`),
		ip("InvalidParameter", twice)("model in capitals", `{"model":"qwen-turbo","MODEL":"qwen-plus","messages":[{}]}`, `{"model":"qwen-turbo","MODEL":"qwen-plus","input":{}}`),
		ip("InvalidParameter", twice)("model with a long s", `{"model":"qwen-turbo","meſſages":[],"messages":[{}]}`, `{"model":"qwen-turbo","parameterſ":{},"input":{}}`),
		ip("InvalidParameter", twice)("escaped name", `{"mo\u0064el":"qwen-turbo","messages":[{}]}`, `{"mo\u0064el":"qwen-turbo","input":{}}`),
		ip("InvalidParameter", twice)("twice deep inside", openAIBody("qwen-turbo", `,"metadata":{"a":1,"a":2}`), nativeBody("qwen-turbo", `"search_options":{"a":1,"a":2}`)),
		ip("BadRequest.EmptyModel", `Required parameter "model" missing from request.`)("no model", `{"messages":[{"role":"user","content":"x"}]}`, `{"input":{"prompt":"x"}}`).otherwise("invalid_request_error", "you must provide a model parameter."),
		ip("InvalidParameter", params)("model is a list", `{"model":["qwen-turbo"],"messages":[{}]}`, `{"model":["qwen-turbo"],"input":{"prompt":"x"}}`).about("model"),
		ip("InvalidParameter", params)("model is a number", `{"model":7,"messages":[{}]}`, `{"model":7,"input":{"prompt":"x"}}`).about("model"),
		ip("InvalidParameter", "Model not exist.")("model ends with NUL", `{"model":"qwen-turbo\u0000","messages":[{}]}`, `{"model":"qwen-turbo\u0000","input":{"prompt":"x"}}`).about("model"),
		ip("InvalidParameter", "Model not exist.")("model ends with a space", `{"model":"qwen-turbo ","messages":[{}]}`, `{"model":"qwen-turbo ","input":{"prompt":"x"}}`).about("model"),
		ip("BadRequest.EmptyInput", "Required input parameter missing from request.")("no input", "", `{"model":"qwen-turbo"}`),
		ip("InvalidParameter", `Either "prompt" or "messages" must exist and cannot both be none`)("no messages", `{"model":"qwen-turbo"}`, `{"model":"qwen-turbo","input":{}}`),
		ip("InvalidParameter", "[] is too short")("messages of nothing", `{"model":"qwen-turbo","messages":[ ]}`, `{"model":"qwen-turbo","input":{"messages":[]}}`).about("messages"),
		ip("InvalidParameter", "Temperature should be in [0.0, 2.0)")("temperature", "", nativeBody("qwen-turbo", `"temperature":2`)),
		ip("InvalidParameter", "Range of top_p should be (0.0, 1.0]")("top_p", "", nativeBody("qwen-turbo", `"top_p":0`)),
		ip("InvalidParameter", "Range of n should be [1, 4]")("n", "", nativeBody("qwen-turbo", `"n":5`)),
		ip("InvalidParameter", "Range of n should be [1, 128]")("n", openAIBody("qwen-turbo", `,"n":0`), "").about("n"),
		ip("InvalidParameter", "Range of presence_penalty should be [-2.0, 2.0]")("presence_penalty", "", nativeBody("qwen-turbo", `"presence_penalty":-3`)),
		ip("InvalidParameter", "Range of max_tokens should be [1, 32768]")("max_tokens below", openAIBody("qwen-turbo", `,"max_tokens":-1`), nativeBody("qwen-turbo", `"max_tokens":-1`)).about("max_tokens"),
		ip("InvalidParameter", "Range of max_tokens should be [1, 32768]")("max_tokens above", openAIBody("qwen-turbo", `,"max_tokens":1e18`), nativeBody("qwen-turbo", `"max_tokens":1000000000000`)).about("max_tokens"),
		ip("InvalidParameter", `The parameter "plugins" is not supported here. It was not dropped in silence: take it out and try again.`)("parameter that cannot cross", "", nativeBody("qwen-turbo", `"plugins":{}`)),
		ip("InvalidParameter", `The parameter "history" is not supported here. It was not dropped in silence: take it out and try again.`)("input that cannot cross", "", `{"model":"qwen-turbo","input":{"prompt":"x","history":[]}}`),
		ip("InvalidParameter", params)("stream is no boolean", openAIBody("qwen-turbo", `,"stream":"yes"`), "").about("stream"),
		ip("InvalidParameter", "url error, please check url！")("model that sees, at the address of text", "", nativeBody("qwen-vl", "")),
		body("model that embeds", openAIBody("text-embedding", ""), "", 404, "", "Unsupported model `text-embedding` for OpenAI compatibility mode.").otherwise("model_not_supported", ""),
	}
}

func upstreamFaults() []refusal {
	ok := func(name string, status int, code, message string) refusal {
		return placed(name, "marketing", marketing, "qwen-turbo", status, code, message)
	}
	fail := func(status int, text string) mockserver.Reply { return mockserver.JSON(status, text) }
	const failed, refused = "The provider of this model failed. Please try again later.", "The provider of this model cannot serve it at present. Tell your administrator the request id."
	const babbles = "The provider of this model answered with something that is no answer. Tell your administrator the request id."
	const cut = "The provider of this model broke off its answer. Please try again."
	leak := `{"error":{"message":"Incorrect API key ` + credential + ` at http://127.0.0.1/v1?key=` + credential + `","code":"invalid_api_key"}}`
	redirect := mockserver.Reply{Status: 302, Header: http.Header{"Location": {"http://203.0.113.1/"}, "Set-Cookie": {"a=b"}}}
	html := mockserver.Reply{Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("<html>")}
	return []refusal{
		ok("provider's 400", 400, "InvalidParameter", "logit_bias is not supported").upstream(fail(400, `{"error":{"message":"logit_bias is not supported","type":"invalid_request_error","param":"logit_bias","code":null}}`)).about("logit_bias"),
		ok("provider's 422 without words", 400, "InvalidParameter", "Required parameter(s) missing or invalid, please check the request parameters.").upstream(fail(422, `{"detail":[1]}`)),
		ok("provider's 400 with our credential in it", 400, "InvalidParameter", "bad key [redacted]").upstream(fail(400, `{"error":{"message":"bad key `+credential+`"}}`)),
		ok("provider's 400 at the filter", 400, "DataInspectionFailed", "Input data may contain inappropriate content.").upstream(fail(400, `{"error":{"code":"data_inspection_failed"}}`)).otherwise("data_inspection_failed", "").as("data_inspection_failed"),
		ok("provider's 401", 503, "ModelServingError", refused).upstream(fail(401, leak)).as("ModelServingError"),
		ok("provider's 403", 503, "ModelServingError", refused).upstream(fail(403, leak)).as("ModelServingError"),
		ok("provider's 404", 503, "ModelServingError", refused).upstream(fail(404, leak)).as("ModelServingError"),
		ok("our debt at the provider", 503, "ModelServingError", refused).upstream(fail(400, `{"error":{"code":"Arrearage","message":"pay"}}`)).as("ModelServingError"),
		ok("provider's 413", 413, "BadRequest.TooLarge", "Payload Too Large.").upstream(fail(413, `{}`)),
		ok("provider's 429", 429, "Throttling.RateQuota", "Slow down, please.").upstream(fail(429, `{"error":{"message":"Slow down, please."}}`)).otherwise("limit_requests", "").as("limit_requests"),
		ok("provider's quota", 429, "Throttling.AllocationQuota", "Allocated quota exceeded, please increase your quota limit.").upstream(fail(429, `{"error":{"code":"insufficient_quota"}}`)).otherwise("insufficient_quota", "You exceeded your current quota, please check your plan and billing details.").as("insufficient_quota"),
		ok("provider's 500", 503, "ModelServingError", failed).upstream(fail(500, leak)).as("ModelServingError"),
		ok("provider's 504", 500, "RequestTimeOut", "Request timed out, please try again later.").upstream(fail(504, `{}`)).as("RequestTimeOut"),
		ok("provider's redirect", 502, "ModelServingError", babbles).upstream(redirect).as("ModelServingError"),
		ok("provider's web page", 502, "ModelServingError", babbles).upstream(html).as("ModelServingError"),
		ok("provider says nothing", 503, "ModelServingError", cut).upstream(mockserver.Reply{Silent: true}).as("ModelServingError"),
		ok("provider dies in the answer", 503, "ModelServingError", cut).upstream(mockserver.Reply{Body: []byte(`{"choices":[]}`), Dies: true, CutAt: 5, Header: http.Header{"Content-Type": {"application/json"}}}).as("ModelServingError"),
	}
}

func TestEveryRefusalHasItsStatusCodeAndBodyInEveryDialect(t *testing.T) {
	var cases []refusal
	cases = append(append(append(cases, denials()...), badBodies()...), upstreamFaults()...)
	for _, c := range cases {
		if c.only != "native" {
			c.openAI.path = chat
			t.Run(c.name+"/openai", func(t *testing.T) { c.try(t, c.openAI, c.inOpenAI(), c.openAICode()) })
		}
		if c.only != "openai" {
			c.native.path = generation
			t.Run(c.name+"/native", func(t *testing.T) { c.try(t, c.native, nativeRefusal(c.code, c.message), c.code) })
		}
		if c.anthropic.path != "" {
			t.Run(c.name+"/anthropic", func(t *testing.T) { c.try(t, c.anthropic, c.inAnthropic(), c.code) })
		}
	}
}

func (r refusal) try(t *testing.T, a ask, want, code string) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.MaxBody = 1 << 20 })
	if r.before != nil {
		r.before(w)
	}
	got := w.call(a)
	id := got.header.Get("X-Request-Id")
	if got.status != r.status || strings.ReplaceAll(got.body, id, "ID") != want {
		t.Errorf("answered %d %s\n   want %d %s", got.status, got.body, r.status, want)
	}
	if !uuid.MatchString(id) || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", got.header)
	}
	if w.mock.Calls() != r.calls {
		t.Errorf("the provider was called %d times, want %d", w.mock.Calls(), r.calls)
	}
	for _, name := range []string{"Set-Cookie", "Location", "Server", "Alt-Svc"} {
		if got.header.Get(name) != "" {
			t.Errorf("%s reached the caller", name)
		}
	}
	if strings.Contains(got.body, credential) {
		t.Error("the provider's credential reached the caller")
	}
	if r.unkept {
		if n := len(w.books.all()); n != 0 {
			t.Errorf("%d usage records of a call whose key is not known", n)
		}
		return
	}
	rec := w.books.number(t, 1)
	if rec.Status != r.status || rec.Code != code || rec.Key == "" || rec.Workspace == "" || rec.Output != 0 || (rec.Input != 0) != (rec.Source == "estimated") || rec.Source != "" && r.calls == 0 {
		t.Errorf("usage record %+v", rec)
	}
}

func TestEveryCheckOfThePolicyIsWorded(t *testing.T) {
	for check := policy.KeyPresented; check <= policy.IsServed; check++ {
		if r := dialect.Refused(check, "x"); r.Status == http.StatusInternalServerError || r.Native.Code == "" || r.OpenAI.Code == "" || r.OpenAI.Type == "" {
			t.Errorf("check %d is worded %+v", check, r)
		}
	}
	if r := dialect.Refused(policy.IsServed+1, "x"); r.Status != http.StatusInternalServerError {
		t.Errorf("a check nobody worded is answered %+v; add it to the table", r)
	}
}
