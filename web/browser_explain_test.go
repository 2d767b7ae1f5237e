package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"bailiwick/internal/access"
	"bailiwick/internal/apikey"
	"bailiwick/internal/catalogue"
	"bailiwick/internal/ident"
	"bailiwick/internal/policy"
)

func TestBrowserWhyIsAskedAndAnswered(t *testing.T) {
	t.Parallel()
	o := start(t)
	k, text := o.issue(o.a, apikey.Terms{Description: "the newsletter"})
	r := o.refuse(policy.Question{Presented: true, Digest: k.Digest, Header: string(o.a), Model: "qwen-turbo", Capability: catalogue.Call, Address: netip.MustParseAddr("192.0.2.7")})
	b := o.chrome(t)
	b.logOn("alice")
	b.click("link", "Why?")
	b.isAt(o.at(o.a, "/why"))
	b.sees("Refused lately", "the newsletter")
	b.examine("Why?")
	b.fill("textbox", "Secret of a key", text)
	b.fill("combobox", "Model", "qwen-turbo")
	b.click("button", "Explain")
	b.sees("Refused", "Marketing is not authorized for Model Calling", "What would have to change")
	if strings.Contains(eval[string](b, "document.documentElement.outerHTML"), text) {
		t.Error("the secret is shown again")
	}
	b.examine("Why? answered")
	b.fill("textbox", "Address of the caller", "nowhere")
	b.key(kb.Enter)
	b.sees("Write an IP address")
	b.examine("Why? with a mistake")
	b.fill("textbox", "Request ID", string(r.Call))
	b.key(kb.Enter)
	b.sees("Then", "Now", "which the workspace was not authorized for")
	b.examine("a refused call")
	b.open("/access")
	b.sees("Your Access", "Administrator")
	b.examine("Your Access")
}

func TestBrowserTheMatrixAuthorizes(t *testing.T) {
	t.Parallel()
	o := start(t)
	b := o.chrome(t)
	b.logOn("root")
	b.click("link", "Model Authorizations")
	b.examine("Model Authorizations")
	b.fill("searchbox", "Search models", "qwen-turbo")
	b.sees("1 model")
	b.click("button", "Authorize Model Training of Qwen-Turbo")
	b.click("option", "Marketing")
	b.click("button", "Authorize selected")
	b.click("button", "OK")
	b.gone("dialog", "Model Training authorization")
	b.sees("1 workspace authorized")
	b.isAt("/account/authorizations")
	b.tabTo("button", "Authorize all models for calling in Research")
	b.key(kb.Enter)
	b.find("dialog", "Authorize all models for calling in Research?")
	b.examine("authorize all")
	b.click("button", "Authorize all")
	b.sees("Research may call every model")
	b.examine("one may call everything")
	if now := o.keeper.Now(); !now.Holds(o.a, "qwen-turbo", catalogue.Train) || !now.Holds(o.b, "qwen-max", catalogue.Call) || now.Holds(o.a, "qwen-max", catalogue.Call) {
		t.Error("something else was authorized")
	}
	b.click("button", "End calling of every model for Research")
	b.sees("This stops working")
	b.examine("end all")
}

func TestSec28_BrowserWhatAModelSaysStaysText(t *testing.T) {
	t.Parallel()
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	o.line(evil, 200)
	b := o.chrome(t)
	b.logOn("alice")
	b.click("link", "Playground")
	b.sees("Nothing was said yet")
	b.examine("Playground")
	b.fill("textbox", "Message", "say something "+evil)
	b.click("button", "Send")
	b.sees("7 tokens in, 3 out", `onerror="alert(1)"`)
	b.examine("Playground, answered")
	for _, marked := range []string{".turn img", ".turn a", ".turn [hx-get]", ".turn div"} {
		if n := eval[int](b, fmt.Sprintf("document.querySelectorAll(%q).length", marked)); n != 0 {
			t.Errorf("what the model said became %d of %s", n, marked)
		}
	}
	b.isAt(o.at(o.a, "/playground")) // nobody was logged off; what pages asked for is looked at in the end
	b.click("button", "View code")
	b.find("dialog", "View code")
	b.sees("say something")
	b.examine("View code")
	b.key(kb.Escape)
	b.gone("dialog", "View code")

	o.line(evil, 403)
	b.fill("textbox", "Message", "again")
	b.focus(b.find("button", "Send"))
	b.key(kb.Enter)
	b.sees("The call was not answered.", "0a1b2c3d-0000-4000-8000-000000000000", "Why?")
	b.examine("Playground, refused")
	if kept := eval[string](b, "document.querySelector('[name=message]').value"); kept != "again" {
		t.Errorf("what was typed is lost: %q", kept)
	}
}

func TestBrowserAnAnswerComesPieceByPieceAndCanBeStopped(t *testing.T) {
	t.Parallel()
	o := start(t)
	o.authorize("qwen-turbo", catalogue.Call, o.a)
	ended := make(chan struct{})
	o.config.Call = func(w http.ResponseWriter, r *http.Request, _ access.Actor, _ ident.Workspace) {
		defer close(ended)
		_, _ = io.Copy(io.Discard, r.Body) // what is asked does not matter here
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: {\"choices\":[{\"delta\":{\"content\":\"first piece\"}}]}\n\n")
		_ = http.NewResponseController(w).Flush() // a test server always can
		select {
		case <-r.Context().Done():
		case <-time.After(patience):
			t.Error("stopping does not reach the gateway")
		}
	}
	b := o.chrome(t)
	b.logOn("alice")
	b.open(o.at(o.a, "/playground"))
	b.fill("textbox", "Message", "hello")
	b.click("button", "Send")
	b.sees("first piece", "The model is answering")
	b.click("button", "Stop")
	b.gone("button", "Stop")
	<-ended
	b.sees("first piece")
	b.seesNot("The call was not answered.")
}
