package management_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
)

// rejects makes sure that a query is refused by name.
func (r *realm) rejects(path string, refused map[string]string) {
	r.t.Helper()
	for query, message := range refused {
		r.tells(ask{path: path + "?" + query, key: "admin", ws: r.marketing.ID}, 400, failed("InvalidParameter", message))
	}
}

const noWord = " is not supported here. It was not dropped in silence: take it out and try again."

func TestRightsAreListedAsInTheOriginal(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		r.Grant("qwen-plus", catalogue.Call, r.marketing.ID)
		list := func(query, want string) {
			r.t.Helper()
			r.tells(ask{path: permissionsPath + query, key: "admin", ws: r.marketing.ID}, 200, `{"code":null,"message":null,"success":true,"output":`+want+`,"request_id":"ID"}`)
		}
		const plus = `{"model":"qwen-plus","name":"Qwen-Plus","permissions":{"inference":true,"fine_tune":false,"deploy":false}}`
		const plain = `{"model":"qwen-plain","name":"Plain","permissions":{"inference":false,"fine_tune":null,"deploy":null}}`
		const turbo = `{"model":"qwen-turbo","name":"Qwen-Turbo","permissions":{"inference":false,"fine_tune":null,"deploy":null}}`
		r.row("GET permissions: the answer spells fine_tune, and is null for what cannot be set", func() {
			list("", `{"total":3,"page_no":1,"page_size":20,"permissions":[`+plain+`,`+plus+`,`+turbo+`]}`)
		})
		r.row("GET permissions: name finds parts of names and ids", func() {
			list("?name=PLUS", `{"total":1,"page_no":1,"page_size":20,"permissions":[`+plus+`]}`)
			list("?name=wen-pla", `{"total":1,"page_no":1,"page_size":20,"permissions":[`+plain+`]}`) // in its id alone
		})
		r.row("GET permissions: model is the whole id", func() {
			list("?model=qwen-plain", `{"total":1,"page_no":1,"page_size":20,"permissions":[`+plain+`]}`)
			list("?model=qwen-pl", `{"total":0,"page_no":1,"page_size":20,"permissions":[]}`)
		})
		r.row("GET permissions: page_no is from 1, page_size 1–200 and usually 20", func() {
			list("?page_no=2&page_size=2", `{"total":3,"page_no":2,"page_size":2,"permissions":[`+turbo+`]}`)
			list("?page_no=9&page_size=200", `{"total":3,"page_no":9,"page_size":200,"permissions":[]}`)
			r.rejects(permissionsPath, map[string]string{
				"page_size=201": "Range of page_size should be [1, 200]", "page_size=0": "Range of page_size should be [1, 200]", "page_no=0": "Range of page_no should be [1, 1048576]", "page_no=x": "Range of page_no should be [1, 1048576]",
			})
		})
		r.row("GET permissions: authorization_scope is AUTHORIZABLE or AUTHORIZED", func() {
			list("?authorization_scope=AUTHORIZABLE&page_size=1", `{"total":3,"page_no":1,"page_size":1,"permissions":[`+plain+`]}`)
			list("?authorization_scope=AUTHORIZED", `{"total":1,"page_no":1,"page_size":20,"permissions":[`+plus+`]}`)
			r.rejects(permissionsPath, map[string]string{"authorization_scope=MINE": "authorization_scope should be one of AUTHORIZABLE, AUTHORIZED"})
		})
		r.row("GET permissions: action is INFERENCE", func() {
			list("?action=INFERENCE&authorization_scope=AUTHORIZED", `{"total":1,"page_no":1,"page_size":20,"permissions":[`+plus+`]}`)
			r.rejects(permissionsPath, map[string]string{
				"action=TRAIN": "action should be one of INFERENCE", "scope=AUTHORIZED": `The parameter "scope"` + noWord, "model=qwen-plus&model=qwen-plain": `The parameter "model" stands twice.`,
			})
		})
		r.row("GET permissions: what shows false can be called another way: in the Default Workspace, by authorize-all", func() {
			all := func(key string, ws ident.Workspace) {
				r.t.Helper()
				got := r.call(ask{path: permissionsPath + "?authorization_scope=AUTHORIZED&model=qwen-turbo", key: key, ws: ws})
				if !strings.Contains(got.body, `"permissions":[`+turbo+`]`) {
					r.t.Error(got.body)
				}
			}
			all("root", r.Default)
			r.tells(ask{path: permissionsPath, key: "root", ws: r.marketing.ID, body: `{"access_all_entities":"OPEN"}`}, 200, done)
			all("admin", r.marketing.ID)
			r.mayCall("qwen-turbo", true)
		})
	})
}

