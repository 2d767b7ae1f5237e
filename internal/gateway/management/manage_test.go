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
			t.Helper()
			r.tells(ask{path: permissionsPath, key: key, ws: r.marketing.ID, body: body}, status, want)
		}
		rights := func(want catalogue.Capabilities) {
			t.Helper()
			f, err := r.Store.Facts(t.Context(), 0)
			r.must(err)
			for _, w := range f.Workspaces {
				if w.ID == r.marketing.ID && w.Grants["qwen-plus"] != want {
					t.Errorf("rights %b, want %b", w.Grants["qwen-plus"], want)
				}
			}
		}
		call, train, deploy := catalogue.Of(catalogue.Call), catalogue.Of(catalogue.Train), catalogue.Of(catalogue.Deploy)
		r.mayCall("qwen-plus", false)
		post("root", `{"models":[{"model":"qwen-plus","inference":true,"finetune":true,"deploy":false},{"model":"qwen-plain","inference":true}],"access_all_entities":"KEEP"}`, 200, done)
		rights(call | train)
		r.mayCall("qwen-plus", true)
		r.mayCall("qwen-plain", true)
		post("super", `{"models":[{"model":"qwen-plus","inference":null,"fine_tune":false,"deploy":true}]}`, 200, done)
		rights(call | deploy)
		post("root", `{"models":[{"model":"qwen-plus"}]}`, 200, done)
		rights(call | deploy)
		post("root", `{"models":[{"model":"qwen-plus","fine_tune":true,"finetune":true}]}`, 200, done)
		rights(call | train | deploy)

		r.mayCall("qwen-turbo", false)
		post("root", `{"access_all_entities":"OPEN"}`, 200, done)
		r.mayCall("qwen-turbo", true)
		r.Serve(r.Provider("Other", provider.Embedded, "").ID, r.Model("brand-new").ID)
		r.mayCall("brand-new", true)
		post("root", `{"models":[],"access_all_entities":"CLOSE"}`, 200, done)
		r.mayCall("qwen-turbo", false)
		r.mayCall("qwen-plus", false)
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
	refused := []struct{ path, body, message string }{
		{permissionsPath, `{}`, "Range of models should be [1, 20]; none only with access_all_entities OPEN or CLOSE"},
		{permissionsPath, `{"models":[]}`, "Range of models should be [1, 20]; none only with access_all_entities OPEN or CLOSE"},
		{permissionsPath, manyOf(21, `{"model":"m%","inference":true}`), "Range of models should be [1, 20]; none only with access_all_entities OPEN or CLOSE"},
		{permissionsPath, `{"models":[{"model":"qwen-plus"}],"access_all_entities":"open"}`, "access_all_entities should be OPEN, CLOSE or KEEP"},
		{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true},{"model":"qwen-plain","finetune":true}]}`, "Model qwen-plain is not authorized for Finetune"},
		{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true},{"model":"qwen-plain","deploy":true}]}`, "Model qwen-plain is not authorized for Deploy"},
		{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true},{"model":"no-such","inference":true}]}`, "Model not exist."},
		{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true},{"model":"qwen-plus","deploy":true}]}`, "Model qwen-plus is named twice."},
		{permissionsPath, `{"models":[{"model":"qwen-plus","finetune":true,"fine_tune":false}]}`, "finetune and fine_tune of model qwen-plus say different things"},
		{permissionsPath, `{"models":[{"model":"qwen-plus","fineTune":true}]}`, malformed},
		{permissionsPath, `{"models":[{"model":"qwen-plus","Inference":true}]}`, malformed},
		{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true,"inference":false}]}`, malformed},
		{permissionsPath, `{"models":[{"model":"qwen-plus","inference":"yes"}]}`, malformed},
		{permissionsPath, `{"models":[{"model":"qwen-plus","inference":true}]} x`, malformed},
		{permissionsPath, `[]`, malformed},
		{limitsPath, `{}`, "Range of models should be [1, 200]"},
		{limitsPath, `{"models":[]}`, "Range of models should be [1, 200]"},
		{limitsPath, manyOf(201, `{"model":"m%","request_limit":1,"request_limit_period":1}`), "Range of models should be [1, 200]"},
		{limitsPath, `{"models":[{"model":"qwen-plus","usage_limit":100,"usage_limit_period":60}]}`, "Cannot set TPM without QPM for model qwen-plus: no existing QPM limit, please set QPM first"},
		{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":-1,"request_limit_period":60}]}`, "The request limit is a whole number from 0 to 1000000000."},
		{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1,"request_limit_period":0}]}`, "The period is a whole number of seconds from 1 to 3600."},
		{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1}]}`, "Say the period of the request limit, in seconds."},
		{limitsPath, `{"models":[{"model":"qwen-plus","request_limit_period":1}]}`, "Say how many requests the period is for."},
		{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1,"request_limit_period":1},{"model":"no-such","request_limit":1,"request_limit_period":1}]}`, "Model not exist."},
		{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1,"request_limit_period":1},{"model":"qwen-plus","operation_type":"DELETE"}]}`, "Model qwen-plus is named twice."},
		{limitsPath, `{"models":[{"model":"qwen-plus","operation_type":"DELETE","request_limit":1}]}`, "With operation_type DELETE no limit may be given for model qwen-plus"},
		{limitsPath, `{"models":[{"model":"qwen-plus","operation_type":"overlay","request_limit":1}]}`, "operation_type should be OVERLAY or DELETE"},
		{limitsPath, `{"models":[{"model":"qwen-plus"}]}`, "No limit is given for model qwen-plus"},
		{limitsPath, `{"models":[{"model":"qwen-plus","request_limit":1.5,"request_limit_period":1}]}`, malformed},
		{limitsPath, `{"models":[{"model":"qwen-plus","rpm":1}]}`, malformed},
		{limitsPath, `{"models":[{"model":"qwen-plus ","request_limit":1,"request_limit_period":1}]}`, "Model not exist."},
		{limitsPath, `{"models":[{"request_limit":1,"request_limit_period":1}]}`, `Required parameter "model" missing from request.`},
	}
	eachRealm(t, func(t *testing.T, r *realm) {
		before, err := r.Store.Facts(t.Context(), 0)
		r.must(err)
		for _, c := range refused {
			got := r.call(ask{path: c.path, key: "root", ws: r.marketing.ID, body: c.body})
			id, code := got.header.Get("X-Request-Id"), "InvalidParameter"
			if strings.Contains(c.message, `"model" missing`) {
				code = "BadRequest.EmptyModel"
			}
			text := strings.ReplaceAll(got.body, id, "ID")
			if want := failed(code, c.message); got.status != 400 || text != want && !(c.message == malformed && strings.HasPrefix(text, `{"code":"InvalidParameter","message":"`+malformed+` (`) && !strings.Contains(text, "Go ")) {
				t.Errorf("%s %.200s answered %d %s\n   want %s", c.path, c.body, got.status, text, want)
			}
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
			r.tells(ask{path: "/w/" + string(r.marketing.ID) + path, key: "super", body: body}, 200, done)
		}
		r.tells(ask{path: limitsPath, key: "root", body: bodies[limitsPath]}, 200, done) // of the Default Workspace itself
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
			t.Helper()
			r.tells(ask{path: limitsPath, key: "super", ws: r.marketing.ID, body: body}, 200, done)
		}
		own := func(want string) {
			t.Helper()
			for _, path := range []string{limitsPath, quotasPath} {
				r.tells(ask{path: path + "?model=qwen-turbo", key: "admin", ws: r.marketing.ID}, 200, `{"code":null,"message":null,"success":true,"output":{"total":1,"page_no":1,"page_size":20,"quotas":[`+
					`{"model":"qwen-turbo","workspace_id":"MARKETING","model_limit":{"request_limit":300,"request_limit_period":15,"usage_limit":1000000,"usage_limit_field":"total_tokens","usage_limit_period":12,"async_user_queue_limit":null,"async_user_concurrency_limit":null},`+
					`"workspace_limit":`+want+`}]},"request_id":"ID"}`)
			}
		}
		const none = `,"async_user_queue_limit":null,"async_user_concurrency_limit":null}`
		own("null")
		post(`{"models":[{"model":"qwen-turbo","request_limit":2,"request_limit_period":60}]}`)
		own(`{"request_limit":2,"request_limit_period":60,"usage_limit":null,"usage_limit_field":null,"usage_limit_period":null` + none)
		for i, want := range []int{200, 200, 429} {
			if got := r.call(ask{path: chat, key: "admin", ws: r.marketing.ID, body: openAIBody("qwen-turbo", "")}); got.status != want {
				t.Errorf("call %d: %d %s", i, got.status, got.body)
			}
		}
		post(`{"models":[{"model":"qwen-turbo","operation_type":"OVERLAY","usage_limit":100000,"usage_limit_period":60}]}`)
		own(`{"request_limit":2,"request_limit_period":60,"usage_limit":100000,"usage_limit_field":"total_tokens","usage_limit_period":60` + none)
		post(`{"models":[{"model":"qwen-turbo","request_limit":5}]}`)
		own(`{"request_limit":5,"request_limit_period":60,"usage_limit":100000,"usage_limit_field":"total_tokens","usage_limit_period":60` + none)
		post(`{"models":[{"model":"qwen-turbo","operation_type":"DELETE"}]}`)
		own("null")
		for range 8 {
			if got := r.call(ask{path: chat, key: "admin", ws: r.marketing.ID, body: openAIBody("qwen-turbo", "")}); got.status != 200 {
				t.Errorf("without a limit: %d %s", got.status, got.body)
			}
		}
	})
}

