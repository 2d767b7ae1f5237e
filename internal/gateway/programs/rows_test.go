package programs_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
	"bailiwick/internal/provider/mockserver"
	"bailiwick/internal/secret"
	"bailiwick/internal/store"
	"bailiwick/internal/store/storetest"
	"bailiwick/internal/usage"
)

// said is one request of a row: the path's body, the key by its name and the
// workspace that it names; empty: Marketing's.
type said struct {
	method, path, body string
	key                string
	ws                 ident.Workspace
	header             http.Header
}

// errorRow is a row of the original's error table. Its name is what the native
// protocol answers: status, code, and how the message begins; N, x and xxx stand
// for what differs.
type errorRow struct {
	name   string
	native said // no path: this dialect has no such thing
	openAI said
	code   string // OpenAI's, where it is another one
	says   string // OpenAI's message, where it is another one
	before func(*town)
	after  func(*town)
}

func row(name string) errorRow { return errorRow{name: name} }

func (r errorRow) in(native, openAI said) errorRow { r.native, r.openAI = native, openAI; return r }
func (r errorRow) but(code, says string) errorRow  { r.code, r.says = code, says; return r }
func (r errorRow) when(before, after func(*town)) errorRow {
	r.before, r.after = before, after
	return r
}

// upstream lets the provider answer so.
func (r errorRow) upstream(status int, body string) errorRow {
	return r.when(func(o *town) { o.mock.Always(mockserver.JSON(status, body)) }, func(o *town) { o.mock.Answer(mockserver.Default) })
}

const (
	textPath = "/api/v1/services/aigc/text-generation/generation"
	chatPath = "/v1/chat/completions"
	tunes    = "/api/v1/fine-tunes"
)

// talk asks a model the same thing in both dialects; parameters are a native
// object's members, and with a comma before them OpenAI's.
func talk(model, parameters string) (native, openAI said) {
	native = said{method: "POST", path: textPath, body: `{"model":"` + model + `","input":{"prompt":"Hi"},"parameters":{` + parameters + `}}`}
	if parameters != "" {
		parameters = "," + parameters
	}
	return native, said{method: "POST", path: chatPath, body: `{"model":"` + model + `","messages":[{"role":"user","content":"Hi"}]` + parameters + `}`}
}

func only(native said, _ said) (said, said)     { return native, said{} }
func openOnly(_ said, openAI said) (said, said) { return said{}, openAI }

func post(path, body string) said { return said{method: "POST", path: path, body: body} }

// with gives both the key and workspace, and a header if its name is not empty.
func with(key string, ws ident.Workspace, header, value string) (native, openAI said) {
	native, openAI = talk("far", "")
	native.key, native.ws, openAI.key, openAI.ws = key, ws, key, ws
	if header != "" {
		native.header, openAI.header = http.Header{header: {value}}, http.Header{header: {value}}
	}
	return native, openAI
}