func TestLimitsAreListedAsInTheOriginal(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		r.row("GET limits: name, model, page_no and page_size", func() {
			for query, want := range map[string]string{
				"name=qwen&page_size=1&page_no=3": `"total":3,"page_no":3,"page_size":1,"quotas":[{"model":"qwen-turbo"`, "name=Plain": `"total":1,"page_no":1,"page_size":20,"quotas":[{"model":"qwen-plain"`,
				"model=qwen-plus": `"total":1,"page_no":1,"page_size":20,"quotas":[{"model":"qwen-plus"`, "model=qwen": `"total":0,"page_no":1,"page_size":20,"quotas":[]`,
			} {
				for _, path := range []string{limitsPath, quotasPath} {
					if got := r.call(ask{path: path + "?" + query, key: "admin", ws: r.marketing.ID}); got.status != 200 || !strings.Contains(got.body, want) {
						r.t.Errorf("%s?%s: %s", path, query, got.body)
					}
				}
			}
			for _, path := range []string{limitsPath, quotasPath} {
				r.rejects(path, map[string]string{"action=INFERENCE": `The parameter "action"` + noWord, "page_size=201": "Range of page_size should be [1, 200]"})
			}
		})
		r.row("GET limits: model_limit is the account's, and null where there is none", func() {
			got := r.call(ask{path: quotasPath + "?model=qwen-plain", key: "admin", ws: r.marketing.ID})
			if !strings.Contains(got.body, `"model_limit":null,"workspace_limit":null`) {
				r.t.Error(got.body)
			}
		})
	})
}

// listed is what GET /api/v1/models answers.
type listed struct {
	Code    *string
	Success bool
	ID      string `json:"request_id"`
	Output  struct {
		Total  int
		Number int `json:"page_no"`
		Size   int `json:"page_size"`
		Models []struct{ Model ident.Model }
	}
}

func (l listed) ids() (ids []ident.Model) {
	for _, m := range l.Output.Models {
		ids = append(ids, m.Model)
	}
	return ids
}

const modelsPath = "/api/v1/models"

// list asks for models with a key of root.
func (r *realm) list(query string) (l listed) {
	r.t.Helper()
	got := r.call(ask{path: modelsPath + "?" + query, key: "root"})
	if err := json.Unmarshal([]byte(got.body), &l); err != nil || got.status != 200 || !l.Success || l.Code != nil || l.ID != got.header.Get("X-Request-Id") {
		r.t.Fatalf("%s: %d %s", query, got.status, got.body)
	}
	return l
}

