package gateway_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"bailiwick/internal/gateway"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
	"bailiwick/internal/provider"
)

func TestAWorkspaceIsNamedInThreeWays(t *testing.T) {
	w := newWorld(t, nil)
	hello := openAIBody("qwen-turbo", "")
	host := map[string]string{"Host": strings.ToUpper(string(marketing)) + ".Models.example.com:8443"}
	for name, a := range map[string]ask{
		"header":          {path: chat, ws: marketing},
		"path":            {path: "/w/" + string(marketing) + chat},
		"host":            {path: chat, header: host},
		"all three":       {path: "/w/" + string(marketing) + "/compatible-mode" + chat, ws: marketing, header: host},
		"path, native":    {path: "/w/" + string(marketing) + generation, body: nativeBody("qwen-turbo", "")},
		"another host":    {path: chat, ws: marketing, header: map[string]string{"Host": "console.models.example.com"}},
		"root in its own": {path: chat, key: "root"},
		"root in a named": {path: chat, key: "root", ws: marketing},
	} {
		if a.key == "" {
			a.key = "marketing"
		}
		if a.body == "" {
			a.body = hello
		}
		if got := w.call(a); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for i, r := range w.books.all() {
		if want := marketing; r.Workspace != want && r.Key != w.facts.Keys[2].ID {
			t.Errorf("record %d is in %s", i, r.Workspace)
		}
	}
	if got := w.call(ask{path: chat, key: "root", ws: research, body: hello}); got.status != 403 || !strings.Contains(got.body, `"code":"Model.AccessDenied"`) {
		t.Errorf("root's key in a workspace without the right: %d %s", got.status, got.body)
	}
	r, _ := http.NewRequest("POST", w.http.URL+chat, strings.NewReader(hello))
	r.Header["X-Dashscope-Workspace"] = []string{string(marketing), string(research)}
	r.Header.Set("Authorization", "Bearer "+w.keys["marketing"])
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != 403 {
		t.Errorf("two headers: %v %v", resp, err)
	}
	resp.Body.Close()
}

func TestASettingLetsTheKeyAloneName(t *testing.T) {
	w := newWorld(t, nil)
	w.now(func(f *policy.Facts) { f.Accounts[0].NameWorkspace = false })
	if got := w.call(ask{path: chat, key: "marketing", body: openAIBody("qwen-turbo", "")}); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestSec13_AKeyIsTakenFromHeadersOnly(t *testing.T) {
	w := newWorld(t, nil)
	key := w.keys["marketing"]
	for name, want := range map[string]int{
		"Authorization: Bearer " + key:                                    200,
		"Authorization: bearer  " + key:                                   200,
		"Authorization: BEARER " + key:                                    200,
		"X-API-Key: " + key:                                               200,
		"api-key: " + key:                                                 200,
		"api-key: " + key + "\r\nAuthorization: Bearer " + key:            200,
		"api-key: " + w.keys["root"] + "\r\nAuthorization: Bearer " + key: 400,
		"api-key: " + key + "\r\nAuthorization: Basic " + key:             400,
		"Authorization: " + key:                                           401,
		"Authorization: Basic " + key:                                     401,
		"Authorization: Bearer":                                           401,
		"Authorization: Bearer " + key + "x":                              401,
		"Cookie: api_key=" + key:                                          401,
		"X-Nothing: x":                                                    401,
	} {
		for _, query := range []string{"", "?api_key=" + key + "&key=" + key} {
			if got := w.raw("GET", "/w/"+string(marketing)+"/v1/models"+query, name); got != want {
				t.Errorf("%s%s: %d, want %d", strings.ReplaceAll(name, key, "KEY"), query, got, want)
			}
		}
	}
}

// raw sends a request as it is written and gives the status.
func (w *world) raw(method, target, headers string) int {
	w.t.Helper()
	c, err := net.Dial("tcp", w.http.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n\r\n", method, target, headers)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestSec14_EveryOtherSpellingOfAPathIsMissing(t *testing.T) {
	w := newWorld(t, nil)
	auth := "Authorization: Bearer " + w.keys["root"]
	for _, target := range []string{
		"//v1/models", "/v1//models", "/v1/./models", "/v1/x/../models", "/v1%2fmodels", "/%761/models", "/v1/models/", "/v1/models;x", "/V1/models",
		"/v1/Models", "/v1", "/v1/", "/w/" + string(home), "/w/" + string(home) + "/", "/w//v1/models", "/w/" + string(home) + "//v1/models", "/w/" + string(home) + "/w/" + string(home) + "/v1/models",
		"/v1/chat/completions/", "/v1/chat%2fcompletions", "/compatible-mode/v1/chat//completions", "/api/v1/models/qwen-turbo", "/api/v1/services/aigc/text-generation/generation/", "/api/v1/../v1/models", "/v1/models/%2e%2e", "/v1/models/../models", "/v1/embedding", "/",
	} {
		if got := w.raw("GET", target, auth); got != 404 {
			t.Errorf("%s: %d", target, got)
		}
	}
	for target, want := range map[string]int{"/v1/models": 200, "/compatible-mode/v1/models": 200, "/api/v1/models": 200, "/w/" + string(home) + "/api/v1/models": 200, "/v1/models/qwen-turbo": 200, "/v1/models/qwen%2Dturbo": 200} {
		if got := w.raw("GET", target, auth); got != want {
			t.Errorf("%s: %d", target, got)
		}
	}
	if got := w.raw("GET", "/v1/chat/completions", auth+"\r\nX-HTTP-Method-Override: POST\r\nX-Original-URL: /v1/models"); got != 405 {
		t.Errorf("overridden: %d", got)
	}
}

func TestAWrongMethodIsToldTheRightOneInBothDialects(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct{ method, path, allow, body string }{
		{"GET", chat, "POST", openAIRefusal("MethodNotAllowed", "invalid_request_error", "This path takes POST only.", "")},
		{"GET", generation, "POST", nativeRefusal("MethodNotAllowed", "This path takes POST only.")},
		{"DELETE", "/v1/models", "GET", openAIRefusal("MethodNotAllowed", "invalid_request_error", "This path takes GET only.", "")},
		{"GET", "/v1/nothing", "", openAIRefusal("NotFound", "invalid_request_error", "Request path not found.", "")},
		{"GET", "/api/v1/nothing", "", nativeRefusal("NotFound", "Request path not found.")},
	} {
		got := w.call(ask{method: c.method, path: c.path})
		if body := strings.ReplaceAll(got.body, got.header.Get("X-Request-Id"), "ID"); body != c.body || got.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %v %s", c.method, c.path, got.status, got.header, got.body)
		}
	}
	if n := len(w.books.all()); n != 0 {
		t.Errorf("%d records of callers nobody asked for", n)
	}
}

func TestHandlesNamesTheRootsAndNothingElse(t *testing.T) {
	for p, want := range map[string]bool{"/v1": true, "/v1/x": true, "/compatible-mode/v1/models": true, "/api/v1": true, "/apps/anthropic/v1/messages": true, "/apps/anthropic": true, "/compatible-api/v1/reranks": true, "/apps": false, "/w": true, "/w/x": true,
		"/v1x": false, "/workspaces": false, "/api": false, "/": false, "//v1/models": false, "": false} {
		if gateway.Handles(p) != want {
			t.Errorf("%q: %t", p, !want)
		}
	}
}

func TestTheAddressIsTheConnectionsUnlessAProxyIsTrusted(t *testing.T) {
	models := ask{path: "/v1/models", key: "elsewhere", ws: marketing, header: map[string]string{"X-Forwarded-For": "10.9.9.9"}}
	if got := newWorld(t, nil).call(models); got.status != 403 {
		t.Errorf("anybody says where they are: %d", got.status)
	}
	behind := newWorld(t, func(w *world) {
		w.config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16")}
	})
	for forwarded, want := range map[string]int{
		"10.9.9.9": 200, "203.0.113.5, 10.9.9.9": 200, "203.0.113.5, 10.9.9.9, 10.1.2.3": 200,
		"10.9.9.9, 203.0.113.5": 403, "": 403, "nonsense": 403, "10.9.9.9, nonsense": 403,
	} {
		models.header["X-Forwarded-For"] = forwarded
		if got := behind.call(models); got.status != want {
			t.Errorf("%q: %d, want %d", forwarded, got.status, want)
		}
	}
}

func TestNothingOfTheCallersReachesTheProviderButTheBody(t *testing.T) {
	w := newWorld(t, nil)
	w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", ""), header: map[string]string{
		"Cookie": "a=b", "X-Forwarded-For": "1.2.3.4", "X-DashScope-DataInspection": "enable", "Accept-Encoding": "gzip", "User-Agent": "caller", "Te": "trailers", "X-Request-Id": "mine"}})
	got := w.mock.Last()
	want := map[string]string{"Authorization": "Bearer " + credential, "Content-Type": "application/json", "User-Agent": "bailiwick", "Content-Length": fmt.Sprint(len(got.Body))}
	for name, values := range got.Header {
		if name == "X-Request-Id" && uuid.MatchString(values[0]) {
			continue
		}
		if want[name] != strings.Join(values, ",") {
			t.Errorf("%s: %v reached the provider", name, values)
		}
	}
}