func TestListsOfRightsAndLimitsAreFilteredAndPaged(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		r.Grant("qwen-plus", catalogue.Call, r.marketing.ID)
		list := func(query, want string) {
			t.Helper()
			r.tells(ask{path: permissionsPath + query, key: "admin", ws: r.marketing.ID}, 200, `{"code":null,"message":null,"success":true,"output":`+want+`,"request_id":"ID"}`)
		}
		const plus = `{"model":"qwen-plus","name":"Qwen-Plus","permissions":{"inference":true,"fine_tune":false,"deploy":false}}`
		const plain = `{"model":"qwen-plain","name":"Plain","permissions":{"inference":false,"fine_tune":null,"deploy":null}}`
		const turbo = `{"model":"qwen-turbo","name":"Qwen-Turbo","permissions":{"inference":false,"fine_tune":null,"deploy":null}}`
		list("", `{"total":3,"page_no":1,"page_size":20,"permissions":[`+plain+`,`+plus+`,`+turbo+`]}`)
		list("?page_no=2&page_size=2&authorization_scope=AUTHORIZABLE&action=INFERENCE", `{"total":3,"page_no":2,"page_size":2,"permissions":[`+turbo+`]}`)
		list("?page_no=9", `{"total":3,"page_no":9,"page_size":20,"permissions":[]}`)
		list("?name=PLUS", `{"total":1,"page_no":1,"page_size":20,"permissions":[`+plus+`]}`)
		list("?model=qwen-plain", `{"total":1,"page_no":1,"page_size":20,"permissions":[`+plain+`]}`)
		list("?model=qwen-pl", `{"total":0,"page_no":1,"page_size":20,"permissions":[]}`)
		list("?authorization_scope=AUTHORIZED", `{"total":1,"page_no":1,"page_size":20,"permissions":[`+plus+`]}`)
		for query, message := range map[string]string{
			"?page_size=201":            "Range of page_size should be [1, 200]",
			"?page_no=0":                "Range of page_no should be [1, 1048576]",
			"?authorization_scope=MINE": "authorization_scope should be one of AUTHORIZABLE, AUTHORIZED",
			"?action=TRAIN":             "action should be one of INFERENCE",
			"?scope=AUTHORIZED":         `The parameter "scope" is not supported here. It was not dropped in silence: take it out and try again.`,
		} {
			r.tells(ask{path: permissionsPath + query, key: "admin", ws: r.marketing.ID}, 400, failed("InvalidParameter", message))
		}
		got := r.call(ask{path: quotasPath + "?name=qwen&page_size=1&page_no=3", key: "admin", ws: r.marketing.ID})
		if !strings.Contains(got.body, `"total":3,"page_no":3,"page_size":1,"quotas":[{"model":"qwen-turbo"`) {
			t.Error(got.body)
		}
		r.tells(ask{path: quotasPath + "?action=INFERENCE", key: "admin", ws: r.marketing.ID}, 400, failed("InvalidParameter", `The parameter "action" is not supported here. It was not dropped in silence: take it out and try again.`))
	})
}