// errorRows are all that can occur.
func errorRows(o *town) []errorRow {
	limits := func(body string) func(*town) {
		return func(o *town) {
			o.say(said{method: "POST", path: "/api/v1/models/limits", body: body, key: "root"}).is(200)
		}
	}
	unlimited := limits(`{"models":[{"model":"far","operation_type":"DELETE"}]}`)
	held := make(chan struct{})
	return []errorRow{
		row("400 InvalidParameter: Required parameter(s) missing or invalid, please check the request parameters.").in(
			post(textPath, `{"model":7,"input":{"prompt":"Hi"}}`), post(chatPath, `{"model":7,"messages":[{}]}`)),
		row("400 InvalidParameter: Required body invalid, please check the request body format.").in(post(textPath, `[]`), post(chatPath, `[]`)),
		row(`400 InvalidParameter: Either "prompt" or "messages" must exist and cannot both be none`).in(post(textPath, `{"model":"far","input":{}}`), post(chatPath, `{"model":"far"}`)),
		row("400 InvalidParameter: Model not exist.").in(talk("far ", "")),
		row("400 InvalidParameter: [] is too short").in(post(textPath, `{"model":"far","input":{"messages":[]}}`), post(chatPath, `{"model":"far","messages":[]}`)),
		row("400 InvalidParameter: Range of input length should be [1, N]").in(talk("far", "")).
			upstream(400, `{"error":{"code":"InvalidParameter","message":"Range of input length should be [1, 98304]"}}`),
		row("400 InvalidParameter: Range of max_tokens should be [1, N]").in(talk("far", `"max_tokens":0`)),
		row("400 InvalidParameter: Temperature should be in [0.0, 2.0)").in(only(talk("far", `"temperature":2`))),
		row("400 InvalidParameter: Range of top_p should be (0.0, 1.0]").in(only(talk("far", `"top_p":0`))),
		row("400 InvalidParameter: Range of n should be [1, 4]").in(only(talk("far", `"n":5`))),
		row("400 InvalidParameter: This model only support stream mode, please enable the stream parameter to access the model.").in(talk("far", "")).
			upstream(400, `{"error":{"code":"invalid_parameter_error","message":"This model only support stream mode, please enable the stream parameter to access the model."}}`),
		row("400 InvalidParameter: url error, please check url！").in(only(talk("seeing", ""))),
		row("400 invalid_request_error: you must provide a model parameter.").in(openOnly(talk("", ""))),
		row(`400 BadRequest.EmptyModel: Required parameter "model" missing from request.`).in(only(talk("", ""))),
		row("400 BadRequest.EmptyInput: Required input parameter missing from request.").in(post(textPath, `{"model":"far"}`), said{}),
		row("400 DataInspectionFailed: Input data may contain inappropriate content.").in(talk("far", "")).but("data_inspection_failed", "").
			upstream(400, `{"error":{"code":"data_inspection_failed"}}`),
		row("400 DataInspectionFailed: Output data may contain inappropriate content.").in(talk("far", "")).but("data_inspection_failed", "").
			upstream(200, `{"error":{"code":"data_inspection_failed"}}`),
		row("400 UnsupportedOperation: The operation is unsupported on the referee object.").in(
			said{method: "DELETE", path: tunes + "/JOB"}, said{method: "POST", path: "/v1/fine_tuning/jobs/OVER/cancel"}).but("unsupported_operation", "This training is over: it was cancelled."),
		row("401 InvalidApiKey: Invalid API-key provided.").in(with("none", o.marketing, "", "")).but("invalid_api_key", "Incorrect API key provided. "),
		row("401 InvalidApiKey: No API-key provided.").in(with("-", o.marketing, "", "")).but("invalid_api_key", ""),
		row("401 invalid_api_key: Incorrect API key provided.").in(openOnly(with("none", o.marketing, "", ""))),
		row("403 AccessDenied: Access denied.").in(with("elsewhere", o.marketing, "", "")).but("access_denied", ""),
		row("403 AccessDenied: Current user api does not support asynchronous calls.").in(with("", "", "X-DashScope-Async", "enable")).but("access_denied", ""),
		row("403 Model.AccessDenied: Model access denied.").in(with("research", o.research, "", "")),
		row("403 Model.AccessDenied, outside the key's scope: Model access denied.").in(with("narrow", o.marketing, "", "")),
		row("403 Workspace.AccessDenied: Workspace access denied.").in(with("marketing", o.research, "", "")),
		row("404 ModelNotFound: Model can not be found.").in(talk("nowhere", "")).but("model_not_found", "The model `nowhere` does not exist or you do not have access to it."),
		row("404 ModelNotFound, of another workspace: Model can not be found.").in(talk("OTHERS", "")).but("model_not_found", "The model `OTHERS` does not exist or you do not have access to it."),
		row("404 model_not_supported: Unsupported model `x` for OpenAI compatibility mode.").in(openOnly(talk("vectors", ""))),
		row("404 WorkSpaceNotFound: WorkSpace can not be found.").in(with("root", ident.NewWorkspace(), "", "")),
		row("404 NotFound: Not found!").in(said{method: "GET", path: tunes + "/ft-202611280000-abcd"}, said{method: "GET", path: "/v1/fine_tuning/jobs/ft-202611280000-abcd"}).but("not_found", "There is no such fine-tuning job."),
		row("404 NotFound: Model: x not found!").in(said{method: "GET", path: "/api/v1/deployments/nowhere"}, said{}),
		row("404 NotFound: Request path not found.").in(post("/api/v1/services/nowhere", `{}`), post("/v1/nowhere", `{}`)),
		row("500 RequestTimeOut: Request timed out, please try again later.").in(talk("far", "")).upstream(504, `{}`),
		row("409 Conflict: Deployed model xxx already exists, please specify a suffix.").in(post("/api/v1/deployments", `{"model_name":"qwen-turbo","capacity":1,"suffix":"twice"}`), said{}),
		row("413 BadRequest.TooLarge: Payload Too Large.").in(talk("far", `"stop":"`+strings.Repeat("x", 8<<20)+`"`)),
		row("429 Throttling: Requests throttling triggered.").in(talk("far", "")).but("limit_requests", "").when(
			func(o *town) {
				o.settle(1)
				o.mock.Always(mockserver.Reply{Body: []byte(`{"choices":[]}`), Hold: held, Header: http.Header{"Content-Type": {"application/json"}}})
				calls := o.mock.Calls()
				go o.say(second(talk("far", "")))
				for o.mock.Calls() == calls {
					time.Sleep(time.Millisecond)
				}
			},
			func(o *town) { close(held); o.mock.Answer(mockserver.Default); o.settle(0) }),
		row("429 Throttling: Too many fine-tune job in running, please retry later.").in(post(tunes, `{"model":"qwen-turbo","training_file_ids":["FILE"]}`), post("/v1/fine_tuning/jobs", `{"model":"qwen-turbo","training_file":"FILE"}`)).
			but("rate_limit_exceeded", "This workspace may have 20 trainings that are not over. Wait for one to end, or cancel one.").when(func(o *town) {
			for range 19 { // beside the one there is
				o.say(post(tunes, `{"model":"qwen-turbo","training_file_ids":["FILE"]}`)).is(200)
			}
		}, nil),
		row("429 Throttling.RateQuota: Requests rate limit exceeded, please try again later.").in(talk("far", "")).but("limit_requests", "").
			when(limits(`{"models":[{"model":"far","request_limit":0,"request_limit_period":60}]}`), unlimited),
		row("429 Throttling.BurstRate: Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale requests more smoothly over time.").
			in(talk("far", "")).but("limit_burst_rate", "").upstream(429, `{"error":{"code":"limit_burst_rate"}}`),
		row("429 Throttling.AllocationQuota: Allocated quota exceeded, please increase your quota limit.").in(talk("far", "")).
			but("insufficient_quota", "You exceeded your current quota, please check your plan and billing details.").
			when(limits(`{"models":[{"model":"far","request_limit":9,"request_limit_period":1,"usage_limit":0,"usage_limit_period":60}]}`), unlimited),
		row("500 InternalError: An internal error has occured, please try again later or contact service support.").in(talk("far", "")).but("internal_error", "").
			when(func(o *town) { o.books.once(func() error { panic("in the books") }) }, nil),
		row("503 ModelUnavailable: Model is unavailable, please try again later.").in(talk("orphan", "")),
		row("503 ModelServingError: Too many requests. Your requests are being throttled due to system capacity limits. Please try again later.").in(talk("far", "")).
			when(func(o *town) { o.books.once(func() error { return usage.ErrFull }) }, nil),
	}
}

