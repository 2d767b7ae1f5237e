package management_test

import (
	"fmt"
	"strings"
	"testing"

	people "bailiwick/internal/account"
	"bailiwick/internal/audit"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/provider"
)

const (
	permissionsPath = "/api/v1/models/permissions"
	limitsPath      = "/api/v1/models/limits"
	quotasPath      = "/api/v1/quotas"
)

// tells makes sure of an answer, with the request's id as "ID" and the ids of
// workspaces by their names.
func (r *realm) tells(a ask, status int, want string) {
	r.t.Helper()
	got := r.call(a)
	text := strings.NewReplacer(got.header.Get("X-Request-Id"), "ID", string(r.marketing.ID), "MARKETING", string(r.Default), "DEFAULT").Replace(got.body)
	if got.status != status || text != want {
		r.t.Errorf("%s %s by %q answered %d %s\n   want %d %s", a.path, a.body, a.key, got.status, text, status, want)
	}
}

const done = `{"code":null,"message":null,"success":true,"output":null,"request_id":"ID"}`

func failed(code, message string) string {
	return fmt.Sprintf(`{"code":%q,"message":%s,"request_id":"ID","success":false,"output":null}`, code, quoted(message))
}

// mayCall makes sure whether Marketing may call a model, at once.
func (r *realm) mayCall(model string, may bool) {
	r.t.Helper()
	got := r.call(ask{path: chat, key: "admin", ws: r.marketing.ID, body: openAIBody(model, "")})
	if want := map[bool]int{true: 200, false: 403}[may]; got.status != want {
		r.t.Errorf("calling %s: %d %s", model, got.status, got.body)
	}
}

func TestPermissionsAreChangedAsInTheOriginalAndHoldAtOnce(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		post := func(key, body string, status int, want string) {
			r.t.Helper()
			r.tells(ask{path: permissionsPath, key: key, ws: r.marketing.ID, body: body}, status, want)
		}
		rights := func(want catalogue.Capabilities) {
			r.t.Helper()
			f, err := r.Store.Facts(t.Context(), 0)
			r.must(err)
			for _, w := range f.Workspaces {
				if w.ID == r.marketing.ID && w.Grants.Get("qwen-plus") != want {
					r.t.Errorf("rights %b, want %b", w.Grants.Get("qwen-plus"), want)
				}
			}
		}
		call, train, deploy := catalogue.Of(catalogue.Call), catalogue.Of(catalogue.Train), catalogue.Of(catalogue.Deploy)
		r.mayCall("qwen-plus", false)
		r.row("POST permissions: KEEP acts per model, and success is answered in the envelope", func() {
			post("root", `{"models":[{"model":"qwen-plus","inference":true,"finetune":true,"deploy":false},{"model":"qwen-plain","inference":true}],"access_all_entities":"KEEP"}`, 200, done)
			rights(call | train)
		})
		r.row("POST permissions: what is changed holds at once", func() {
			r.mayCall("qwen-plus", true)
			r.mayCall("qwen-plain", true)
		})
		r.row("POST permissions: true grants, false revokes, absent or null leaves it", func() {
			post("super", `{"models":[{"model":"qwen-plus","inference":null,"fine_tune":false,"deploy":true}]}`, 200, done)
			rights(call | deploy)
			post("root", `{"models":[{"model":"qwen-plus"}]}`, 200, done)
			rights(call | deploy)
		})
		r.row("POST permissions: finetune and fine_tune are both taken", func() {
			post("root", `{"models":[{"model":"qwen-plus","fine_tune":true,"finetune":true}]}`, 200, done)
			rights(call | train | deploy)
		})
		r.mayCall("qwen-turbo", false)
		r.row("POST permissions: OPEN allows calling of every model, future ones too", func() {
			post("root", `{"access_all_entities":"OPEN"}`, 200, done)
			r.mayCall("qwen-turbo", true)
			r.Serve(r.Provider("Other", provider.Embedded, "").ID, r.Model("brand-new").ID)
			r.mayCall("brand-new", true)
		})
		r.row("POST permissions: CLOSE ends that and clears earlier calling grants", func() {
			post("root", `{"models":[],"access_all_entities":"CLOSE"}`, 200, done)
			r.mayCall("qwen-turbo", false)
			r.mayCall("brand-new", false)
			r.mayCall("qwen-plus", false)
			rights(train | deploy)
		})
		rights(train | deploy)

		lines, _, err := r.Store.Trail(t.Context(), r.Account.ID, people.TrailFilter{Action: "grants:change", Limit: 50})
		r.must(err)
		said := []string{}
		for _, l := range lines {
			if said = append([]string{l.Summary + " by " + l.ActorName}, said...); l.ActorKind != audit.Key || l.Detail["owner"] == "" || l.Workspace != r.marketing.ID {
				t.Errorf("the trail holds %+v", l.Event)
			}
		}
		want := []string{
			"granted Model Calling of qwen-plus by root@acme (API key)", "granted Model Training of qwen-plus by root@acme (API key)", "granted Model Calling of qwen-plain by root@acme (API key)",
			"revoked Model Training of qwen-plus by super@acme (API key)", "granted Model Deployment of qwen-plus by super@acme (API key)",
			"granted Model Training of qwen-plus by root@acme (API key)",
			"granted Model Calling of every model by root@acme (API key)", "ended Model Calling of every model, and 2 grants by root@acme (API key)",
		}
		if fmt.Sprint(said) != fmt.Sprint(want) {
			t.Errorf("the trail says %q", said)
		}
	})
}

