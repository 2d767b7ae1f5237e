package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"bailiwick/internal/store"
	"bailiwick/static"
)

// patience is how long a page may take for what a test waits for.
const patience = 30 * time.Second

// tab is a page of a real browser. Things are found in its accessibility tree,
// by role and name, as assistive technology finds them.
type tab struct {
	*company
	ctx  context.Context
	base string

	mu      sync.Mutex
	reports []string // of the content security policy
	others  []string // addresses of other hosts that a page asked for
}

// chrome opens a tab of a headless Chromium before the company's console, or
// skips the test where there is none.
func (o *company) chrome(t *testing.T) *tab {
	t.Helper()
	bin := os.Getenv("CHROME_BIN")
	if bin == "" {
		bin = "/usr/bin/chromium"
	}
	if _, err := os.Stat(bin); err != nil {
		t.Skip("no Chromium: install chromium or set CHROME_BIN")
	}
	if static.Optional("htmx.min.js") == "" {
		t.Skip("no htmx: run make assets")
	}
	browser, err := chromium(bin)
	o.must(err)
	b := &tab{company: o}
	b.base = b.serveTab(t)
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(func() { cancel(); end() })
	b.ctx = ctx
	return b.watched(t)
}

// shared is the one Chromium of this process. Each test has a tab with cookies
// of its own in it.
var shared struct {
	once sync.Once
	ctx  context.Context
	err  error
	stop func()
}

// chromium starts the browser for the first who asks.
func chromium(bin string) (context.Context, error) {
	shared.once.Do(func() {
		folder, err := os.MkdirTemp("", "bw-chromium-")
		if err != nil {
			shared.err = err
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(bin), chromedp.UserDataDir(folder), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1440, 900),
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, end := chromedp.NewContext(allocator)
		shared.stop = func() { end(); stop(); os.RemoveAll(folder) }
		shared.ctx, shared.err = ctx, chromedp.Do(ctx)
	})
	return shared.ctx, shared.err
}

// watched is the tab with eyes on what its pages ask for.
func (b *tab) watched(t *testing.T) *tab {
	t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(1440, 900)))
	b.must(chromedp.Listen(b.ctx, b.listen))
	_, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{})
	b.must(err)
	_, err = chromedp.Call(b.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}) // other tabs have it too
	b.must(err)
	if axeSource() != "" {
		_, err = chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: "window.loadAxe = () => {" + axeSource() + "\n}"})
		b.must(err)
	}
	t.Cleanup(b.clean)
	return b
}

func (b *tab) serveTab(t *testing.T) string {
	b.config.PlainHTTP, b.config.Sessions, b.config.BaseURL = true, b.store.Sessions(store.SessionConfig{PlainHTTP: true}), ""
	b.serve()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/csp" {
			text := new(strings.Builder)
			_ = r.Write(text) // a strings.Builder takes everything
			b.note(&b.reports, text.String())
		}
		b.server.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func (b *tab) listen(event any) {
	if e, ok := event.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(e.Request.URL, b.base+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
		b.note(&b.others, e.Request.URL)
	}
}

func (b *tab) note(list *[]string, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*list = append(*list, text)
}

// clean makes sure that no page tried what it may not.
func (b *tab) clean() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.reports {
		b.t.Errorf("a page violates the content security policy: %s", r)
	}
	for _, u := range b.others {
		b.t.Errorf("a page asked another host: %s", u)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(b.base+path)))
}

// eval runs an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	b.must(err)
	return v
}

// peek runs an expression that gives a text, which is empty while the page is
// being left for another one.
func (b *tab) peek(expression string) string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		return ""
	}
	return text
}

// until waits for something.
func (b *tab) until(what string, is func() bool) {
	b.t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(25 * time.Millisecond) {
		if time.Now().After(end) {
			text := b.peek("document.body.innerText")
			b.t.Fatalf("%s: waited in vain for %s; the page says: %s", b.peek("location.pathname"), what, strings.Join(strings.Fields(text), " "))
		}
	}
}

// sees waits until these texts can be read on the page.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.until(fmt.Sprintf("%q", text), func() bool {
			return strings.Contains(strings.Join(strings.Fields(b.peek("document.body?.innerText ?? ''")), " "), text)
		})
	}
}

// seesNot makes sure that a text cannot be read.
func (b *tab) seesNot(texts ...string) {
	b.t.Helper()
	page := strings.Join(strings.Fields(eval[string](b, "document.body.innerText")), " ")
	for _, text := range texts {
		if strings.Contains(page, text) {
			b.t.Fatalf("%q can be read on %s", text, eval[string](b, "location.pathname"))
		}
	}
}

// isAt waits until the address is this one.
func (b *tab) isAt(path string) {
	b.t.Helper()
	b.until("the address "+path, func() bool { return b.peek("location.pathname") == path })
}