func second(_, b said) said { return b }

// settle makes the account's setting how many calls may run at once with one key.
func (o *town) settle(calls int) {
	o.t.Helper()
	a, err := o.Store.Account(o.t.Context(), o.Account.ID)
	must(o.t, err)
	to := a.Settings
	to.KeyCalls = calls
	must(o.t, o.Store.ChangeSettings(o.t.Context(), a.ID, to, a.Version, o.Why("settings:change")))
}

// furnishRows adds what the rows speak of: models that the mock serves, keys, a
// training that waits and one that is over, deployments.
func (o *town) furnishRows() {
	o.secrets = map[string]string{"marketing": o.keys[o.marketing], "research": o.keys[o.research], "none": secret.NewKey().Reveal(), "-": ""}
	o.secrets["narrow"] = o.issue(o.marketing, pepperOf(o.t), []ident.Model{"qwen-turbo"})
	o.secrets["elsewhere"] = o.issueKey(o.marketing, pepperOf(o.t), func(k *apikey.Key) { k.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	o.secrets["root"] = o.issueKey(o.Default, pepperOf(o.t), func(k *apikey.Key) { k.Owner = o.Root.ID })
	for id, kind := range map[ident.Model]string{"far": "TG", "seeing": "VU", "vectors": "TR", "orphan": "TG"} {
		must(o.t, o.Store.InsertModel(o.t.Context(), o.Account.ID, catalogue.Model{ID: id, Account: o.Account.ID, Name: string(id), Kinds: []string{kind}, Offers: catalogue.Of(catalogue.Call), Version: 1}, o.Why("models:add")))
		o.Grant(id, catalogue.Call, o.marketing)
	}
	o.Serve(o.Provider("Far", provider.OpenAI, o.mock.URL).ID, "far", "seeing", "vectors")
	file := o.file(o.marketing, "rows")
	o.names = []string{"FILE", file, "OVER", o.begin(o.marketing, file), "JOB", o.begin(o.marketing, file)}
	o.json(o.marketing, "POST", tunes+"/"+o.names[3]+"/cancel", "").is(200)
	o.json(o.marketing, "POST", "/api/v1/deployments", `{"model_name":"qwen-turbo","capacity":1,"suffix":"twice"}`).is(200)
	o.Grant("qwen-turbo", catalogue.Deploy, o.marketing, o.research)
	o.names = append(o.names, "OTHERS", o.json(o.research, "POST", "/api/v1/deployments", `{"model_name":"qwen-turbo","capacity":1,"suffix":"theirs"}`).is(200).at("output.deployed_model"))
}

// say asks as it was said; words in capitals stand for what was furnished.
func (o *town) say(s said) got {
	names := strings.NewReplacer(o.names...)
	r, err := http.NewRequest(s.method, o.base+names.Replace(s.path), strings.NewReader(names.Replace(s.body)))
	must(o.t, err)
	for name, values := range s.header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	if s.key == "" {
		s.key = "marketing"
	}
	if key := o.secrets[s.key]; key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if s.ws == "" {
		s.ws = o.marketing
	}
	r.Header.Set("X-DashScope-WorkSpace", string(s.ws))
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	must(o.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(o.t, err)
	return got{o.t, s.method + " " + s.path, answer.StatusCode, answer.Header, string(text)}
}

var placeholders = strings.NewReplacer(`N\]`, `\d+\]`, ` xxx `, ` \S+ `, ": x not", `: \S+ not`, "`x`", "`\\S+`")

// told takes a row's name apart: the status, the code, and what the message is like.
func told(name string) (status int, code string, message *regexp.Regexp) {
	head, text, _ := strings.Cut(name, ": ")
	head, _, _ = strings.Cut(head, ",") // behind a comma it says when
	if _, err := fmt.Sscan(head, &status, &code); err != nil {
		panic(err)
	}
	return status, code, regexp.MustCompile("^" + placeholders.Replace(regexp.QuoteMeta(text)) + "( |$)")
}

// Every row of the original's error table that can occur, in the words of both
// dialects. internal/rows_test.go has the list of all, and why others cannot.
func TestEveryRowOfTheErrorTableThatCanOccur(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newTown(t, s)
		o.furnishRows()
		for _, r := range errorRows(o) {
			t.Run(r.name, func(t *testing.T) {
				status, code, message := told(r.name)
				for i, s := range []said{r.native, r.openAI} {
					if s.path == "" {
						continue
					}
					if r.before != nil && (i == 0 || r.native.path == "" || strings.HasPrefix(r.name, "50")) {
						r.before(o)
					}
					answer := o.say(s)
					if i == 0 {
						answer.refusesNatively(t, status, code, message)
						continue
					}
					says := r.says
					if says != "" {
						message = regexp.MustCompile("^" + regexp.QuoteMeta(strings.NewReplacer(o.names...).Replace(says)))
					}
					answer.refusesAsOpenAI(t, status, r.code, code, message)
				}
				if r.after != nil {
					r.after(o)
				}
			})
		}
	})
}

func (g got) refusesNatively(t *testing.T, status int, code string, message *regexp.Regexp) {
	t.Helper()
	var said map[string]any
	err := json.Unmarshal([]byte(g.body), &said)
	text, _ := said["message"].(string)
	if err != nil || g.status != status || said["code"] != code || !message.MatchString(text) || said["request_id"] != g.header.Get("X-Request-Id") || len(said) != 3 {
		t.Errorf("native: %s answered %d %s", g.what, g.status, g.body)
	}
}

// refusesAsOpenAI: refusals by workspace or model repeat the code as the type.
func (g got) refusesAsOpenAI(t *testing.T, status int, code, native string, message *regexp.Regexp) {
	t.Helper()
	if code == "" {
		code = native
	}
	var said struct {
		Error struct {
			Message, Type, Code string
			Param               *string
		}
	}
	var all map[string]any
	id := g.header.Get("X-Request-Id")
	err := json.Unmarshal([]byte(g.body), &said)
	if err == nil {
		err = json.Unmarshal([]byte(g.body), &all)
	}
	if e := said.Error; err != nil || g.status != status || e.Code != code || !message.MatchString(e.Message) || e.Type != code && e.Type != "invalid_request_error" ||
		all["request_id"] != id || all["id"] != "chatcmpl-"+id || len(all) != 3 || len(all["error"].(map[string]any)) != 4 {
		t.Errorf("OpenAI: %s answered %d %s", g.what, g.status, g.body)
	}
}