// manyOf is a body with n lines.
func manyOf(n int, line string) string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = strings.ReplaceAll(line, "%", fmt.Sprint(i))
	}
	return `{"models":[` + strings.Join(lines, ",") + `]}`
}

func TestChangesThatCannotBeAreRefusedWholeInTheEnvelope(t *testing.T) {
	const malformed = "Required body invalid, please check the request body format."
	refused := []struct {
		row     string
		changes []struct{ path, body, message string }
	}{
		{"POST permissions: failure is answered in the envelope, and nothing of the change is kept", []struct{ path, body, message string }{
			{permissionsPath, `{"models":[{"model":"mute","inference":true}]}`, "Model mute is not authorized for Inference"},
			{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true},{"model":"qwen-plain","finetune":true}]}`, "Model qwen-plain is not authorized for Finetune"},
			{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true},{"model":"qwen-plain","deploy":true}]}`, "Model qwen-plain is not authorized for Deploy"},
			{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true},{"model":"no-such","inference":true}]}`, "Model not exist."},
		}},
		{"POST permissions: models are empty or absent only with OPEN or CLOSE", []struct{ path, body, message string }{
			{permissionsPath, `{"models":[],"access_all_entities":"KEEP"}`, "Range of models should be [1, 20]; none only with access_all_entities OPEN or CLOSE"},
			{permissionsPath, `{}`, "Range of models should be [1, 20]; none only with access_all_entities OPEN or CLOSE"},
			{permissionsPath, `{"models":[]}`, "Range of models should be [1, 20]; none only with access_all_entities OPEN or CLOSE"},
		}},
		{"POST limits: request_limit and usage_limit are at least 0", []struct{ path, body, message string }{
			{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1,"request_limit_period":1,"usage_limit":-1,"usage_limit_period":60}]}`, "The token limit is a whole number from 0 to 1000000000."},
			{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":-1,"request_limit_period":60}]}`, "The request limit is a whole number from 0 to 1000000000."},
		}},
		{"POST limits: periods are positive", []struct{ path, body, message string }{
			{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1,"request_limit_period":1,"usage_limit":1,"usage_limit_period":-1}]}`, "The period is a whole number of seconds from 1 to 3600."},
			{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1,"request_limit_period":0}]}`, "The period is a whole number of seconds from 1 to 3600."},
			{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1}]}`, "Say the period of the request limit, in seconds."},
			{limitsPath, `{"models":[{"model":"qwen-plus","request_limit_period":1}]}`, "Say how many requests the period is for."},
		}},
		{"POST permissions: at most 20 models", []struct{ path, body, message string }{
			{permissionsPath, manyOf(21, `{"model":"m%","inference":true}`), "Range of models should be [1, 20]; none only with access_all_entities OPEN or CLOSE"},
		}},
		{"POST permissions: access_all_entities is OPEN, CLOSE or KEEP", []struct{ path, body, message string }{
			{permissionsPath, `{"models":[{"model":"qwen-plus"}],"access_all_entities":"open"}`, "access_all_entities should be OPEN, CLOSE or KEEP"},
		}},
		{"POST permissions: what is not of this form is refused", []struct{ path, body, message string }{
			{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true},{"model":"qwen-plus","deploy":true}]}`, "Model qwen-plus is named twice."},
			{permissionsPath, `{"models":[{"model":"qwen-plus","fineTune":true}]}`, malformed},
			{permissionsPath, `{"models":[{"model":"qwen-plus","Inference":true}]}`, malformed},
			{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true,"inference":false}]}`, malformed},
			{permissionsPath, `{"models":[{"model":"qwen-plus","inference":"yes"}]}`, malformed},
			{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true}]} x`, malformed},
			{permissionsPath, `[]`, malformed},
		}},
		{"POST permissions: both spellings may not disagree", []struct{ path, body, message string }{
			{permissionsPath, `{"models":[{"model":"qwen-plus","finetune":true,"fine_tune":false}]}`, "finetune and fine_tune of model qwen-plus say different things"},
		}},
		{"POST limits: 1–200 models", []struct{ path, body, message string }{
			{limitsPath, `{}`, "Range of models should be [1, 200]"},
			{limitsPath, `{"models":[]}`, "Range of models should be [1, 200]"},
			{limitsPath, manyOf(201, `{"model":"m%","request_limit":1,"request_limit_period":1}`), "Range of models should be [1, 200]"},
		}},
		{"POST limits: no token limit without a request limit", []struct{ path, body, message string }{
			{limitsPath, `{"models":[{"model":"qwen-plus","usage_limit":100,"usage_limit_period":60}]}`, "Cannot set TPM without QPM for model qwen-plus: no existing QPM limit, please set QPM first"},
		}},
		{"POST limits: what is not of this form is refused", []struct{ path, body, message string }{
			{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1,"request_limit_period":1},{"model":"no-such","request_limit":1,"request_limit_period":1}]}`, "Model not exist."},
			{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1,"request_limit_period":1},{"model":"qwen-plus","operation_type":"DELETE"}]}`, "Model qwen-plus is named twice."},
			{limitsPath, `{"models":[{"model":"qwen-plus"}]}`, "No limit is given for model qwen-plus"},
			{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1.5,"request_limit_period":1}]}`, malformed},
			{limitsPath, `{"models":[{"model":"qwen-plus","rpm":1}]}`, malformed},
			{limitsPath, `{"models":[{"model":"qwen-plus ","request_limit":1,"request_limit_period":1}]}`, "Model not exist."},
			{limitsPath, `{"models":[{"request_limit":1,"request_limit_period":1}]}`, `Required parameter "model" missing from request.`},
		}},
		{"POST limits: operation_type is OVERLAY or DELETE, and with DELETE every field is empty", []struct{ path, body, message string }{
			{limitsPath, `{"models":[{"model":"qwen-plus","operation_type":"DELETE","request_limit":1}]}`, "With operation_type DELETE no limit may be given for model qwen-plus"},
			{limitsPath, `{"models":[{"model":"qwen-plus","operation_type":"overlay","request_limit":1}]}`, "operation_type should be OVERLAY or DELETE"},
		}},
	}
	eachRealm(t, func(t *testing.T, r *realm) {
		r.must(r.Store.InsertModel(t.Context(), r.Account.ID, catalogue.Model{ID: "mute", Account: r.Account.ID, Name: "Mute", Version: 1}, r.Why("models:add")))
		before, err := r.Store.Facts(t.Context(), 0)
		r.must(err)
		for _, of := range refused {
			r.row(of.row, func() {
				for _, c := range of.changes {
					got := r.call(ask{path: c.path, key: "root", ws: r.marketing.ID, body: c.body})
					id, code := got.header.Get("X-Request-Id"), "InvalidParameter"
					if strings.Contains(c.message, `"model" missing`) {
						code = "BadRequest.EmptyModel"
					}
					text := strings.ReplaceAll(got.body, id, "ID")
					if want := failed(code, c.message); got.status != 400 || text != want && !(c.message == malformed && strings.HasPrefix(text, `{"code":"InvalidParameter","message":"`+malformed+` (`) && !strings.Contains(text, "Go ")) {
						r.t.Errorf("%s %.200s answered %d %s\n   want %s", c.path, c.body, got.status, text, want)
					}
				}
			})
		}
		after, err := r.Store.Facts(t.Context(), 0)
		if r.must(err); after.Version != before.Version {
			t.Error("a refused change left something")
		}
		r.tells(ask{path: permissionsPath, key: "root", body: `{"access_all_entities":"CLOSE"}`}, 400,
			failed("UnsupportedOperation", "The operation is unsupported on the referee object. The Default Workspace may do everything; its rights cannot be changed."))
	})
}