// nodes finds what has a role and a name, and, when about is given, a
// description that begins with it.
func (b *tab) nodes(role, name, about string) []*accessibility.Node {
	b.t.Helper()
	document, err := chromedp.Call(b.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"})
	if err != nil || document.Result == nil {
		return nil // the page is being left
	}
	found, err := chromedp.Call(b.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: document.Result.ObjectID, Role: role, AccessibleName: name})
	if err != nil {
		return nil
	}
	var nodes []*accessibility.Node
	for _, n := range found.Nodes {
		if !n.Ignored && n.BackendDOMNodeID != 0 && strings.HasPrefix(described(n), about) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func described(n *accessibility.Node) string {
	var text string
	if n.Description != nil {
		_ = json.Unmarshal(n.Description.Value, &text) // what is no text describes nothing
	}
	return text
}

// find waits for the one thing with a role and a name.
func (b *tab) find(role, name string, about ...string) cdp.BackendNodeID {
	b.t.Helper()
	var nodes []*accessibility.Node
	b.until(fmt.Sprintf("the %s %q %v", role, name, about), func() bool {
		nodes = b.nodes(role, name, strings.Join(about, ""))
		return len(nodes) > 0
	})
	if len(nodes) > 1 {
		b.t.Fatalf("there are %d of the %s %q", len(nodes), role, name)
	}
	return nodes[0].BackendDOMNodeID
}

// gone waits until nothing has this role and name.
func (b *tab) gone(role, name string) {
	b.t.Helper()
	b.until(fmt.Sprintf("the %s %q to go", role, name), func() bool { return len(b.nodes(role, name, "")) == 0 })
}

// spot is the middle of a thing on the screen.
func (b *tab) spot(node cdp.BackendNodeID) (x, y float64) {
	b.t.Helper()
	b.until("a thing to stand still", func() bool {
		_, err := chromedp.Call(b.ctx, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: node})
		box, err2 := chromedp.Call(b.ctx, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: node})
		if err != nil || err2 != nil || len(box.Quads) == 0 {
			return false
		}
		q := box.Quads[0]
		lastX, lastY := x, y
		x, y = (q[0]+q[4])/2, (q[1]+q[5])/2
		return x == lastX && y == lastY
	})
	return x, y
}

// click presses the mouse where a thing is.
func (b *tab) click(role, name string, about ...string) {
	b.t.Helper()
	x, y := b.spot(b.find(role, name, about...))
	b.must(chromedp.Do(b.ctx, chromedp.MouseClickXY(x, y)))
}

// hover moves the mouse to a thing.
func (b *tab) hover(role, name string) {
	b.t.Helper()
	x, y := b.spot(b.find(role, name))
	b.must(chromedp.Do(b.ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y)))
}

// fill types into a field in place of what stands there.
func (b *tab) fill(role, name, text string) {
	b.t.Helper()
	b.focus(b.find(role, name))
	eval[bool](b, "document.activeElement.select?.(), true")
	_, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text})
	b.must(err)
}

func (b *tab) focus(node cdp.BackendNodeID) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, dom.Focus, dom.FocusParams{BackendNodeID: node})
	b.must(err)
}

// enter presses Enter on something until what it leads to is there: on a busy
// machine a key now and then reaches no tab.
func (b *tab) enter(node cdp.BackendNodeID, role, name string) {
	b.t.Helper()
	var pressed time.Time
	b.until(fmt.Sprintf("the %s %q", role, name), func() bool {
		if len(b.nodes(role, name, "")) > 0 {
			return true
		}
		if time.Since(pressed) > 10*time.Second {
			b.focus(node)
			b.key("\r")
			pressed = time.Now()
		}
		return false
	})
}

// key presses keys of the keyboard.
func (b *tab) key(keys string, options ...chromedp.KeyOption) {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.KeyEvent(keys, options...)))
}

// logOn comes in as somebody.
func (b *tab) logOn(name string) {
	b.t.Helper()
	b.open("/")
	b.fill("textbox", "Account", name+"@acme")
	b.fill("textbox", "Password", password)
	b.click("button", "Log on")
	b.find("button", "Account")
}

// examine looks at a state of a page with axe, light and dark, and at the width
// of a telephone.
func (b *tab) examine(state string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		time.Sleep(50 * time.Millisecond) // until colours have changed
		b.axe(state + ", " + scheme)
	}
	b.prefer("light")
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(390, 844)))
	if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > 390 {
		b.t.Errorf("%s: the page is %d wide on a screen of 390", state, wide)
	}
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(1440, 900)))
}

func (b *tab) prefer(scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	b.must(err)
}

// axeSource is the checker, where npm brought it.
var axeSource = sync.OnceValue(func() string {
	text, err := os.ReadFile("../static/node_modules/axe-core/axe.min.js")
	if err != nil {
		return ""
	}
	return string(text)
})

var axeMissing sync.Once

func (b *tab) axe(state string) {
	b.t.Helper()
	if axeSource() == "" {
		axeMissing.Do(func() { b.t.Log("axe is not there, so that accessibility is not checked: run npm ci in static/") })
		return
	}
	if !eval[bool](b, "globalThis.axe || globalThis.loadAxe?.(), typeof axe === 'object'") { // no scripts ran
		_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](axeSource()+";true"))
		b.must(err)
	}
	found := eval[[]string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.passes.length < 10 ? ["nothing was checked"] : r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 160) + " " + n.failureSummary.replaceAll("\n", " ").slice(0, 240))))`)
	for _, violation := range found {
		b.t.Errorf("%s: %s", state, violation)
	}
}