func TestModelsAreListedAsInTheOriginal(t *testing.T) {
	eachRealm(t, func(t *testing.T, r *realm) {
		r.must((&catalogue.Service{Store: r.Store}).Install(t.Context(), r.Account.ID))
		all, err := r.Store.Models(t.Context(), r.Account.ID)
		r.must(err)
		// shows makes sure that a query gives exactly the models that a plain look at the catalogue finds.
		shows := func(query string, is func(m catalogue.Model) bool) {
			r.t.Helper()
			var want []ident.Model
			for _, m := range all {
				if m.Offers.Has(catalogue.Call) && is(m) {
					want = append(want, m.ID)
				}
			}
			if l := r.list(query + "&page_size=200"); !slices.Equal(l.ids(), want) || l.Output.Total != len(want) {
				r.t.Errorf("%s gives %q, want %q", query, l.ids(), want)
			}
		}
		any := func(m []string, of ...string) bool {
			return slices.ContainsFunc(of, func(s string) bool { return slices.Contains(m, s) })
		}
		r.row("GET models: name and model are as for permissions", func() {
			shows("name=TURBO", func(m catalogue.Model) bool {
				return strings.Contains(strings.ToLower(string(m.ID)+" "+m.Name), "turbo")
			})
			shows("model=qwen-turbo", func(m catalogue.Model) bool { return m.ID == "qwen-turbo" })
		})
		r.row("GET models: language is zh-CN or en-US", func() {
			shows("language=zh-CN&model=qwen-turbo", func(m catalogue.Model) bool { return m.ID == "qwen-turbo" })
			r.rejects(modelsPath, map[string]string{"language=fr": "language should be one of zh-CN, en-US"})
		})
		r.row("GET models: page_no is from 1, page_size usually 20", func() {
			var seen []ident.Model
			for page := 1; ; page++ {
				l := r.list(fmt.Sprint("page_no=", page))
				if l.Output.Number != page || l.Output.Size != 20 || l.Output.Total < 50 {
					r.t.Fatalf("page %d: %+v", page, l.Output)
				}
				if seen = append(seen, l.ids()...); len(l.ids()) < 20 {
					break
				}
			}
			shows("", func(m catalogue.Model) bool { return slices.Contains(seen, m.ID) })
			r.rejects(modelsPath, map[string]string{"page_no=0": "Range of page_no should be [1, 1048576]", "page_size=201": "Range of page_size should be [1, 200]", "page_no=1&page_no=2": `The parameter "page_no" stands twice.`})
		})
		r.row("GET models: providers can be repeated", func() {
			shows("providers=wan", func(m catalogue.Model) bool { return m.Vendor == "wan" })
			shows("providers=wan&providers=deepseek", func(m catalogue.Model) bool { return m.Vendor == "wan" || m.Vendor == "deepseek" })
			shows("providers=kling", func(catalogue.Model) bool { return false })
		})
		r.row("GET models: inference_providers", func() {
			shows("inference_providers=bailiwick", func(catalogue.Model) bool { return true })
			shows("inference_providers=elsewhere", func(catalogue.Model) bool { return false })
		})
		r.row("GET models: capabilities", func() {
			for _, code := range []string{"TG", "Reasoning", "VU", "IG", "VG", "TTS", "ASR", "TR", "ME", "Multimodal-Omni", "3D-generation"} {
				shows("capabilities="+code, func(m catalogue.Model) bool { return any(m.Kinds, code) })
			}
			shows("capabilities=VU&capabilities=TR", func(m catalogue.Model) bool { return any(m.Kinds, "VU", "TR") })
		})
		r.row("GET models: features", func() {
			for _, code := range []string{"model-experience", "function-calling", "structured-outputs", "web-search", "prefix-completion", "cache", "batch", "fine-tuning"} {
				shows("features="+code, func(m catalogue.Model) bool { return any(m.Features, code) })
			}
		})
		r.row("GET models: context_window is strictly less than", func() {
			shows("context_window=131072", func(m catalogue.Model) bool { return m.Context > 0 && m.Context < 131072 })
			shows("context_window=131073", func(m catalogue.Model) bool { return m.Context > 0 && m.Context <= 131072 })
			r.rejects(modelsPath, map[string]string{"context_window=0": "Range of context_window should be [1, 1099511627776]"})
		})
		r.row("GET models: service_site is taken", func() {
			shows("service_site="+url.QueryEscape("cn-beijing"), func(catalogue.Model) bool { return true })
		})
		r.row("GET models: supports is inference, or deploy", func() {
			shows("supports=inference", func(catalogue.Model) bool { return true })
			shows("supports=deploy", func(m catalogue.Model) bool { return m.Offers.Has(catalogue.Deploy) })
			r.rejects(modelsPath, map[string]string{"supports=train": "supports should be one of inference, deploy"})
			// In another workspace it is what that one may deploy.
			r.Grant("qwen-plus", catalogue.Deploy, r.marketing.ID)
			if got := r.call(ask{path: modelsPath + "?supports=deploy", key: "admin", ws: r.marketing.ID}); !strings.Contains(got.body, `"total":1,`) || !strings.Contains(got.body, `"model":"qwen-plus"`) {
				r.t.Error(got.body)
			}
		})
		r.row("GET models: deployment_methods is ptu, by which nothing is deployed here", func() {
			shows("deployment_methods=ptu", func(catalogue.Model) bool { return false })
			r.rejects(modelsPath, map[string]string{"deployment_methods=mu": "deployment_methods should be one of ptu"})
		})
		r.row("GET models: every field of a model", func() {
			got := r.call(ask{path: modelsPath + "?model=qwen3-max", key: "root"})
			if want := `{"code":null,"message":null,"success":true,"output":{"total":1,"page_no":1,"page_size":20,"models":[` + fields(r, all, "qwen3-max") + `]},"request_id":"` + got.header.Get("X-Request-Id") + `"}`; got.body != want {
				r.t.Errorf("\n%s\n%s", got.body, want)
			}
			// What is not known of a model is null, and never 0.
			if got := r.call(ask{path: modelsPath + "?model=qwen-plain", key: "root"}); !strings.Contains(got.body, `"model_info":{"context_window":null,"max_input_tokens":null,"max_output_tokens":null,`) || !strings.Contains(got.body, `"prices":[]`) {
				r.t.Error(got.body)
			}
		})
		r.row("GET models: the SDK's get is the list with model, page_no=1 and page_size=1", func() {
			if l := r.list("model=qwen-turbo&page_no=1&page_size=1"); !slices.Equal(l.ids(), []ident.Model{"qwen-turbo"}) {
				r.t.Errorf("%+v", l)
			}
		})
		r.row("GET models: a program sees what it may call", func() {
			r.Grant("qwen-turbo", catalogue.Call, r.marketing.ID)
			got := r.call(ask{path: modelsPath, key: "admin", ws: r.marketing.ID})
			if !strings.Contains(got.body, `"total":1,`) || !strings.Contains(got.body, `"model":"qwen-turbo"`) {
				r.t.Error(got.body)
			}
			r.rejects(modelsPath, map[string]string{"provider=qwen": `The parameter "provider"` + noWord})
		})
	})
}