func TestOnlyKeysOfAdministratorsInTheDefaultWorkspaceChangeAnything(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		bodies := map[string]string{
			permissionsPath: `{"models":[{"model":"qwen-plus","inference":true}]}`,
			limitsPath:      `{"models":[{"model":"qwen-plus","request_limit":1,"request_limit_period":60}]}`,
		}
		denied := failed("AccessDenied", "Access denied.")
		for path, body := range bodies {
			for key, ws := range map[string]ident.Workspace{"admin": r.marketing.ID, "super-outside": r.marketing.ID, "regular-in-default": r.Default} {
				r.tells(ask{path: path, key: key, ws: ws, body: body}, 403, denied)
			}
			r.tells(ask{path: path, key: "admin", ws: r.research.ID, body: body}, 403, failed("Workspace.AccessDenied", "Workspace access denied."))
			r.tells(ask{path: path, key: "super", ws: ident.NewWorkspace(), body: body}, 404, failed("WorkSpaceNotFound", "WorkSpace can not be found."))
			r.tells(ask{path: path, body: body}, 401, failed("InvalidApiKey", "No API-key provided."))
		}
		r.row("permissions and limits: the workspace acted on is the one that is named, else the key's", func() {
			for path, body := range bodies {
				r.tells(ask{path: "/w/" + string(r.marketing.ID) + path, key: "super", body: body}, 200, done)
			}
			r.mayCall("qwen-plus", true)
			r.tells(ask{path: limitsPath, key: "root", body: bodies[limitsPath]}, 200, done)
			if got := r.call(ask{path: quotasPath + "?model=qwen-plus", key: "root"}); !strings.Contains(got.body, `"workspace_id":"`+string(r.Default)+`","model_limit":null,"workspace_limit":{"request_limit":1,`) {
				r.t.Error(got.body)
			}
		})
		for _, path := range []string{permissionsPath, limitsPath, quotasPath} {
			if got := r.call(ask{path: path, key: "admin", ws: r.marketing.ID}); got.status != 200 {
				t.Errorf("reading %s: %d %s", path, got.status, got.body)
			}
			r.tells(ask{path: path, key: "admin", ws: r.research.ID}, 403, failed("Workspace.AccessDenied", "Workspace access denied."))
		}
		// The name of another workspace opens nothing but these addresses to a super administrator.
		if got := r.call(ask{path: chat, key: "super", ws: r.marketing.ID, body: openAIBody("qwen-plus", "")}); got.status != 403 {
			t.Errorf("a call by a super administrator's key in another workspace: %d", got.status)
		}
		r.tells(ask{path: quotasPath, key: "root", body: bodies[limitsPath]}, 405, failed("MethodNotAllowed", "This path takes GET only."))
		if got := r.call(ask{method: "DELETE", path: limitsPath, key: "root"}); got.status != 405 || got.header.Get("Allow") != "GET, POST" {
			t.Errorf("DELETE: %d %v", got.status, got.header)
		}
	})
}