func TestTheNextProviderIsAskedWhenOneCannotBeReached(t *testing.T) {
	w := newWorld(t, func(w *world) {
		dead, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			w.t.Fatal(err)
		}
		dead.Close()
		const gone = ident.Provider("prv-0000000000000003")
		w.facts.Providers = append(w.facts.Providers, provider.Provider{ID: gone, Account: account, Kind: provider.OpenAI, BaseURL: "http://" + dead.Addr().String() + "/v1", Version: 1})
		w.facts.Models[0].Servings = append([]policy.Serving{{Provider: "prv-0000000000000009", Name: "x"}, {Provider: gone, Name: "x"}}, w.facts.Models[0].Servings...)
	})
	if got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")}); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if r := w.books.number(t, 1); r.Provider != upstream {
		t.Errorf("record %+v", r)
	}
	w.now(func(f *policy.Facts) { f.Models[0].Servings = f.Models[0].Servings[:2] })
	if got := w.call(ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")}); got.status != 503 || !strings.Contains(got.body, "ModelUnavailable") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestAProviderIsOpenedOncePerVersion(t *testing.T) {
	opened := 0
	w := newWorld(t, func(w *world) {
		open := w.config.Open
		w.config.Open = func(p provider.Provider) (provider.Server, error) { opened++; return open(p) }
	})
	hello := ask{path: chat, key: "marketing", ws: marketing, body: openAIBody("qwen-turbo", "")}
	w.call(hello)
	w.call(hello)
	w.now(func(f *policy.Facts) { f.Providers[0].Version++ })
	w.call(hello)
	w.call(hello)
	if opened != 2 {
		t.Errorf("opened %d times", opened)
	}
}

func TestTheDemoEngineIsMarkedInHeadersAndBooks(t *testing.T) {
	w := newWorld(t, nil)
	for i, stream := range []bool{false, true} {
		text, got := w.native("qwen-demo", `"result_format":"message"`, stream)
		if got.status != 200 || got.header.Get("X-Bailiwick-Engine") != "embedded-demo" || !strings.Contains(text, "demo engine, a very small model") {
			t.Errorf("%d %v %s", got.status, got.header, text)
		}
		if r := w.books.number(t, i+1); r.Source != "counted" || r.Input < 10 || r.Output == 0 || r.Provider != demo {
			t.Errorf("record %+v", r)
		}
	}
	if w.mock.Calls() != 0 {
		t.Error("the engine asked a provider")
	}
}