// fields writes a model as the list is to show it, from what storage has of it.
func fields(r *realm, all []catalogue.Model, id ident.Model) string {
	r.t.Helper()
	i := slices.IndexFunc(all, func(m catalogue.Model) bool { return m.ID == id })
	if i < 0 {
		r.t.Fatalf("the catalogue has no %s", id)
	}
	m := all[i]
	list := func(of []string) string { b, _ := json.Marshal(append([]string{}, of...)); return string(b) }
	var tiers []string
	for _, p := range m.Prices {
		price := fmt.Sprintf(`{"type":%q,"price":%q,"price_unit":%q,"price_name":%q,"currency":%q}`, p.Item, p.Amount, p.Unit, strings.ReplaceAll(p.Item, "_", " "), p.Currency)
		head := fmt.Sprintf(`{"range_name":%s,"prices":[`, quotedAsIs(p.Tier))
		if n := len(tiers); n > 0 && strings.HasPrefix(tiers[n-1], head) {
			tiers[n-1] += "," + price
			continue
		}
		tiers = append(tiers, head+price)
	}
	for i := range tiers {
		tiers[i] += "]}"
	}
	return fmt.Sprintf(`{"model":%q,"name":%q,"description":%q,"provider":%q,"inference_provider":"bailiwick","capabilities":%s,"features":%s,"published_time":%q,"inference_metadata":{"request_modality":%s,"response_modality":%s},`+
		`"model_info":{"context_window":%d,"max_input_tokens":%d,"max_output_tokens":%d,"max_reasoning_tokens":null,"reasoning_max_input_tokens":null,"reasoning_max_output_tokens":null},"prices":[%s],"equivalent_snapshot":null,"inference_offline_info":null}`,
		m.ID, m.Name, m.Note, m.Vendor, list(m.Kinds), list(m.Features), m.OnlineSince, list(m.Input), list(m.Output), m.Context, m.MaxInput, m.MaxOutput, strings.Join(tiers, ","))
}

func quotedAsIs(s string) string { return `"` + s + `"` }