func TestLimitsAreOverlaidAndDeletedAsInTheOriginalAndHoldAtOnce(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		r.Grant("qwen-turbo", catalogue.Call, r.marketing.ID)
		post := func(body string) {
			r.t.Helper()
			r.tells(ask{path: limitsPath, key: "super", ws: r.marketing.ID, body: body}, 200, done)
		}
		own := func(want string) {
			r.t.Helper()
			for _, path := range []string{limitsPath, quotasPath} {
				r.tells(ask{path: path + "?model=qwen-turbo", key: "admin", ws: r.marketing.ID}, 200, `{"code":null,"message":null,"success":true,"output":{"total":1,"page_no":1,"page_size":20,"quotas":[`+
					`{"model":"qwen-turbo","workspace_id":"MARKETING","model_limit":{"request_limit":300,"request_limit_period":15,"usage_limit":1000000,"usage_limit_field":"total_tokens","usage_limit_period":12,"async_user_queue_limit":null,"async_user_concurrency_limit":null},`+
					`"workspace_limit":`+want+`}]},"request_id":"ID"}`)
			}
		}
		calls := func(statuses ...int) {
			r.t.Helper()
			for i, want := range statuses {
				if got := r.call(ask{path: chat, key: "admin", ws: r.marketing.ID, body: openAIBody("qwen-turbo", "")}); got.status != want {
					r.t.Errorf("call %d: %d %s", i, got.status, got.body)
				}
			}
		}
		const none = `,"async_user_queue_limit":null,"async_user_concurrency_limit":null}`
		r.row("GET limits: workspace_limit is null where there is none, and GET quotas is the same", func() { own("null") })
		r.row("POST limits: what is set holds at once", func() {
			post(`{"models":[{"model":"qwen-turbo","request_limit":2,"request_limit_period":60}]}`)
			own(`{"request_limit":2,"request_limit_period":60,"usage_limit":null,"usage_limit_field":null,"usage_limit_period":null` + none)
			calls(200, 200, 429)
		})
		r.row("POST limits: OVERLAY is the default: given fields replace, others stay", func() {
			post(`{"models":[{"model":"qwen-turbo","operation_type":"OVERLAY","usage_limit":100000,"usage_limit_period":60}]}`)
			own(`{"request_limit":2,"request_limit_period":60,"usage_limit":100000,"usage_limit_field":"total_tokens","usage_limit_period":60` + none)
			post(`{"models":[{"model":"qwen-turbo","request_limit":5,"usage_limit":null}]}`)
			own(`{"request_limit":5,"request_limit_period":60,"usage_limit":100000,"usage_limit_field":"total_tokens","usage_limit_period":60` + none)
		})
		r.row("POST limits: a request limit alone is kept by DELETE and then OVERLAY", func() {
			post(`{"models":[{"model":"qwen-turbo","operation_type":"DELETE"}]}`)
			own("null")
			post(`{"models":[{"model":"qwen-turbo","request_limit":5,"request_limit_period":1}]}`)
			own(`{"request_limit":5,"request_limit_period":1,"usage_limit":null,"usage_limit_field":null,"usage_limit_period":null` + none)
		})
		r.row("POST limits: a limit of 0 lets nothing through", func() {
			post(`{"models":[{"model":"qwen-turbo","request_limit":0,"usage_limit":0,"usage_limit_period":1}]}`)
			own(`{"request_limit":0,"request_limit_period":1,"usage_limit":0,"usage_limit_field":"total_tokens","usage_limit_period":1` + none)
			calls(429)
		})
		r.row("throttling: workspaces without a limit of their own share the account's, over all keys", func() {
			r.Grant("qwen-plain", catalogue.Call, r.marketing.ID, r.research.ID)
			r.must(r.Store.ChangeModelLimit(r.t.Context(), r.Account.ID, "qwen-plain", catalogue.Limit{Requests: 3, RequestPeriod: 3600}, 1, func(catalogue.Limit) audit.Event { return r.Why("limits:change") }))
			for i, a := range []ask{{key: "admin", ws: r.marketing.ID}, {key: "root", ws: r.research.ID}, {key: "super", ws: r.Default}, {key: "root", ws: r.Default}, {key: "admin", ws: r.marketing.ID}} {
				a.path, a.body = chat, openAIBody("qwen-plain", "")
				if got := r.call(a); got.status != []int{200, 200, 200, 429, 429}[i] {
					r.t.Errorf("call %d: %d %s", i, got.status, got.body)
				}
			}
		})
	})
}
